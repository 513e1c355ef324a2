"""Noticing that the wall clock was set, by the clock that counts since the machine's start.

APScheduler 3.11 reads the wall clock alone: set back an hour, it would stand still for an
hour. Source: agronholm/apscheduler, schedulers/blocking.py (waits for the difference of
two wall times) and job.py (lists every run between two of them).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from merchant_agent.clock import Clock

# Slewing by NTP stays below this between two looks.
_TOLERANCE = timedelta(seconds=2)


class ClockWatch:
    """Compares both clocks with how they stood at the last look."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._zero = self._wall_at_start()

    def step(self) -> timedelta:
        """How far the wall clock was set since the last look that noticed one; zero where it was not."""
        zero = self._wall_at_start()
        step = zero - self._zero
        if abs(step) <= _TOLERANCE:
            return timedelta(0)
        self._zero = zero
        return step

    def _wall_at_start(self) -> datetime:
        reading = self._clock.read()
        return reading.at - timedelta(milliseconds=reading.uptime_ms)
