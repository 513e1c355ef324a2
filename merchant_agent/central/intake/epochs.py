"""Another epoch for a terminal, asked for by the key of its newest one.

It is granted at once, whatever the reason, up to ten times in ten minutes: officers are shown the
request. While the newest epoch is frozen the request waits for an officer. Whoever asks with the key
of an epoch that is not the newest is a clone, or has one: the first to ask has got the next epoch.

Source: PROTOCOL.md, "Asking for an epoch".
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import peewee

from merchant_agent.central.intake.enrolment import Enrolled, Waiting, enrolled
from merchant_agent.central.intake.granting import (
    NewestEpoch,
    find_grant,
    find_granted,
    grant_next,
    lock_newest,
)
from merchant_agent.central.intake.standing import ACTIVE, FROZEN
from merchant_agent.central.services import Central
from merchant_agent.central.store.issuers import Granted
from merchant_agent.central.store.ledger import find_other
from merchant_agent.central.store.models import ChainHead, Conflict, EpochAsked
from merchant_agent.central.turns import EPOCHS, count_turn
from merchant_agent.errors import (
    ForbiddenError,
    FormatError,
    InvalidError,
    NotFoundError,
    StoreConflictError,
    VerificationError,
)
from merchant_agent.evidence.epochs import (
    EpochRequest,
    decode_epoch_request,
    open_epoch_request,
    verify_possession,
)
from merchant_agent.evidence.jws import Jws, Typ, decode_jws, verify_jws
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.store.credentials import audit
from merchant_agent.store.store import Reader, Writer

_log = logging.getLogger(__name__)

_KEPT_PER_EPOCH = 50


class AskedOutcome(StrEnum):
    """What became of a request; `ALLOWED` by an officer, and not asked again yet."""

    GRANTED = "granted"
    WAITING = "waiting"
    ALLOWED = "allowed"
    DISMISSED = "dismissed"
    REPLACED = "replaced"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request that both keys signed; `granted` is the epoch that asks, `key` the new one's octets."""

    granted: Granted
    request: EpochRequest
    octets: bytes
    key: bytes


def ask_epoch(central: Central, issuer: str, request: str, possession: str) -> Enrolled | Waiting:
    """The grant of the issuer's next epoch, or that it must wait; texts as they came.

    The same request is answered the same again, for as long as the answer may have been lost.

    Raises:
        NotFoundError: "issuer".
        InvalidError: "epoch-signature", when not both keys signed a request of this issuer;
            "epoch-key", when the new one is weak or was granted before.
        ForbiddenError: "epoch-replaced", when a later epoch was granted before; "revoked". Officers
            see the request.
        RateLimitedError: the issuer was granted too many epochs of late; nothing was stored.
        StoreError: nothing was stored; the terminal tries again.
    """
    asked = _open(central, issuer, request.encode(), possession)
    try:
        with central.store.write() as tx:
            answer = _settle(central, tx, asked)
    except StoreConflictError as error:
        raise _key_taken() from error
    match answer:
        case AskedOutcome.REPLACED:
            raise ForbiddenError("epoch-replaced", "a later epoch of this issuer was granted before")
        case AskedOutcome():
            raise ForbiddenError("revoked", "the key of this epoch counts no longer")
        case _:
            return answer


def _open(central: Central, issuer: str, octets: bytes, possession: str) -> _Asked:
    try:
        jws = decode_jws(octets, Typ.EPOCH)
        if jws.issuer != issuer:
            raise _unsigned(f"a request of {jws.kid}")
        granted = central.issuers.find(central.store, issuer, jws.epoch)
        verify_jws(jws, granted.key)
        request = _read(jws, granted)
        verify_possession(request.verifying_key(), octets, decode_b64u(possession))
    except (FormatError, VerificationError) as error:
        raise _unsigned(str(error)) from error
    return _Asked(granted=granted, request=request, octets=octets, key=decode_b64u(request.key))


def _read(jws: Jws, granted: Granted) -> EpochRequest:
    try:
        stated = decode_epoch_request(jws.payload)
    except VerificationError as error:
        raise InvalidError("epoch-key", str(error)) from error
    if decode_b64u(stated.key) == granted.key.octets:
        raise InvalidError("epoch-key", "it is the key that signs the request")
    return open_epoch_request(jws.octets, granted.key)


def _settle(central: Central, tx: Writer, asked: _Asked) -> Enrolled | Waiting | AskedOutcome:
    """Decides in one transaction, with the issuer's newest epoch locked."""
    granted = asked.granted
    newest = lock_newest(tx, granted.merchant, granted.issuer)
    if newest is None:
        raise NotFoundError("issuer", f"{granted.issuer} is no terminal")
    before = find_granted(tx, asked.key)
    if before is not None:
        if before[0] != granted.issuer or before[1] <= granted.epoch:
            raise _key_taken()
        return enrolled(tx, granted.merchant, find_grant(tx, *before), created=False)
    now = central.clock.now()
    outcome = _decide(tx, asked, newest, now)
    if outcome is AskedOutcome.GRANTED:
        count_turn(central, tx, EPOCHS, granted.issuer)
    is_news = _keep(tx, asked, outcome, now)
    if is_news:
        _log.warning("epoch asked for: %s.%d, %s, %s", *_place(asked), asked.request.reason, outcome)
    match outcome:
        case AskedOutcome.GRANTED:
            octets = grant_next(central, tx, newest, asked.key)
            _tell(tx, asked, "epoch-granted", now)
            return enrolled(tx, granted.merchant, octets, created=True)
        case AskedOutcome.WAITING:
            return Waiting()
        case _:
            if is_news:
                _tell(tx, asked, f"epoch-refused-{outcome}", now)
            return outcome


def _decide(tx: Writer, asked: _Asked, newest: NewestEpoch, now: datetime) -> AskedOutcome:
    if asked.granted.epoch != newest.epoch:
        return AskedOutcome.REPLACED
    if newest.state == ACTIVE and _freeze(tx, asked, now):
        return AskedOutcome.WAITING
    if newest.state == ACTIVE:
        return AskedOutcome.GRANTED
    if newest.state == FROZEN:
        return AskedOutcome.WAITING
    earlier = tx.scalar(EpochAsked.select(EpochAsked.outcome).where(_this(asked)))
    return AskedOutcome.GRANTED if earlier == AskedOutcome.ALLOWED else AskedOutcome.REVOKED


def _freeze(tx: Writer, asked: _Asked, now: datetime) -> bool:
    """Freezes the epoch where the request names another newest record than the issuer signed before."""
    granted, newest = asked.granted, asked.request.newest
    held = find_other(tx, granted, newest)
    if held is None:
        return False
    tx.execute(ChainHead.update({ChainHead.state: FROZEN}).where(_chain(granted)))
    tx.execute(
        Conflict.insert(
            merchant=granted.merchant,
            issuer=granted.issuer,
            epoch=granted.epoch,
            seq=newest.seq,
            kind="newest",
            held=held,
            received=asked.octets,
            batch_digest=hashlib.sha256(asked.octets).digest(),
            received_at=now,
        ).on_conflict_ignore()
    )
    return True


def _keep(tx: Writer, asked: _Asked, outcome: AskedOutcome, now: datetime) -> bool:
    """The request as officers see it; once it is granted, what it says of the newest record is a promise.

    False where it is none of the first for its epoch, or came to the same before: whoever sends it over
    and over, or has a stolen key, fills no table.
    """
    granted, newest = asked.granted, asked.request.newest
    if outcome is AskedOutcome.GRANTED:
        further = _chain(granted) & (ChainHead.claimed_seq < newest.seq)
        tx.execute(ChainHead.update({ChainHead.claimed_seq: newest.seq}).where(further))
    earlier = tx.scalar(EpochAsked.select(EpochAsked.outcome).where(_this(asked)))
    if earlier is not None:
        changed = {EpochAsked.at: now, EpochAsked.outcome: outcome.value}
        tx.execute(EpochAsked.update(changed).where(_this(asked)))
        return bool(earlier != outcome)
    if _is_crowded(tx, granted):
        return False
    head_seq = tx.scalar(ChainHead.select(ChainHead.seq).where(_chain(granted)))
    tx.execute(
        EpochAsked.insert(
            merchant=granted.merchant,
            issuer=granted.issuer,
            epoch=granted.epoch,
            key=asked.key,
            reason=asked.request.reason,
            newest_seq=newest.seq,
            newest_link=newest.link,
            head_seq=head_seq,
            octets=asked.octets,
            at=now,
            outcome=outcome.value,
        )
    )
    return True


def _is_crowded(reader: Reader, granted: Granted) -> bool:
    here = (
        (EpochAsked.merchant == granted.merchant)
        & (EpochAsked.issuer == granted.issuer)
        & (EpochAsked.epoch == granted.epoch)
    )
    kept = reader.scalar(EpochAsked.select(peewee.fn.COUNT(EpochAsked.key)).where(here)) or 0
    return int(kept) >= _KEPT_PER_EPOCH


def _tell(tx: Writer, asked: _Asked, what: str, now: datetime) -> None:
    issuer, epoch = _place(asked)
    detail = f"{asked.granted.merchant} {issuer}.{epoch} {asked.request.reason}"
    audit(tx, at=now, who=issuer, what=what, detail=detail)


def _place(asked: _Asked) -> tuple[str, int]:
    return asked.granted.issuer, asked.granted.epoch


def _chain(granted: Granted) -> peewee.Expression:
    return (
        (ChainHead.merchant == granted.merchant)
        & (ChainHead.issuer == granted.issuer)
        & (ChainHead.epoch == granted.epoch)
    )


def _this(asked: _Asked) -> peewee.Expression:
    granted = asked.granted
    return (
        (EpochAsked.merchant == granted.merchant)
        & (EpochAsked.issuer == granted.issuer)
        & (EpochAsked.epoch == granted.epoch)
        & (EpochAsked.key == asked.key)
    )


def _unsigned(why: str) -> InvalidError:
    return InvalidError("epoch-signature", why)


def _key_taken() -> InvalidError:
    return InvalidError("epoch-key", "the key was granted before")
