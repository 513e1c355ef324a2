"""What officers have to look into about terminals' keys: frozen chains, and requests for another key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import peewee

from merchant_agent.central.intake.epochs import AskedOutcome
from merchant_agent.central.intake.standing import FROZEN, REVOKED
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import (
    ChainHead,
    Conflict,
    EpochAsked,
    MerchantEntry,
    Revocation,
)
from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.keys import fingerprint
from merchant_agent.store.store import Reader

_LISTED = 50
_PLANNED = "planned"
# An epoch that is over, of which not all came that its terminal told of; what is behind a revocation need not.
_LACKS = (
    ChainHead.closed_seq.is_null(is_null=False)
    & (ChainHead.claimed_seq > ChainHead.seq)
    & (ChainHead.state != REVOKED)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAlarm:
    """A terminal's epoch with something to look into; `at` is when it last happened.

    `frozen` is its state; `waiting` and `copies` count requests that wait, or came after another one's;
    `reasons` are those of keys that were granted, without planned ones. `missing` counts records that were
    announced before another key was granted, and have not come.
    """

    merchant: str
    shop_name: str
    issuer: str
    epoch: int
    at: datetime | None
    frozen: bool
    waiting: int
    copies: int
    reasons: tuple[str, ...]
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """A request for another key as officers see it.

    `newest_seq` is the newest record that the terminal said to have, `head_seq` where central stood
    then, each -1 for none. `fingerprint` is of the key that was asked for, 64 hex digits.
    """

    fingerprint: str
    reason: str
    newest_seq: int
    head_seq: int
    at: datetime
    outcome: AskedOutcome
    settled_at: datetime | None
    settled_by: str


def list_alarms(central: Central, merchant: str | None = None) -> list[KeyAlarm]:
    """The 50 newest, of one merchant if given, what is frozen first."""
    with central.store.read() as reader:
        frozen = _frozen(reader, merchant)
        asked = _open_requests(reader, merchant)
        places = sorted({*frozen, *asked})
        names = _names(reader, {place[0] for place in places})
        missing = {place: _missing(reader, place) for place in places}
    alarms = [
        _alarm(place, names, frozen.get(place), asked.get(place, []), missing[place]) for place in places
    ]
    newest = sorted(alarms, key=lambda alarm: -_seconds(alarm.at))
    return sorted(newest, key=lambda alarm: not alarm.frozen)[:_LISTED]


def list_requests(reader: Reader, merchant: str, issuer: str, epoch: int) -> list[KeyRequest]:
    """The requests that the key of an epoch signed, the newest first."""
    here = (EpochAsked.merchant == merchant) & (EpochAsked.issuer == issuer) & (EpochAsked.epoch == epoch)
    rows: list[EpochAsked] = reader.all(EpochAsked.select().where(here).order_by(EpochAsked.at.desc()))
    return [
        KeyRequest(
            fingerprint=fingerprint(bytes(row.key)),
            reason=row.reason,
            newest_seq=row.newest_seq,
            head_seq=row.head_seq,
            at=row.at,
            outcome=AskedOutcome(row.outcome),
            settled_at=row.settled_at,
            settled_by=row.settled_by,
        )
        for row in rows
    ]


def find_key(reader: Reader, merchant: str, issuer: str, epoch: int, wanted: str) -> bytes:
    """The key of that fingerprint among those that were asked for.

    Raises:
        NotFoundError: "request".
    """
    here = (EpochAsked.merchant == merchant) & (EpochAsked.issuer == issuer) & (EpochAsked.epoch == epoch)
    for (key,) in reader.all(EpochAsked.select(EpochAsked.key).where(here).tuples()):
        if fingerprint(bytes(key)) == wanted:
            return bytes(key)
    raise NotFoundError("request", "nobody asked for this key")


def find_revocation(reader: Reader, merchant: str, issuer: str, epoch: int) -> Revocation | None:
    """How the key of an epoch was revoked; None where it was not."""
    here = (Revocation.merchant == merchant) & (Revocation.issuer == issuer) & (Revocation.epoch == epoch)
    row: Revocation | None = reader.first(Revocation.select().where(here))
    return row


def _frozen(reader: Reader, merchant: str | None) -> dict[tuple[str, str, int], datetime | None]:
    """When each frozen epoch came to contradict itself."""
    place = (ChainHead.merchant, ChainHead.issuer, ChainHead.epoch)
    query = ChainHead.select(*place).where(ChainHead.state == FROZEN)
    if merchant is not None:
        query = query.where(ChainHead.merchant == merchant)
    frozen: dict[tuple[str, str, int], datetime | None] = dict.fromkeys(
        tuple(row) for row in reader.all(query.tuples())
    )
    for whose, issuer, epoch in frozen:
        here = (Conflict.merchant == whose) & (Conflict.issuer == issuer) & (Conflict.epoch == epoch)
        first = Conflict.select(Conflict.received_at).where(here).order_by(Conflict.received_at).limit(1)
        frozen[whose, issuer, epoch] = reader.scalar(first)
    return frozen


def _open_requests(reader: Reader, merchant: str | None) -> dict[tuple[str, str, int], list[EpochAsked]]:
    planned = (EpochAsked.outcome == AskedOutcome.GRANTED.value) & (EpochAsked.reason == _PLANNED)
    # Whoever wants announced records gone would call it planned.
    chain = (
        (ChainHead.merchant == EpochAsked.merchant)
        & (ChainHead.issuer == EpochAsked.issuer)
        & (ChainHead.epoch == EpochAsked.epoch)
    )
    lacking = ChainHead.select(ChainHead.seq).where(chain & _LACKS)
    routine = planned & ~peewee.fn.EXISTS(lacking)
    waits: peewee.Expression = EpochAsked.settled_at.is_null() & ~routine
    query = EpochAsked.select().where(waits).order_by(EpochAsked.at.desc()).limit(10 * _LISTED)
    if merchant is not None:
        query = query.where(EpochAsked.merchant == merchant)
    asked: dict[tuple[str, str, int], list[EpochAsked]] = {}
    for row in reader.all(query):
        asked.setdefault((row.merchant, row.issuer, row.epoch), []).append(row)
    return asked


def _missing(reader: Reader, place: tuple[str, str, int]) -> int:
    merchant, issuer, epoch = place
    here = (ChainHead.merchant == merchant) & (ChainHead.issuer == issuer) & (ChainHead.epoch == epoch)
    query = ChainHead.select(ChainHead.claimed_seq - ChainHead.seq)
    return int(reader.scalar(query.where(here & _LACKS)) or 0)


def _names(reader: Reader, merchants: set[str]) -> dict[str, str]:
    columns = (MerchantEntry.id, MerchantEntry.shop_name)
    query = MerchantEntry.select(*columns).where(MerchantEntry.id.in_(list(merchants)))
    return dict(reader.all(query.tuples()))


def _alarm(
    place: tuple[str, str, int],
    names: dict[str, str],
    frozen_at: datetime | None,
    asked: list[EpochAsked],
    missing: int,
) -> KeyAlarm:
    merchant, issuer, epoch = place
    granted = [row.reason for row in asked if row.outcome == AskedOutcome.GRANTED.value]
    return KeyAlarm(
        merchant=merchant,
        shop_name=names.get(merchant, ""),
        issuer=issuer,
        epoch=epoch,
        at=max([row.at for row in asked], default=frozen_at),
        frozen=frozen_at is not None,
        waiting=sum(row.outcome == AskedOutcome.WAITING.value for row in asked),
        copies=sum(row.outcome == AskedOutcome.REPLACED.value for row in asked),
        reasons=tuple(dict.fromkeys(reason for reason in granted if reason != _PLANNED)),
        missing=missing,
    )


def _seconds(moment: datetime | None) -> float:
    return 0.0 if moment is None else moment.timestamp()
