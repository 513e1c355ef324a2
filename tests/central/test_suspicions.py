"""Ratings that no customer can have given: kept, left out of the score, counted with the reason."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from merchant_agent.central.overview import public_figures
from merchant_agent.central.releases import make_releases
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Rating
from merchant_agent.central.suspicions import in_bursts, is_fast, marks_among
from merchant_agent.domain.suspicion import Mark
from tests.central.rows import count, rows
from tests.central.sender import Sender
from tests.clocks import ManualClock

TO_NEXT_MORNING_S = 18 * 3600


def tap(sender: Sender, moments_s: list[float], level: int = 5, dwell_ms: int = 4000) -> None:
    """A sale and its rating at each of these seconds after the last one."""
    for wait_s in moments_s:
        sender.at += timedelta(seconds=wait_s)
        sender.rate(sender.ask(), level, dwell_ms=dwell_ms)


def left_out(central: Central, merchant: str, clock: ManualClock) -> tuple[tuple[int, ...], int, int]:
    clock.advance(TO_NEXT_MORNING_S)
    assert make_releases(central) == 1
    figures = public_figures(central, merchant)
    assert figures is not None
    return figures.distribution.counts, figures.fast, figures.burst


def test_what_nobody_can_have_read_is_left_out_and_counted(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    tap(sender, [30, 30], dwell_ms=400)
    tap(sender, [30, 30], level=2)
    sender.upload_all(central)
    assert left_out(central, merchant, clock) == ((0, 2, 0, 0, 0), 2, 0)
    assert count(central, Rating) == 4


def test_tapping_through_the_sales_of_an_hour_adds_eight_at_most(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    tap(sender, [5] * 30)
    tap(sender, [300], level=1)
    sender.upload_all(central)
    counts, fast, burst = left_out(central, merchant, clock)
    assert (counts, fast, burst) == ((1, 0, 0, 0, 8), 0, 22)


def test_a_busy_hour_loses_nothing(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    tap(sender, [8] * 30)
    sender.upload_all(central)
    assert left_out(central, merchant, clock) == ((0, 0, 0, 0, 30), 0, 0)


def test_tables_and_the_pure_function_mark_the_same(central: Central, merchant: str, sender: Sender) -> None:
    random = Random(7)  # noqa: S311 -- the same each time
    for _ in range(120):
        wait_s = random.choice([0, 0.2, 3, 6, 9, 40])
        tap(sender, [wait_s], dwell_ms=random.choice([0, 999, 1000, 4000]))
        if random.random() < 0.1:
            sender.rate(None, 5)
    sender.upload_all(central)
    until = central.clock.now() + timedelta(days=1)
    with central.store.read() as reader:
        marks = marks_among(reader, rows(central, Rating))
        burst = set(reader.all(in_bursts([merchant], until).tuples()))
        place = (Rating.merchant, Rating.issuer, Rating.epoch, Rating.seq)
        bound = ~Rating.prompt_seq.is_null()
        fast = set(reader.all(Rating.select(*place).where(is_fast() & bound).tuples()))
    assert {key for key, mark in marks.items() if mark is Mark.FAST} == fast
    assert {key for key, mark in marks.items() if mark is Mark.BURST} == burst - fast
    assert fast
    assert burst - fast
