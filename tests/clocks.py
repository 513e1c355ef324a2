"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from merchant_agent.clock import Reading

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 5, 20, 12, 0, 0, tzinfo=SHANGHAI)


class ManualClock:
    """Wall and monotonic time advance together with `advance`, apart with `step_wall`."""

    def __init__(self, start: datetime = START, *, boot: str = "AAAAAAAAAAA") -> None:
        self._wall = start
        self._mono_ms = 1_000_000
        self.boot = boot

    def read(self) -> Reading:
        return Reading(at=self._wall, boot=self.boot, uptime_ms=self._mono_ms)

    def now(self) -> datetime:
        return self._wall

    def mono(self) -> float:
        return self._mono_ms / 1000

    def advance(self, seconds: float) -> None:
        """Lets time pass."""
        self._wall += timedelta(seconds=seconds)
        self._mono_ms += round(seconds * 1000)

    def step_wall(self, seconds: float) -> None:
        """Sets the wall clock without time passing."""
        self._wall += timedelta(seconds=seconds)
