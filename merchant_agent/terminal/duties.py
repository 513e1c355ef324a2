"""When recurring duties are due: by monotonic time, and once a day at a local time.

The wall clock of a till jumps: an hour back, to 1970, to 2099. It decides nothing alone:
a night's duty waits at least twelve hours of real time after the last one and is done
after twenty-eight whatever the clock says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import Protocol

from merchant_agent.clock import Clock
from merchant_agent.domain.slots import latest_slot

_HOUR_S = 3600.0
_NOT_BEFORE_S = 12 * _HOUR_S
_NOT_AFTER_S = 28 * _HOUR_S


class Timer(Protocol):
    """What tells when a duty is due."""

    def take(self) -> bool:
        """Whether the duty is due now; if so, it counts as done and the next one is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One line of the table; what is `slow` must not hold up the others."""

    name: str
    timer: Timer
    run: Callable[[], object]
    slow: bool = False


class Every:
    """Due first after `first_s` and then each `every_s`, infinite for once; those that were slept over are one."""

    def __init__(self, clock: Clock, every_s: float, *, first_s: float = 0.0) -> None:
        self._clock = clock
        self._every_s = every_s
        self._next_mono = clock.mono() + first_s

    def take(self) -> bool:
        """Whether it is due; keeps its phase."""
        late_s = self._clock.mono() - self._next_mono
        if late_s < 0:
            return False
        self._next_mono += self._every_s * (1 + late_s // self._every_s)
        return True


class Nightly:
    """Due once a day at a local time of day in `zone`, whatever the wall clock does meanwhile.

    `last_at` is when it was last done as far as anybody knows, by the wall clock of then;
    one that was missed is made up for, `first_s` after the start at the earliest.
    """

    def __init__(
        self, clock: Clock, at: time, zone: tzinfo, *, last_at: datetime | None, first_s: float
    ) -> None:
        self._clock = clock
        self._at = at
        self._zone = zone
        self._last_at = last_at if last_at is not None and last_at <= clock.now() else None
        self._from_mono = clock.mono() + first_s
        self._until_mono = clock.mono() + _NOT_AFTER_S

    def take(self) -> bool:
        """Whether it is due."""
        mono, now = self._clock.mono(), self._clock.now()
        if mono < self._from_mono:
            return False
        slot = latest_slot(now, self._at, self._zone)
        if mono < self._until_mono and self._last_at is not None and slot <= self._last_at:
            return False
        self._last_at = now
        self._from_mono, self._until_mono = mono + _NOT_BEFORE_S, mono + _NOT_AFTER_S
        return True

    def again_in(self, seconds: float) -> None:
        """Has it be due once more after that time: what was taken last did not succeed."""
        self._last_at = None
        self._from_mono = self._clock.mono() + seconds


def spread_s(name: str, every_s: float) -> float:
    """A delay below `every_s` that is always the same for a name and different for most."""
    share = int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / 2**48
    return share * every_s
