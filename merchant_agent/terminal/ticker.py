"""Running duties: one short tick each second, and a watchdog over its clock.

APScheduler only calls the tick. What is due is decided by monotonic time, so that no wall
clock makes a duty be missed or done twice.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from merchant_agent.clock import Clock
from merchant_agent.terminal.duties import Duty, Every
from merchant_agent.terminal.watch import ClockWatch
from merchant_agent.web.supervisor import ALIVE, alive_every_s, notify

_log = logging.getLogger(__name__)

_TICK = timedelta(seconds=1)
_WATCH_EVERY_S = 1.0
_STALLED_S = 10.0
_STOP_TIMEOUT_S = 1.0
_JOB_ID = "tick"


class _Each(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """The next second from whenever it is asked.

    APScheduler's interval trigger lists every run between two wall times: a jump to 2099
    would fill the memory.
    """

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """A second from now."""
        del previous_fire_time
        return now + _TICK


def _watched(clock: Clock) -> tuple[Duty, ...]:
    """What tells systemd that the tick goes on; none where nobody watches."""
    every_s = alive_every_s()
    if every_s is None:
        return ()
    return (Duty(name="alive", timer=Every(clock, every_s), run=lambda: notify(ALIVE)),)


class Ticker:
    """Runs duties: quick ones in the tick, slow ones one after the other in a thread of their own."""

    def __init__(self, duties: Sequence[Duty], clock: Clock) -> None:
        self._duties = (*duties, *_watched(clock))
        self._clock = clock
        self._watch = ClockWatch(clock)
        self._ticked_mono = clock.mono()
        self._stopping = threading.Event()
        self._slow: queue.SimpleQueue[Duty | None] = queue.SimpleQueue()
        self._failing: set[str] = set()
        self._threads: list[threading.Thread] = []
        self._scheduler = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": {"type": "threadpool", "max_workers": 1}},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )

    def start(self) -> None:
        """Begins to tick; to be called once."""
        self._scheduler.start()
        self._add_tick()
        for name, target in (("ticker-watchdog", self._guard), ("ticker-slow", self._work_slowly)):
            # A backup that takes long must not keep the process from ending.
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Ends the tick that is running and begins nothing more; a slow duty is left to the process's end."""
        self._stopping.set()
        self._slow.put(None)
        self._scheduler.shutdown()
        for thread in self._threads:
            thread.join(_STOP_TIMEOUT_S)

    def tick(self) -> None:
        """Does what is due."""
        self._ticked_mono = self._clock.mono()
        for duty in self._duties:
            if self._stopping.is_set():
                return
            if not duty.timer.take():
                continue
            if duty.slow:
                self._slow.put(duty)
            else:
                self._run(duty)

    def look(self) -> bool:
        """Has the tick begin anew where the wall clock was set or no tick came; whether that was so."""
        step = self._watch.step()
        silent_s = self._clock.mono() - self._ticked_mono
        if not step and silent_s < _STALLED_S:
            return False
        _log.warning("the wall clock was set by %s; no tick for %.0f s", step, silent_s)
        self._ticked_mono = self._clock.mono()
        self._add_tick()
        return True

    def _add_tick(self) -> None:
        self._scheduler.add_job(self.tick, _Each(), id=_JOB_ID, replace_existing=True)

    def _guard(self) -> None:
        while not self._stopping.wait(_WATCH_EVERY_S):
            self.look()

    def _work_slowly(self) -> None:
        while (duty := self._slow.get()) is not None and not self._stopping.is_set():
            self._run(duty)

    def _run(self, duty: Duty) -> None:
        """The process's edge: whatever goes wrong in one duty, the others go on."""
        try:
            duty.run()
        except Exception as error:  # noqa: BLE001 -- as said
            # Once for each time it begins to fail: what fails each second would fill the log.
            if duty.name not in self._failing:
                self._failing.add(duty.name)
                _log.exception("duty failed: %s", duty.name)
            else:
                _log.debug("duty fails: %s: %s", duty.name, error)
        else:
            if duty.name in self._failing:
                self._failing.discard(duty.name)
                _log.warning("duty works again: %s", duty.name)
