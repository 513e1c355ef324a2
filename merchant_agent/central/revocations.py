"""Revoking a terminal's key: a record of central's own chain, in force from its own transaction on.

The key counts for what central had of it, and for nothing else. Whoever needs another key then is
let through by an officer, or enrols again with a code.

Source: PROTOCOL.md, "Epochs".
"""

from __future__ import annotations

from datetime import datetime

import peewee

from merchant_agent.central.intake.epochs import AskedOutcome
from merchant_agent.central.intake.granting import lock_newest
from merchant_agent.central.intake.standing import REVOKED
from merchant_agent.central.own_chain import append_own
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import ChainHead, EpochAsked, Revocation
from merchant_agent.domain.text import check_paragraphs
from merchant_agent.errors import ConflictError, InvalidError, NotFoundError
from merchant_agent.evidence.bodies import Kind, RevokeBody
from merchant_agent.evidence.fields import Place
from merchant_agent.store.credentials import audit
from merchant_agent.store.store import Reader, Writer

REASON_MAX_CHARS = 500

_LOCK = (
    "UPDATE chain_head SET role = role WHERE merchant = ? AND issuer = ? AND epoch = ?"
    " AND role = 'terminal' RETURNING seq, state"
)


def revoke(  # noqa: PLR0913 -- whose key, and who says why
    central: Central,
    merchant: str,
    issuer: str,
    epoch: int,
    *,
    reason: str,
    who: str,
    allow: bytes | None = None,
) -> None:
    """Ends what the key of an epoch counts for, at what central has of it; `reason` is kept here alone.

    The request for the key `allow`, if given, is let through when it comes again; others that waited
    are not.

    Raises:
        InvalidError: "reason", where it is empty or over 500 characters.
        NotFoundError: "terminal"; "request", where nobody asked for that key.
        ConflictError: "revoked", where it was revoked before.
        StoreError: nothing was changed.
    """
    words = check_paragraphs(reason, code="reason", max_chars=REASON_MAX_CHARS, min_chars=1)
    now = central.clock.now()
    with central.store.write() as tx:
        seq, state = _lock(tx, merchant, issuer, epoch)
        if state == REVOKED:
            raise ConflictError("revoked", "the key was revoked before")
        body = RevokeBody(issuer=issuer, epoch=epoch, through=None if seq < 0 else seq)
        place = append_own(central, tx, merchant, Kind.REVOKE, body).place
        tx.execute(
            Revocation.insert(
                merchant=merchant,
                issuer=issuer,
                epoch=epoch,
                through=seq,
                reason=words,
                who=who,
                at=now,
                own_issuer=place.issuer,
                own_epoch=place.epoch,
                own_seq=place.seq,
            )
        )
        here = _of(ChainHead, merchant, issuer, epoch)
        tx.execute(ChainHead.update({ChainHead.state: REVOKED}).where(here))
        _settle(tx, merchant, issuer, epoch, allow, who, now)
        audit(tx, at=now, who=who, what="key-revoked", detail=f"{merchant} {issuer}.{epoch} {seq}")


def allow_request(  # noqa: PLR0913 -- which request, and who decides
    central: Central, merchant: str, issuer: str, epoch: int, key: bytes, *, who: str
) -> None:
    """Lets the request for `key`, signed by the revoked newest epoch of its issuer, through when it comes again.

    Raises:
        NotFoundError: "terminal", "request".
        InvalidError: "not-revoked", where requests are granted without this, or a later epoch is there.
    """
    now = central.clock.now()
    with central.store.write() as tx:
        newest = lock_newest(tx, merchant, issuer)
        if newest is None:
            raise NotFoundError("terminal", "there is no such terminal")
        if (newest.epoch, newest.state) != (epoch, REVOKED):
            raise InvalidError("not-revoked", "only the newest epoch, when revoked, needs this")
        _settle(tx, merchant, issuer, epoch, key, who, now)
        audit(tx, at=now, who=who, what="epoch-allowed", detail=f"{merchant} {issuer}.{epoch}")


def settle_requests(central: Central, merchant: str, issuer: str, epoch: int, *, who: str) -> None:
    """Notes that an officer has looked into what was asked with the key of this epoch; what waits goes on waiting.

    Raises:
        NotFoundError: "terminal".
    """
    now = central.clock.now()
    with central.store.write() as tx:
        _lock(tx, merchant, issuer, epoch)
        open_ones = _of(EpochAsked, merchant, issuer, epoch) & EpochAsked.settled_at.is_null()
        decided = open_ones & (EpochAsked.outcome != AskedOutcome.WAITING.value)
        settled = {EpochAsked.settled_at: now, EpochAsked.settled_by: who}
        tx.execute(EpochAsked.update(settled).where(decided))
        audit(tx, at=now, who=who, what="epoch-requests-settled", detail=f"{merchant} {issuer}.{epoch}")


def is_in_force(reader: Reader, merchant: str, place: Place) -> bool:
    """Whether the key of that place counts for it: it was not revoked, or only for later places."""
    here = _of(Revocation, merchant, place.issuer, place.epoch)
    through = reader.scalar(Revocation.select(Revocation.through).where(here))
    return through is None or place.seq <= int(through)


def _lock(tx: Writer, merchant: str, issuer: str, epoch: int) -> tuple[int, str]:
    """Where central stands with the epoch, and its state; nobody else can change it until the end."""
    rows = tx.rows(_LOCK, merchant, issuer, epoch)
    if not rows:
        raise NotFoundError("terminal", "there is no such terminal")
    seq, state = rows[0]
    return seq, state


def _settle(  # noqa: PLR0913, PLR0917 -- which request, and who decides
    tx: Writer, merchant: str, issuer: str, epoch: int, allow: bytes | None, who: str, now: datetime
) -> None:
    """Lets the one request through, and none else that waited."""
    settled = {EpochAsked.settled_at: now, EpochAsked.settled_by: who}
    here = _of(EpochAsked, merchant, issuer, epoch)
    waited = EpochAsked.outcome.in_([AskedOutcome.WAITING.value, AskedOutcome.ALLOWED.value])
    dismissed = {EpochAsked.outcome: AskedOutcome.DISMISSED.value, **settled}
    tx.execute(EpochAsked.update(dismissed).where(here & waited))
    if allow is None:
        return
    allowed = {EpochAsked.outcome: AskedOutcome.ALLOWED.value, **settled}
    refused = EpochAsked.outcome.in_([AskedOutcome.DISMISSED.value, AskedOutcome.REVOKED.value])
    if tx.execute(EpochAsked.update(allowed).where(here & refused & (EpochAsked.key == allow))) == 0:
        raise NotFoundError("request", "nobody asked for this key")


def _of(
    table: type[ChainHead | EpochAsked | Revocation], merchant: str, issuer: str, epoch: int
) -> peewee.Expression:
    return (table.merchant == merchant) & (table.issuer == issuer) & (table.epoch == epoch)
