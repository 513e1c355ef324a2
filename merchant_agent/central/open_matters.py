"""The officers' list of whom to call back: what was disputed, contested, or corrected upwards.

Source: PROTOCOL.md, "Slip".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import peewee

from merchant_agent.central.matters import NOT_REACHED
from merchant_agent.central.overview import PAGE_ITEMS, Page, shop_names
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import CallBack, Rating, Record, Remark, SlipOpening
from merchant_agent.evidence.fields import Place
from merchant_agent.store.store import Reader

# How far back the list looks in each of its sources.
_MOST = 1000

_Key = tuple[str, str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A visit in the list, by the place that was spoken of.

    `reasons` are `disputed`, `contested`, `upward` or, after a call alone, `downward`: before it such a
    correction counts by itself.

    `calls` counts the calls in which nobody was reached since. `settled_at` is when the station last heard
    from the customer, None while the matter is open.
    """

    merchant: str
    shop_name: str
    place: Place
    query_code: str
    reasons: tuple[str, ...]
    since: datetime
    calls: int
    settled_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether the customer is still to be called."""
        return self.settled_at is None


def list_matters(central: Central, *, is_open: bool, page: int = 1) -> Page[Waiting]:
    """Matters that wait for a call, those that waited longest first; or the settled ones, the newest first."""
    with central.store.read() as reader:
        reasons = _gather(reader)
        heard = _calls(reader, reasons)
        codes = _query_codes(reader, reasons)
        names = shop_names(reader, {key[0] for key in reasons})
    listed = [
        _waiting(key, found, heard.get(key, []), codes, names)
        for key, found in reasons.items()
        if key in codes
    ]
    shown = [one for one in listed if one.reasons and one.is_open == is_open]
    shown.sort(key=lambda one: one.settled_at or one.since, reverse=not is_open)
    start = (max(1, page) - 1) * PAGE_ITEMS
    items = tuple(shown[start : start + PAGE_ITEMS])
    return Page(items=items, number=max(1, page), more=len(shown) > start + PAGE_ITEMS)


def _waiting(
    key: _Key,
    found: dict[str, datetime],
    calls: Sequence[CallBack],
    codes: dict[_Key, str],
    names: dict[str, str],
) -> Waiting:
    heard = [call.at for call in calls if call.outcome != NOT_REACHED]
    # Who opens a slip has said nothing yet.
    said = [at for reason, at in found.items() if reason != "contested"]
    is_settled = bool(heard) and max(heard) >= max(said, default=max(heard))
    return Waiting(
        merchant=key[0],
        shop_name=names.get(key[0], ""),
        place=Place(issuer=key[1], epoch=key[2], seq=key[3]),
        query_code=codes[key],
        reasons=tuple(sorted(reason for reason in found if heard or reason != "downward")),
        since=min(found.values()),
        calls=sum(call.outcome == NOT_REACHED for call in calls),
        settled_at=max(heard) if is_settled else None,
    )


def _gather(reader: Reader) -> dict[_Key, dict[str, datetime]]:
    """What was said, by the place that it was said of: each reason with the last time that it arose."""
    found: dict[_Key, dict[str, datetime]] = {}
    for reason, key, at in (*_disputed(reader), *_corrected(reader), *_contested(reader)):
        reasons = found.setdefault(key, {})
        reasons[reason] = max(at, reasons.get(reason, at))
    return found


def _disputed(reader: Reader) -> Iterable[tuple[str, _Key, datetime]]:
    query = Remark.select().where(Remark.kind == "dispute")
    for row in reader.all(query.order_by(Remark.received_at.desc()).limit(_MOST)):
        yield "disputed", _told_key(row), row.received_at


def _corrected(reader: Reader) -> Iterable[tuple[str, _Key, datetime]]:
    of_rating = (
        (Remark.merchant == Rating.merchant)
        & (Remark.told_issuer == Rating.issuer)
        & (Remark.told_epoch == Rating.epoch)
        & (Remark.told_seq == Rating.seq)
    )
    by_phone = (Remark.kind == "supersede") & (Remark.code == "phone")
    key = (Remark.merchant, Remark.told_issuer, Remark.told_epoch, Remark.told_seq)
    query = Remark.select(*key, Remark.received_at, Remark.level, Rating.level)
    query = query.join(Rating, on=of_rating).where(by_phone)
    rows = reader.all(query.order_by(Remark.received_at.desc()).limit(_MOST).tuples())
    for merchant, issuer, epoch, seq, at, meant, pressed in rows:
        yield "upward" if meant > pressed else "downward", (merchant, issuer, epoch, seq), at


def _contested(reader: Reader) -> Iterable[tuple[str, _Key, datetime]]:
    """Slips with whose claim more than one device came."""
    place = (SlipOpening.merchant, SlipOpening.issuer, SlipOpening.epoch, SlipOpening.seq)
    newest = peewee.fn.MAX(SlipOpening.opened_at)
    query = (
        SlipOpening.select(*place, newest)
        .group_by(*place, SlipOpening.digest, SlipOpening.claim)
        .having(peewee.fn.COUNT(SlipOpening.device) > 1)
        .order_by(newest.desc())
        .limit(_MOST)
    )
    for merchant, issuer, epoch, seq, at in reader.all(query.tuples()):
        yield "contested", (merchant, issuer, epoch, seq), at


def _told_key(row: Remark) -> _Key:
    return (row.merchant, str(row.told_issuer), int(row.told_epoch or 0), int(row.told_seq or 0))


def _calls(reader: Reader, keys: Iterable[_Key]) -> dict[_Key, list[CallBack]]:
    wanted = set(keys)
    near = CallBack.merchant.in_(list({key[0] for key in wanted})) & CallBack.seq.in_(
        list({key[3] for key in wanted})
    )
    found: dict[_Key, list[CallBack]] = {}
    for row in reader.all(CallBack.select().where(near)) if wanted else ():
        found.setdefault((row.merchant, row.issuer, row.epoch, row.seq), []).append(row)
    return found


def _query_codes(reader: Reader, keys: Iterable[_Key]) -> dict[_Key, str]:
    """By place; without those whose record has not come."""
    wanted = set(keys)
    columns = (Record.merchant, Record.issuer, Record.epoch, Record.seq, Record.query_code)
    near = Record.merchant.in_(list({key[0] for key in wanted})) & Record.seq.in_(
        list({key[3] for key in wanted})
    )
    rows = reader.all(Record.select(*columns).where(near).tuples()) if wanted else []
    return {(m, i, e, s): code for m, i, e, s, code in rows if (m, i, e, s) in wanted}
