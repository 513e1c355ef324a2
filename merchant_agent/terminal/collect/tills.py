"""When a sale truly was: what is known of each till's clock, and what the next sale teaches.

The rules are `domain.till_clock`'s; here is what they need to remember between sales.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from merchant_agent.domain.sales import Sale, business_day
from merchant_agent.domain.till_clock import Sighting, TillClock, judge
from merchant_agent.settings import TerminalSettings
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.store.models import Till

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A sale at its arrival: out of a backlog or not, its business day, and its till's clock from now on.

    `claimed_day` is the business day by the till's own clock, right or wrong; `clock` is None
    where the till told no time.
    """

    late: bool
    day: date
    claimed_day: date
    received_at: datetime
    clock: TillClock | None


def judge_arrival(reader: Reader, sale: Sale, received_at: datetime, settings: TerminalSettings) -> Arrival:
    """What to think of a sale that arrives now; `received_at` is local. Nothing is learned yet.

    A till that tells no time is believed to report at once.
    """
    starts = settings.business_day_starts
    if sale.at is None:
        day = business_day(received_at, starts)
        return Arrival(late=False, day=day, claimed_day=day, received_at=received_at, clock=None)
    row: Till | None = reader.first(Till.select().where(Till.name == sale.till))
    judgement = judge(
        _clock_of(row),
        Sighting(claimed_at=sale.at, received_at=received_at),
        _sighting_of(row),
        timedelta(seconds=settings.backlog_after_s),
    )
    return Arrival(
        late=judgement.late,
        day=business_day(judgement.sold_at.astimezone(received_at.tzinfo), starts),
        claimed_day=business_day(sale.at.astimezone(received_at.tzinfo), starts),
        received_at=received_at,
        clock=judgement.clock,
    )


def learn(writer: Writer, sale: Sale, arrival: Arrival) -> None:
    """Keeps what the sale taught of its till's clock; of a till that tells no time, that there is such a till."""
    if sale.at is None or arrival.clock is None:
        if sale.till:
            unknown = Till.insert(name=sale.till, offset_ms=0, samples=0, received_at=arrival.received_at)
            writer.execute(unknown.on_conflict_ignore())
        return
    row = Till.insert(
        name=sale.till,
        offset_ms=arrival.clock.offset // _MILLISECOND,
        samples=arrival.clock.samples,
        claimed_at=sale.at,
        received_at=arrival.received_at,
    )
    writer.execute(
        row.on_conflict(
            conflict_target=(Till.name,),
            preserve=(Till.offset_ms, Till.samples, Till.claimed_at, Till.received_at),
        )
    )


def _sighting_of(row: Till | None) -> Sighting | None:
    """The till's newest sale that told its time."""
    if row is None or row.claimed_at is None:
        return None
    return Sighting(claimed_at=row.claimed_at, received_at=row.received_at)


def _clock_of(row: Till | None) -> TillClock:
    if row is None:
        return TillClock()
    return TillClock(offset=timedelta(milliseconds=row.offset_ms), samples=row.samples)
