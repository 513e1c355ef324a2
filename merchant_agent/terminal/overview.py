"""What the counter and the manager see of what came in: never what the present customer answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from merchant_agent.domain.sales import parse_day_start
from merchant_agent.domain.statistics import Distribution, distribution_of_counts
from merchant_agent.domain.suspicion import BURST_MS, Mark, Tapped, marks_of
from merchant_agent.store.fields import to_ms
from merchant_agent.store.store import Reader
from merchant_agent.terminal.collect.lookup import PromptState, state_of
from merchant_agent.terminal.store import models


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleSeen:
    """A sale and how its question stands; `at` is when the question was made."""

    prompt_id: str
    order: str
    till: str
    at: datetime
    state: PromptState


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A complaint as the shop reads it; None where the customer gave nothing, or it was erased."""

    at: datetime
    categories: Sequence[str]
    remedies: Sequence[str]
    comment: str | None
    order: str | None
    occurred_at: str | None
    amount: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A suggestion as the shop reads it; `comment` is None once erased."""

    at: datetime
    comment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRatings:
    """A business day's ratings; `fast` and `burst` are how many are left out, by `domain.suspicion.Mark`."""

    counted: Distribution
    fast: int
    burst: int


def latest_sales(reader: Reader, *, most: int) -> tuple[SaleSeen, ...]:
    """The newest sales, newest first."""
    prompt, sale = models.Prompt, models.Sale
    query = (
        prompt.select(prompt, sale.order_no)
        .join(sale, on=(sale.prompt_id == prompt.prompt_id), attr="sale_row")
        .order_by(prompt.epoch.desc(), prompt.seq.desc())
        .limit(most)
    )
    return tuple(
        SaleSeen(
            prompt_id=row.prompt_id,
            order=row.sale_row.order_no,
            till=row.till,
            at=row.at,
            state=state_of(reader, row),
        )
        for row in reader.all(query)
    )


def latest_complaints(reader: Reader, *, most: int) -> tuple[Complaint, ...]:
    """The newest complaints, newest first, without those that the authority is to read first."""
    row = models.Complaint
    query = row.select().where(row.first == "shop").order_by(row.epoch.desc(), row.seq.desc()).limit(most)
    return tuple(
        Complaint(
            at=found.at,
            categories=found.categories,
            remedies=found.remedies,
            comment=found.comment,
            order=found.order_no,
            occurred_at=found.occurred_at,
            amount=found.amount,
        )
        for found in reader.all(query)
    )


def latest_suggestions(reader: Reader, *, most: int) -> tuple[Suggestion, ...]:
    """The newest suggestions, newest first."""
    row = models.Suggestion
    query = row.select().order_by(row.epoch.desc(), row.seq.desc()).limit(most)
    return tuple(Suggestion(at=found.at, comment=found.comment) for found in reader.all(query))


def known_tills(reader: Reader) -> tuple[str, ...]:
    """The tills that sales, tokens and tablets name, in order; without the empty one."""
    names: set[str] = set()
    for model in (models.Till.name, models.PosToken.till, models.Device.till):
        names |= {name for (name,) in reader.all(model.model.select(model).distinct().tuples())}
    return tuple(sorted(names - {""}))


def ratings_of_day(reader: Reader, day: date, *, starts: str, now: datetime) -> DayRatings:
    """The levels of one business day; its times of day are of `now`'s zone."""
    begins = datetime.combine(day, parse_day_start(starts), tzinfo=now.tzinfo)
    ends = datetime.combine(day + timedelta(days=1), parse_day_start(starts), tzinfo=now.tzinfo)
    marks = _marks_between(reader, begins, ends)
    row = models.Rating
    query = row.select(row.rating_id, row.level).where((row.at >= begins) & (row.at < ends))
    levels = dict(reader.all(query.tuples()))
    counted = Counter(level for rating, level in levels.items() if rating not in marks)
    left_out = Counter(marks[rating] for rating in levels if rating in marks)
    return DayRatings(
        counted=distribution_of_counts(counted), fast=left_out[Mark.FAST], burst=left_out[Mark.BURST]
    )


def _marks_between(reader: Reader, begins: datetime, ends: datetime) -> Mapping[Hashable, Mark]:
    """By rating; those of the minute before are looked at too."""
    row, prompt = models.Rating, models.Prompt
    asked = (prompt.epoch == row.prompt_epoch) & (prompt.seq == row.prompt_seq)
    near = (row.at >= begins - timedelta(milliseconds=BURST_MS)) & (row.at < ends)
    columns = (row.rating_id, row.at, row.dwell_ms, row.ended, prompt.till)
    query = row.select(*columns).join(prompt, on=asked).where(near)
    return marks_of(
        Tapped(key=rating, till=till, at_ms=to_ms(at), dwell_ms=dwell_ms, ended=ended)
        for rating, at, dwell_ms, ended, till in reader.all(query.tuples())
    )
