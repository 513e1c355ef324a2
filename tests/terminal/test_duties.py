"""No duty is missed or done twice, whatever the wall clock does."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.domain.slots import latest_slot
from merchant_agent.terminal.duties import Every, Nightly, spread_s
from merchant_agent.terminal.watch import ClockWatch
from tests.clocks import START, ManualClock

BERLIN = ZoneInfo("Europe/Berlin")
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = 3600.0
DAY = 24 * HOUR
JUMPS = (-HOUR, HOUR, -20 * DAY, 3 * DAY, -56 * 365 * DAY, 73 * 365 * DAY)
AT_HALF_PAST_THREE = time(3, 30)


def _nightly(clock: ManualClock, *, last_at: datetime | None = START, first_s: float = 0.0) -> Nightly:
    return Nightly(clock, AT_HALF_PAST_THREE, SHANGHAI, last_at=last_at, first_s=first_s)


def _runs(clock: ManualClock, nightly: Nightly, hours: float) -> list[float]:
    """The hours from now at which it is due, looked at each ten minutes."""
    runs = []
    for step in range(int(hours * 6)):
        if nightly.take():
            runs.append(step / 6)
        clock.advance(600)
    return runs


# Every


def test_every_is_due_at_its_phase_once_each(clock: ManualClock) -> None:
    timer = Every(clock, 300, first_s=40)
    due = []
    for second in range(1000):
        if timer.take():
            due.append(second)
        clock.advance(1)
    assert due == [40, 340, 640, 940]


@pytest.mark.parametrize("jump_s", JUMPS)
def test_every_knows_no_wall_clock(clock: ManualClock, jump_s: float) -> None:
    timer = Every(clock, 300, first_s=300)
    clock.advance(299)
    clock.step_wall(jump_s)
    assert not timer.take()
    clock.advance(1)
    assert timer.take()
    assert not timer.take()


def test_what_was_slept_over_is_done_once_and_keeps_its_phase(clock: ManualClock) -> None:
    timer = Every(clock, 300, first_s=100)
    clock.advance(100 + 7 * 300 + 20)
    assert timer.take()
    assert not timer.take()
    clock.advance(279)
    assert not timer.take()
    clock.advance(1)
    assert timer.take()


def test_once_is_once(clock: ManualClock) -> None:
    timer = Every(clock, float("inf"), first_s=5)
    clock.advance(5)
    assert timer.take()
    clock.advance(100 * 365 * DAY)
    assert not timer.take()


# Nightly


def test_a_night_has_one_backup(clock: ManualClock) -> None:
    assert _runs(clock, _nightly(clock), 72) == [15.5, 39.5, 63.5]


def test_a_backup_that_was_missed_is_made_up_for_soon_after_the_start(clock: ManualClock) -> None:
    two_days_ago = START - timedelta(days=2)
    nightly = _nightly(clock, last_at=two_days_ago, first_s=600)
    assert _runs(clock, nightly, 24) == [pytest.approx(1 / 6), 15.5]


def test_a_machine_that_is_off_at_night_is_backed_up_by_day(clock: ManualClock) -> None:
    nightly = _nightly(clock, last_at=START.replace(hour=2), first_s=600)
    assert _runs(clock, nightly, 2) == [pytest.approx(1 / 6)]


def test_a_machine_that_was_never_backed_up_is_soon(clock: ManualClock) -> None:
    assert _runs(clock, _nightly(clock, last_at=None, first_s=600), 24) == [pytest.approx(1 / 6), 15.5]


@pytest.mark.parametrize("jump_s", JUMPS)
@pytest.mark.parametrize("after_h", [1, 15.5, 16, 30])
def test_no_jump_of_the_clock_doubles_or_skips_a_night(
    clock: ManualClock, jump_s: float, after_h: float
) -> None:
    nightly = _nightly(clock)
    runs = _runs(clock, nightly, after_h)
    clock.step_wall(jump_s)
    runs += [after_h + run for run in _runs(clock, nightly, 120)]
    gaps = [later - earlier for earlier, later in pairwise(runs)]
    assert runs[0] <= 28
    assert all(12 <= gap <= 28.2 for gap in gaps)


def test_a_clock_that_jumps_back_and_forth_all_day_makes_one_backup(clock: ManualClock) -> None:
    nightly = _nightly(clock)
    runs = _runs(clock, nightly, 16)
    for _ in range(20):
        clock.step_wall(-HOUR)
        runs += _runs(clock, nightly, 0.5)
        clock.step_wall(HOUR)
        runs += _runs(clock, nightly, 0.5)
    assert len(runs) == 1


@pytest.mark.parametrize("start", ["2026-03-27T12:00+00:00", "2026-10-23T12:00+00:00"])
@pytest.mark.parametrize("at", [time(1, 30), time(2, 0), time(2, 30), time(3, 0), time(3, 30)])
def test_a_night_in_which_clocks_change_has_one_backup(start: str, at: time) -> None:
    clock = ManualClock(datetime.fromisoformat(start))
    nightly = Nightly(clock, at, BERLIN, last_at=clock.now(), first_s=0)
    runs = _runs(clock, nightly, 96)
    assert len(runs) == 4
    assert all(23 <= later - earlier <= 25 for earlier, later in pairwise(runs))


def test_a_failed_backup_is_tried_again_and_then_waits_for_its_night(clock: ManualClock) -> None:
    nightly = _nightly(clock)
    clock.advance(15.5 * HOUR)
    assert nightly.take()
    nightly.again_in(HOUR)
    assert _runs(clock, nightly, 30) == [1.0, 24.0]


# Local times of day


@pytest.mark.parametrize(
    ("now", "at", "slot"),
    [
        ("2026-05-20T12:00+02:00", time(3, 30), "2026-05-20T03:30+02:00"),
        ("2026-05-20T03:00+02:00", time(3, 30), "2026-05-19T03:30+02:00"),
        ("2026-05-20T03:30+02:00", time(3, 30), "2026-05-20T03:30+02:00"),
        # Set forward, 02:00 to 03:00: half past two does not come.
        ("2026-03-29T03:29+02:00", time(2, 30), "2026-03-28T02:30+01:00"),
        ("2026-03-29T03:30+02:00", time(2, 30), "2026-03-29T03:30+02:00"),
        # Set back, 03:00 to 02:00: half past two comes twice.
        ("2026-10-25T02:30+02:00", time(2, 30), "2026-10-25T02:30+02:00"),
        ("2026-10-25T02:29+01:00", time(2, 30), "2026-10-25T02:30+02:00"),
        ("2026-10-25T02:30+01:00", time(2, 30), "2026-10-25T02:30+02:00"),
        ("2026-10-26T02:30+01:00", time(2, 30), "2026-10-26T02:30+01:00"),
    ],
)
def test_the_latest_slot_in_both_folds(now: str, at: time, slot: str) -> None:
    found = latest_slot(datetime.fromisoformat(now), at, BERLIN)
    assert found == datetime.fromisoformat(slot)
    assert found.tzinfo is UTC


@given(
    st.datetimes(min_value=datetime(1970, 1, 3), max_value=datetime(2099, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- hypothesis adds the zone
    st.times(),
    st.sampled_from(["Europe/Berlin", "Asia/Shanghai", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
)
def test_the_latest_slot_is_never_in_the_future_nor_long_past(now: datetime, at: time, zone: str) -> None:
    slot = latest_slot(now, at.replace(second=0, microsecond=0), ZoneInfo(zone))
    assert timedelta(0) <= now - slot < timedelta(hours=26)


# Spread


def test_two_thousand_terminals_are_spread_over_their_slot() -> None:
    delays = [spread_s(f"terminal {number}", 300) for number in range(2000)]
    assert all(0 <= delay < 300 for delay in delays)
    fullest = max(sum(start <= delay < start + 1 for delay in delays) for start in range(300))
    assert fullest < 25
    assert spread_s("terminal 7", 300) == delays[7]


# The watch


@pytest.mark.parametrize("jump_s", JUMPS)
def test_a_clock_that_was_set_is_noticed_once(clock: ManualClock, jump_s: float) -> None:
    watch = ClockWatch(clock)
    clock.advance(1)
    clock.step_wall(jump_s)
    assert watch.step() == timedelta(seconds=jump_s)
    clock.advance(1)
    assert not watch.step()


def test_time_that_only_passes_is_no_step(clock: ManualClock) -> None:
    watch = ClockWatch(clock)
    for _ in range(100):
        clock.advance(86_400)
        clock.step_wall(0.01)
        assert not watch.step()


def test_a_clock_that_creeps_is_noticed_in_the_end(clock: ManualClock) -> None:
    watch = ClockWatch(clock)
    steps = []
    for _ in range(50):
        clock.step_wall(0.1)
        steps.append(watch.step())
    assert sum(steps, timedelta(0)) > timedelta(seconds=4)
