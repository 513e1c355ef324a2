"""What central tells a shop's terminals: records of its own chain that are about them.

Findings, disputes and confirmations are told at once. Ratings and corrections are not: levels
reach the shop with the daily release alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from merchant_agent.central.services import Central
from merchant_agent.central.store.models import ChainHead, Record, Remark
from merchant_agent.errors import FormatError, NotFoundError, SignInError, VerificationError
from merchant_agent.evidence.inbox import epoch_of, verify_inbox

_TOLD = ("finding", "dispute", "confirm")
_TOGETHER = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """The next records in order, at most 100; `next` is what to ask after then.

    `issuer` is central's own for the merchant, None before it has said anything.
    """

    issuer: str | None
    records: tuple[bytes, ...]
    next: int


def read_inbox(central: Central, issuer: str, header: str, after: int) -> Inbox:
    """What central said after its own seq `after`, for the terminal that signed the request.

    Raises:
        NotFoundError: "issuer".
        SignInError: "inbox-signature", when it is not signed by the terminal over its present nonce.
    """
    try:
        granted = central.issuers.find(central.store, issuer, epoch_of(header))
    except FormatError as error:
        raise SignInError("inbox-signature", str(error)) from error
    chain = (
        (ChainHead.merchant == granted.merchant)
        & (ChainHead.issuer == issuer)
        & (ChainHead.epoch == granted.epoch)
    )
    own = (ChainHead.merchant == granted.merchant) & (ChainHead.role == "central")
    with central.store.read() as reader:
        nonce = reader.scalar(ChainHead.select(ChainHead.nonce).where(chain))
        if nonce is None:
            raise NotFoundError("issuer", f"there is no chain of {issuer}")
        try:
            verify_inbox(header, granted.key, issuer, nonce, after)
        except VerificationError as error:
            raise SignInError("inbox-signature", "it is not signed over the present nonce") from error
        mine = reader.scalar(ChainHead.select(ChainHead.issuer).where(own))
        same = (
            (Remark.merchant == Record.merchant)
            & (Remark.issuer == Record.issuer)
            & (Remark.epoch == Record.epoch)
            & (Remark.seq == Record.seq)
        )
        query = (
            Record.select(Record.seq, Record.octets)
            .join(Remark, on=same)
            .where((Record.merchant == granted.merchant) & (Record.issuer == mine) & (Record.seq > after))
            .where(Remark.kind.in_(_TOLD))
            .order_by(Record.seq)
            .limit(_TOGETHER)
        )
        rows = [] if mine is None else reader.all(query.tuples())
    return Inbox(
        issuer=mine,
        records=tuple(bytes(octets) for _, octets in rows),
        next=rows[-1][0] if rows else after,
    )
