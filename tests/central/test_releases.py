"""Daily releases: what counts, up to when, and that they never change."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.overview import public_figures
from merchant_agent.central.releases import due_release, make_releases
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Release
from merchant_agent.domain.merchants import Merchant
from merchant_agent.domain.statistics import AnswerBand
from tests.central.rows import count, rows
from tests.central.sender import Sender
from tests.clocks import SHANGHAI, ManualClock

BERLIN = ZoneInfo("Europe/Berlin")
SIX = time(6)
TO_NEXT_MORNING_S = 18 * 3600


def counts(central: Central, merchant: str) -> tuple[int, ...]:
    figures = public_figures(central, merchant)
    assert figures is not None
    return figures.distribution.counts


def test_before_the_first_release_there_are_no_figures(
    central: Central, merchant: str, sender: Sender
) -> None:
    sender.sell(1)
    sender.upload_all(central)
    assert public_figures(central, merchant) is None


def test_what_came_yesterday_is_out_this_morning(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    for level in (5, 5, 4, 1):
        sender.rate(sender.ask(), level)
    sender.upload_all(central)
    assert make_releases(central) == 1
    assert counts(central, merchant) == (0, 0, 0, 0, 0)
    clock.advance(TO_NEXT_MORNING_S - 1)
    assert make_releases(central) == 0
    clock.advance(1)
    assert make_releases(central) == 1
    figures = public_figures(central, merchant)
    assert figures is not None
    assert (figures.day, figures.distribution.counts) == ("2026-05-21", (1, 0, 0, 1, 2))
    assert figures.until == datetime(2026, 5, 21, tzinfo=SHANGHAI)
    assert figures.answer_band is AnswerBand.FROM_75


def test_ratings_that_the_tablet_had_no_business_taking_do_not_count(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    lapsed = sender.ask()
    sender.lapse(lapsed, "declined")
    sender.rate(lapsed, 5)
    sender.rate(sender.ask(asks=False), 5)
    sender.rate(sender.ask(), 2)
    sender.upload_all(central)
    clock.advance(TO_NEXT_MORNING_S)
    make_releases(central)
    assert counts(central, merchant) == (0, 1, 0, 0, 0)


def test_what_came_after_midnight_waits_for_tomorrow(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    sender.rate(sender.ask(), 5)
    sender.upload_all(central)
    clock.advance(12 * 3600)
    sender.rate(sender.ask(), 1)
    sender.upload_all(central, first=2)
    clock.advance(6 * 3600)
    make_releases(central)
    assert counts(central, merchant) == (0, 0, 0, 0, 1)
    clock.advance(86_400)
    make_releases(central)
    assert counts(central, merchant) == (1, 0, 0, 0, 1)


def test_the_terminals_own_clock_decides_nothing(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    sender.at += timedelta(days=3000)
    sender.sell(1)
    sender.at -= timedelta(days=6000)
    sender.sell(1)
    sender.upload_all(central)
    clock.advance(TO_NEXT_MORNING_S)
    make_releases(central)
    assert counts(central, merchant) == (0, 0, 0, 0, 2)


def test_of_several_answers_to_one_prompt_the_lowest_counts(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    prompt = sender.ask()
    for level in (4, 2, 5):
        sender.rate(prompt, level)
    sender.rate(sender.ask(), 5)
    sender.upload_all(central)
    clock.advance(TO_NEXT_MORNING_S)
    make_releases(central)
    assert counts(central, merchant) == (0, 1, 0, 0, 1)


def test_ratings_that_staff_asked_for_or_without_a_sale_stay_out_of_the_score(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    sender.rate(sender.ask(source="manual"), 5)
    sender.rate(None, 5)
    sender.rate(sender.ask(), 3)
    sender.upload_all(central)
    clock.advance(TO_NEXT_MORNING_S)
    make_releases(central)
    assert counts(central, merchant) == (0, 0, 1, 0, 0)


def test_the_answer_rate_is_told_as_a_band(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    sender.sell(1)
    for _ in range(3):
        sender.lapse(sender.ask())
    sender.ask(source="manual")
    sender.upload_all(central)
    clock.advance(TO_NEXT_MORNING_S)
    make_releases(central)
    figures = public_figures(central, merchant)
    assert figures is not None
    assert figures.answer_band is AnswerBand.FROM_25


def test_a_release_is_made_once_and_never_changes(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    clock.advance(TO_NEXT_MORNING_S)
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: make_releases(central), range(4)))
    assert sum(made) == 1
    sender.sell(1)
    sender.upload_all(central)
    clock.advance(3600)
    assert make_releases(central) == 0
    assert counts(central, merchant) == (0, 0, 0, 0, 0)


def test_after_days_without_power_the_newest_release_is_made(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    sender.sell(1)
    sender.upload_all(central)
    clock.advance(TO_NEXT_MORNING_S + 5 * 86_400)
    assert make_releases(central) == 1
    assert [row.day for row in rows(central, Release)] == ["2026-05-26"]
    assert counts(central, merchant) == (0, 0, 0, 0, 1)


def test_each_merchant_has_its_own_figures(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    quiet = add_merchant(
        central,
        Merchant(name="另一家", credit_code="91310000MA1K000019", address="x", trade="other"),
        who="li.wei",
    )
    sender.sell(2)
    sender.upload_all(central)
    clock.advance(TO_NEXT_MORNING_S)
    assert make_releases(central) == 2
    assert (counts(central, merchant)[4], counts(central, quiet)[4]) == (2, 0)
    quiet_figures = public_figures(central, quiet)
    assert quiet_figures is not None
    assert quiet_figures.answer_band is AnswerBand.NONE


def test_without_merchants_there_is_nothing_to_release(central: Central) -> None:
    assert make_releases(central) == 0
    assert count(central, Release) == 0


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 5, 20, 5, 59, 59, tzinfo=SHANGHAI), date(2026, 5, 19)),
        (datetime(2026, 5, 20, 6, 0, tzinfo=SHANGHAI), date(2026, 5, 20)),
        (datetime(2026, 5, 19, 22, 0, tzinfo=UTC), date(2026, 5, 20)),
        (datetime(2026, 5, 19, 21, 59, tzinfo=UTC), date(2026, 5, 19)),
    ],
)
def test_days_and_hours_are_those_of_the_county(now: datetime, day: date) -> None:
    due = due_release(now, SIX, SHANGHAI)
    assert due.day == day
    assert due.until == datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def test_a_day_of_25_hours_ends_at_its_own_midnight() -> None:
    due = due_release(datetime(2026, 10, 26, 5, 0, tzinfo=UTC), SIX, BERLIN)
    assert due.day == date(2026, 10, 26)
    assert due.until - due_release(datetime(2026, 10, 25, 5, 0, tzinfo=UTC), SIX, BERLIN).until == timedelta(
        hours=25
    )


def test_a_time_of_day_that_comes_twice_releases_the_first_time() -> None:
    half_past_two = time(2, 30)
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert due_release(first - timedelta(seconds=1), half_past_two, BERLIN).day == date(2026, 10, 24)
    for moment in (first, first + timedelta(minutes=30), first + timedelta(hours=1)):
        assert due_release(moment, half_past_two, BERLIN).day == date(2026, 10, 25)


def test_a_time_of_day_that_is_skipped_releases_after_the_change() -> None:
    half_past_two = time(2, 30)
    change = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert due_release(change - timedelta(seconds=1), half_past_two, BERLIN).day == date(2026, 3, 28)
    assert due_release(change + timedelta(minutes=30), half_past_two, BERLIN).day == date(2026, 3, 29)
