"""Daily releases: each morning the figures up to the last midnight become public, and stay.

Levels reach the public, and with it the shop, only so: in between nobody can read off which
customer gave which level.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import peewee

from merchant_agent.central.services import Central
from merchant_agent.central.store.models import (
    InvitedAnswer,
    Lapse,
    MerchantEntry,
    Prompt,
    Rating,
    Release,
    Remark,
)
from merchant_agent.central.suspicions import in_bursts, is_fast
from merchant_agent.domain.statistics import answer_band, distribution_of_counts
from merchant_agent.domain.suspicion import Mark
from merchant_agent.store.store import Reader

_MANUAL = "manual"
_PROMPT = (Rating.merchant, Rating.prompt_issuer, Rating.prompt_epoch, Rating.prompt_seq)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The newest release whose time has come: its local date, and up to when records count."""

    day: date
    until: datetime


def make_releases(central: Central) -> int:
    """Makes the release that is due for every merchant that lacks it; how many were made.

    After a time in which central was down the last one that is due is made; what arrived on the
    days in between counts in it. Several processes may do this at once.
    """
    settings = central.settings
    due = due_release(central.clock.now(), time.fromisoformat(settings.release_at), ZoneInfo(settings.zone))
    with central.store.read() as reader:
        merchants = _lacking(reader, due)
        rows = _figures(reader, due, merchants) if merchants else []
    if not rows:
        return 0
    with central.store.write() as tx:
        return tx.execute(Release.insert_many(rows).on_conflict_ignore())


def due_release(now: datetime, release_at: time, zone: ZoneInfo) -> Due:
    """Which release is due at this moment; days begin at the zone's midnight.

    A time of day that a clock change skips or repeats is taken as it first would have come.
    """
    today = now.astimezone(zone).date()
    # In UTC: two times of one zone are compared by what the clock on the wall shows.
    is_out = now.astimezone(UTC) >= datetime.combine(today, release_at, tzinfo=zone).astimezone(UTC)
    day = today if is_out else today - timedelta(days=1)
    return Due(day=day, until=datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC))


def _lacking(reader: Reader, due: Due) -> list[str]:
    made = Release.select(Release.merchant).where(Release.day == due.day.isoformat())
    query = MerchantEntry.select(MerchantEntry.id).where(MerchantEntry.id.not_in(made))
    return [merchant for (merchant,) in reader.all(query.tuples())]


def _figures(reader: Reader, due: Due, merchants: list[str]) -> list[dict[str, object]]:
    """A row for each merchant."""
    levels = _counted_levels(reader, due, merchants)
    prompts = _prompts(reader, due, merchants)
    left_out = _left_out(reader, due, merchants)
    rows: list[dict[str, object]] = []
    for merchant in merchants:
        figures = distribution_of_counts(levels.get(merchant, {}))
        row: dict[str, object] = {
            "merchant": merchant,
            "day": due.day.isoformat(),
            "until": due.until,
            "answer_band": answer_band(figures.n, prompts.get(merchant, 0)).value,
            **{mark.value: left_out[mark].get(merchant, 0) for mark in Mark},
        }
        rows.append(row | {f"level_{level}": figures.count(level) for level in range(1, 6)})
    return rows


def _counted_levels(reader: Reader, due: Due, merchants: list[str]) -> dict[str, dict[int, int]]:
    """How many prompts were answered with each level, by merchant.

    Of several answers to one prompt, and of a customer's corrections, the lowest counts. Ratings
    without a sale, on a prompt that staff made by hand, that the tablet had no business taking, or that
    no customer can have given are no part of the score.
    """
    given = _levels(due, merchants) | _corrected_levels(due, merchants)
    each = given.alias("given")
    place = (each.c.prompt_issuer, each.c.prompt_epoch, each.c.prompt_seq)
    lowest = (
        peewee.Select([each], [each.c.merchant, peewee.fn.MIN(each.c.level).alias("level")])
        .group_by(each.c.merchant, *place)
        .alias("lowest")
    )
    query = (
        peewee.Select([lowest], [lowest.c.merchant, lowest.c.level, peewee.fn.COUNT(lowest.c.level)])
        .group_by(lowest.c.merchant, lowest.c.level)
        .tuples()
    )
    counts: dict[str, dict[int, int]] = defaultdict(dict)
    for merchant, level, count in reader.all(query):
        counts[merchant][level] = count
    return counts


def _levels(due: Due, merchants: list[str]) -> peewee.ModelSelect[Rating]:
    """Merchant, prompt and level of each rating that counts.

    One by invitation counts once a prompt with the invitation's order tag stands at its place.
    One that the station corrected after calling back is left to its correction, and one that the customer
    then said not to have given does not count.
    """
    select, burst = _with_bursts(Rating.select(*_PROMPT, Rating.level), due, merchants)
    return _given(select, due, merchants).where(~is_fast() & burst.c.seq.is_null())


def _left_out(reader: Reader, due: Due, merchants: list[str]) -> dict[Mark, dict[str, int]]:
    """How many ratings that would count are left out, by mark and merchant."""
    counts: dict[Mark, dict[str, int]] = {}
    for mark in Mark:
        columns = (Rating.merchant, peewee.fn.COUNT(Rating.seq))
        select, burst = _with_bursts(Rating.select(*columns), due, merchants)
        is_marked = is_fast() if mark is Mark.FAST else ~is_fast() & burst.c.seq.is_null(False)  # noqa: FBT003 -- SQL
        query = _given(select, due, merchants).where(is_marked).group_by(Rating.merchant)
        counts[mark] = dict(reader.all(query.tuples()))
    return counts


def _with_bursts(
    select: peewee.ModelSelect[Rating], due: Due, merchants: list[str]
) -> tuple[peewee.ModelSelect[Rating], peewee.Select]:
    """With the place of each rating that is part of a burst, and null for the others."""
    burst = in_bursts(merchants, due.until)
    same = (
        (burst.c.merchant == Rating.merchant)
        & (burst.c.issuer == Rating.issuer)
        & (burst.c.epoch == Rating.epoch)
        & (burst.c.seq == Rating.seq)
    )
    return _with_prompt(select).switch(Rating).join(burst, peewee.JOIN.LEFT_OUTER, on=same), burst


def _given(select: peewee.ModelSelect[Rating], due: Due, merchants: list[str]) -> peewee.ModelSelect[Rating]:
    """Those of the ratings that a customer was asked for or invited to, and that nobody took back."""
    return (
        select.where((Rating.received_at < due.until) & Rating.merchant.in_(merchants) & _counts(due))
        .where(_was_invited() | _was_asked())
        .where(~_was_called_back(due, confirmed=False))
    )


def _was_invited() -> peewee.Function:
    """A phone may come at any time, with an invitation for the prompt at that place."""
    return peewee.fn.EXISTS(
        InvitedAnswer.select(InvitedAnswer.kind).where(
            (InvitedAnswer.merchant == Rating.merchant)
            & (InvitedAnswer.kind == "rating")
            & (InvitedAnswer.own_issuer == Rating.issuer)
            & (InvitedAnswer.own_epoch == Rating.epoch)
            & (InvitedAnswer.own_seq == Rating.seq)
            & (InvitedAnswer.tag == Prompt.tag)
        )
    )


def _was_asked() -> peewee.Expression:
    """The tablet was to ask, and had not signed before that nobody answered."""
    lapsed_before = Lapse.select(Lapse.seq).where(
        (Lapse.merchant == Rating.merchant)
        & (Lapse.issuer == Rating.issuer)
        & (Lapse.epoch == Rating.epoch)
        & (Lapse.seq < Rating.seq)
        & (Lapse.prompt_issuer == Rating.prompt_issuer)
        & (Lapse.prompt_epoch == Rating.prompt_epoch)
        & (Lapse.prompt_seq == Rating.prompt_seq)
    )
    asked: peewee.Expression = (Rating.channel == "tablet") & (Prompt.asks == peewee.Value(True))  # noqa: FBT003 -- SQL
    in_time: peewee.Expression = asked & ~peewee.fn.EXISTS(lapsed_before)
    return in_time


def _corrected_levels(due: Due, merchants: list[str]) -> peewee.ModelSelect[Rating]:
    """The same of each correction; one that a phone made upwards is never the lowest.

    What the station heard when it called back counts instead of what a phone corrected.
    """
    select = Rating.select(*_PROMPT, Remark.level).join(Remark, on=_tells_of_rating()).switch(Rating)
    received = (Remark.received_at < due.until) & Remark.merchant.in_(merchants)
    joined, burst = _with_bursts(select, due, merchants)
    # A phone cannot bring back what no customer can have given.
    by_phone = ~_was_called_back(due, confirmed=True) & ~is_fast() & burst.c.seq.is_null()
    return joined.where(received & ((Remark.code == "call_back") | by_phone) & _counts(due))


def _was_called_back(due: Due, *, confirmed: bool) -> peewee.Function:
    """The station heard from the customer about the rating: another level, or that it was not theirs.

    With `confirmed` also that it stands.
    """
    said = Remark.alias()
    kinds = ["supersede", "confirm"] if confirmed else ["supersede"]
    heard = (said.kind.in_(kinds) & (said.code == "call_back")) | (
        (said.kind == "finding") & (said.code == "disputed")
    )
    of_rating = (
        (said.merchant == Rating.merchant)
        & (said.told_issuer == Rating.issuer)
        & (said.told_epoch == Rating.epoch)
        & (said.told_seq == Rating.seq)
    )
    return peewee.fn.EXISTS(said.select(said.seq).where(of_rating & heard & (said.received_at < due.until)))


def _with_prompt(select: peewee.ModelSelect[Rating]) -> peewee.ModelSelect[Rating]:
    asked = (
        (Prompt.merchant == Rating.merchant)
        & (Prompt.issuer == Rating.prompt_issuer)
        & (Prompt.epoch == Rating.prompt_epoch)
        & (Prompt.seq == Rating.prompt_seq)
    )
    return select.join(Prompt, on=asked)


def _tells_of_rating() -> peewee.Expression:
    return (
        (Remark.merchant == Rating.merchant)
        & (Remark.kind == "supersede")
        & (Remark.told_issuer == Rating.issuer)
        & (Remark.told_epoch == Rating.epoch)
        & (Remark.told_seq == Rating.seq)
    )


def _prompts(reader: Reader, due: Due, merchants: list[str]) -> dict[str, int]:
    query = (
        Prompt.select(Prompt.merchant, peewee.fn.COUNT(Prompt.seq))
        .where(Prompt.merchant.in_(merchants) & _counts(due))
        .group_by(Prompt.merchant)
    )
    return dict(reader.all(query.tuples()))


def _counts(due: Due) -> peewee.Expression:
    return (Prompt.received_at < due.until) & (Prompt.source != _MANUAL)
