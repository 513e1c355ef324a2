"""Who asks: requests that a terminal signs, apart from uploads.

Source: PROTOCOL.md, "Signed requests".
"""

from __future__ import annotations

import peewee

from merchant_agent.central.intake.standing import REVOKED
from merchant_agent.central.services import Central
from merchant_agent.central.store.issuers import Granted
from merchant_agent.central.store.models import ChainHead
from merchant_agent.errors import ForbiddenError, FormatError, NotFoundError, SignInError, VerificationError
from merchant_agent.evidence.requests import Purpose, epoch_of, verify_request
from merchant_agent.store.store import Reader


def find_asker(central: Central, issuer: str, header: str) -> Granted:
    """Whose key the header says to be signed with; not believed yet.

    Raises:
        NotFoundError: "issuer".
        SignInError: "request-signature".
    """
    try:
        return central.issuers.find(central.store, issuer, epoch_of(header))
    except FormatError as error:
        raise SignInError("request-signature", str(error)) from error


def require_signed(header: str, granted: Granted, purpose: Purpose, nonce: str, detail: str) -> None:
    """Returns when that key signed this request over this nonce.

    Raises:
        SignInError: "request-signature".
    """
    try:
        verify_request(header, granted.key, purpose, granted.issuer, nonce, detail)
    except VerificationError as error:
        raise SignInError("request-signature", "it is not signed over this request and nonce") from error


def require_in_force(row: ChainHead) -> None:
    """Returns when the key of that epoch was not revoked: whoever has it then is told nothing more.

    Raises:
        ForbiddenError: "revoked".
    """
    if row.state == REVOKED:
        raise ForbiddenError("revoked", "the key of this epoch counts no longer")


def find_heads(reader: Reader, granted: Granted) -> tuple[ChainHead, int]:
    """The head of the asker's epoch, and which epoch is the issuer's newest.

    Raises:
        NotFoundError: "issuer".
    """
    chains = (ChainHead.merchant == granted.merchant) & (ChainHead.issuer == granted.issuer)
    of_terminal = chains & (ChainHead.role == "terminal")
    row: ChainHead | None = reader.first(
        ChainHead.select().where(of_terminal & (ChainHead.epoch == granted.epoch))
    )
    newest = reader.scalar(ChainHead.select(peewee.fn.MAX(ChainHead.epoch)).where(of_terminal))
    if row is None or newest is None:
        raise NotFoundError("issuer", f"there is no chain of {granted.issuer}")
    return row, newest
