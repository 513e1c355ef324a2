"""The real APScheduler under a clock that is set: it neither stalls, nor floods, nor stops for one duty."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

import apscheduler.schedulers.base
import pytest

from merchant_agent.clock import Clock, Reading, SystemClock
from merchant_agent.terminal.duties import Duty, Every, Timer
from merchant_agent.terminal.ticker import Ticker
from tests.clocks import ManualClock

HOUR_S = 3600.0


class SteppedClock(SystemClock):
    """The machine's clocks, of which a test sets the wall clock."""

    step = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.step

    def read(self) -> Reading:
        reading = super().read()
        return Reading(at=self.now(), boot=reading.boot, uptime_ms=reading.uptime_ms)


@pytest.fixture
def stepped(monkeypatch: pytest.MonkeyPatch) -> SteppedClock:
    """A clock that APScheduler reads too: it asks `datetime` alone."""
    clock = SteppedClock(UTC)

    class Stepped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            moment = datetime.now(tz) + clock.step
            return cls.fromtimestamp(moment.timestamp(), tz)

    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Stepped)
    return clock


class _Always:
    """Due at every tick."""

    def take(self) -> bool:
        return True


class Count:
    """A duty that counts, and lets a test wait for its next runs."""

    def __init__(self) -> None:
        self.runs = 0
        self._ran = threading.Condition()

    def __call__(self) -> None:
        with self._ran:
            self.runs += 1
            self._ran.notify_all()

    def wait_for_more(self, more: int, timeout_s: float) -> bool:
        with self._ran:
            wanted = self.runs + more
            return self._ran.wait_for(lambda: self.runs >= wanted, timeout_s)


def _duty(run: Callable[[], object], timer: Timer | None = None, *, slow: bool = False) -> Duty:
    return Duty(name="counted", timer=timer or _Always(), run=run, slow=slow)


@pytest.fixture
def started() -> Iterator[Callable[[Clock, Duty], Ticker]]:
    tickers: list[Ticker] = []

    def start(clock: Clock, *duties: Duty) -> Ticker:
        ticker = Ticker(duties, clock)
        ticker.start()
        tickers.append(ticker)
        return ticker

    yield start
    for ticker in tickers:
        ticker.stop()


@pytest.mark.parametrize(
    "step",
    [timedelta(hours=-1), timedelta(hours=1), timedelta(days=-56 * 365), timedelta(days=73 * 365)],
    ids=["back an hour", "on an hour", "to 1970", "to 2099"],
)
def test_a_clock_that_is_set_neither_stalls_nor_floods_the_ticks(
    stepped: SteppedClock, started: Callable[..., Ticker], step: timedelta
) -> None:
    count = Count()
    started(stepped, _duty(count))
    assert count.wait_for_more(2, 5)
    before, began = count.runs, time.monotonic()
    stepped.step = step
    assert count.wait_for_more(3, 8)
    assert count.runs - before <= time.monotonic() - began + 3


def test_without_the_watchdog_a_clock_set_back_would_stall(stepped: SteppedClock) -> None:
    count = Count()
    ticker = Ticker([_duty(count)], stepped)
    ticker._scheduler.start()
    ticker._add_tick()
    assert count.wait_for_more(1, 5)
    stepped.step = timedelta(hours=-1)
    # One run may have been under way.
    assert not count.wait_for_more(2, 3)
    assert ticker.look()
    assert count.wait_for_more(2, 5)
    ticker.stop()


def test_the_watchdog_looks_at_both_clocks(clock: ManualClock) -> None:
    ticker = Ticker([], clock)
    ticker.tick()
    assert not ticker.look()
    clock.advance(5)
    assert not ticker.look()
    clock.step_wall(-HOUR_S)
    assert ticker.look()
    assert not ticker.look()


def test_the_watchdog_notices_a_tick_that_does_not_come(clock: ManualClock) -> None:
    ticker = Ticker([], clock)
    clock.advance(9)
    assert not ticker.look()
    clock.advance(2)
    assert ticker.look()
    assert not ticker.look()


def test_a_duty_that_fails_stops_no_other_and_is_told_once(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    broken = [True]
    count = Count()

    def fail() -> None:
        if broken:
            raise RuntimeError("as scripted")

    ticker = Ticker([Duty(name="broken", timer=_Always(), run=fail), _duty(count)], clock)
    for _ in range(3):
        ticker.tick()
    assert count.runs == 3
    broken.clear()
    ticker.tick()
    told = [record.getMessage() for record in caplog.records]
    assert told == ["duty failed: broken", "duty works again: broken"]


def test_a_duty_is_done_when_its_timer_says_so(clock: ManualClock) -> None:
    count = Count()
    ticker = Ticker([_duty(count, Every(clock, 60))], clock)
    for _ in range(121):
        ticker.tick()
        clock.advance(1)
    assert count.runs == 3


def test_a_slow_duty_holds_up_nothing(started: Callable[..., Ticker]) -> None:
    clock, count, release = SystemClock(UTC), Count(), threading.Event()
    begun = threading.Event()

    def take_long() -> None:
        begun.set()
        release.wait(10)

    started(clock, _duty(take_long, Every(clock, float("inf")), slow=True), _duty(count))
    assert begun.wait(5)
    assert count.wait_for_more(2, 5)
    release.set()


def test_stopping_does_not_wait_for_a_slow_duty() -> None:
    clock, release, begun = SystemClock(UTC), threading.Event(), threading.Event()

    def take_long() -> None:
        begun.set()
        release.wait(10)

    ticker = Ticker([_duty(take_long, Every(clock, float("inf")), slow=True)], clock)
    ticker.start()
    assert begun.wait(5)
    began = time.monotonic()
    ticker.stop()
    assert time.monotonic() - began < 2
    release.set()
