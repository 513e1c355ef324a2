"""The officers' list of whom to call back: what was disputed, contested, or corrected upwards.

Source: PROTOCOL.md, "Slip".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from merchant_agent.central.matters import NOT_REACHED
from merchant_agent.central.overview import PAGE_ITEMS, Page, shop_names
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import CallBack, Rating, Record, Remark, SlipOpening
from merchant_agent.evidence.fields import Place
from merchant_agent.store.store import Reader

# How many of each reason are listed at once.
_MOST = 1000

_Key = tuple[str, str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Where one of the reasons is found: a query for place and time, and the columns of both."""

    reason: str
    place: tuple[peewee.Field[Any], ...]
    at: Any
    query: peewee.ModelSelect[Any]


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
        reasons = _gather(reader, _find_keys(reader, is_open=is_open))
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


def _find_keys(reader: Reader, *, is_open: bool) -> set[_Key]:
    """The places of matters that wait, of each reason those that waited longest; or where a call was heard, the newest."""
    keys: set[_Key] = set()
    for source in _sources():
        was_heard = peewee.fn.EXISTS(_heard(source))
        if is_open:
            # Who opens a slip has said nothing yet, and a correction downwards counts until a call.
            where = (
                ~was_heard if source.reason == "contested" else ~peewee.fn.EXISTS(_heard(source, since=True))
            )
            where = where & was_heard if source.reason == "downward" else where
        else:
            where = was_heard
        order = source.at.asc() if is_open else source.at.desc()
        rows = reader.all(source.query.where(where).order_by(order).limit(_MOST).tuples())
        keys.update((merchant, issuer, epoch, seq) for merchant, issuer, epoch, seq, _ in rows)
    return keys


def _gather(reader: Reader, keys: Collection[_Key]) -> dict[_Key, dict[str, datetime]]:
    """What was said of these places: each reason with the last time that it arose."""
    found: dict[_Key, dict[str, datetime]] = {}
    merchants, seqs = {key[0] for key in keys}, {key[3] for key in keys}
    for source in _sources() if keys else ():
        near = source.place[0].in_(list(merchants)) & source.place[3].in_(list(seqs))
        for merchant, issuer, epoch, seq, at in reader.all(source.query.where(near).tuples()):
            key = (merchant, issuer, epoch, seq)
            if key in keys:
                reasons = found.setdefault(key, {})
                reasons[source.reason] = max(at, reasons.get(source.reason, at))
    return found


def _sources() -> tuple[_Source, ...]:
    told = (Remark.merchant, Remark.told_issuer, Remark.told_epoch, Remark.told_seq)
    said = Remark.select(*told, Remark.received_at)
    of_rating = (
        (Remark.merchant == Rating.merchant)
        & (Remark.told_issuer == Rating.issuer)
        & (Remark.told_epoch == Rating.epoch)
        & (Remark.told_seq == Rating.seq)
    )
    by_phone = (Remark.kind == "supersede") & (Remark.code == "phone")
    corrected = said.join(Rating, on=of_rating).where(by_phone)
    opened = (SlipOpening.merchant, SlipOpening.issuer, SlipOpening.epoch, SlipOpening.seq)
    newest = peewee.fn.MAX(SlipOpening.opened_at)
    # Nobody can be called about what never came.
    came = Record.select(Record.seq).where(
        (Record.merchant == SlipOpening.merchant)
        & (Record.issuer == SlipOpening.issuer)
        & (Record.epoch == SlipOpening.epoch)
        & (Record.seq == SlipOpening.seq)
    )
    several = (
        SlipOpening.select(*opened, newest)
        .where(peewee.fn.EXISTS(came))
        .group_by(*opened, SlipOpening.digest, SlipOpening.claim)
        .having(peewee.fn.COUNT(SlipOpening.device) > 1)
    )
    at = Remark.received_at
    return (
        _Source(reason="disputed", place=told, at=at, query=said.where(Remark.kind == "dispute")),
        _Source(reason="upward", place=told, at=at, query=corrected.where(Remark.level > Rating.level)),
        _Source(reason="downward", place=told, at=at, query=corrected.where(Remark.level <= Rating.level)),
        _Source(reason="contested", place=opened, at=newest, query=several),
    )


def _heard(source: _Source, *, since: bool = False) -> peewee.ModelSelect[CallBack]:
    """The calls about a source's place in which the customer was reached; only those since what was said."""
    merchant, issuer, epoch, seq = source.place
    here = (
        (CallBack.merchant == merchant)
        & (CallBack.issuer == issuer)
        & (CallBack.epoch == epoch)
        & (CallBack.seq == seq)
    )
    query = CallBack.select(CallBack.at).where(here & (CallBack.outcome != NOT_REACHED))
    return query.where(CallBack.at >= source.at) if since else query


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
