"""How far a till's clock is off, learned from its own sales, and which sales come late.

A sale is reported a moment after it was rung up, so its delay (time of arrival less the
till's own time) is the clock's offset plus a little. A delay far above the learned offset
means one of two things: an old sale out of a backlog, or a clock that was set back. A
backlog empties fast; a clock goes on: two late sales that arrived well apart and have the
same delay are a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# A till that tells true time reports within seconds; noise moves the offset up this slowly.
_FOLLOW = 16
_AGREE = timedelta(seconds=30)
_APART = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class TillClock:
    """What is known of one till: the usual delay of its sales and how many taught it."""

    offset: timedelta = timedelta(0)
    samples: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One sale as the till dated it (`claimed_at`) and as it arrived, both aware."""

    claimed_at: datetime
    received_at: datetime

    @property
    def delay(self) -> timedelta:
        """Time of arrival less the till's own time."""
        return self.received_at - self.claimed_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A sale's lateness, when it truly was (in the terminal's time), and what is known now."""

    late: bool
    sold_at: datetime
    clock: TillClock


def judge(clock: TillClock, sale: Sighting, before: Sighting | None, backlog_after: timedelta) -> Judgement:
    """Whether a sale comes out of a backlog, with the clock as learned from it.

    `before` is the till's sale that arrived just before, None where it is unknown.
    """
    late = sale.delay > clock.offset + backlog_after
    if late and before is not None and _is_clock(sale, before):
        late, learned = False, sale.delay
    elif late:
        learned = clock.offset
    elif sale.delay < clock.offset:
        learned = sale.delay
    else:
        learned = clock.offset + (sale.delay - clock.offset) / _FOLLOW
    samples = clock.samples if late else clock.samples + 1
    return Judgement(
        late=late,
        sold_at=min(sale.claimed_at + learned, sale.received_at),
        clock=TillClock(offset=learned, samples=samples),
    )


def _is_clock(sale: Sighting, before: Sighting) -> bool:
    apart = sale.received_at - before.received_at
    return apart >= _APART and abs(sale.delay - before.delay) <= _AGREE
