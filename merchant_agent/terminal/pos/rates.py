"""How often each caller may call: so many at once, and then so many a second."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict

from merchant_agent.clock import Clock
from merchant_agent.errors import LockedOutError

_MOST_CALLERS = 1000


class Rates:
    """One bucket of `burst` calls for each caller, filled again by `a_second`; of all threads."""

    def __init__(self, clock: Clock, *, burst: int, a_second: float) -> None:
        self._clock = clock
        self._burst = burst
        self._a_second = a_second
        self._lock = threading.Lock()  # guards the one below
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # calls, and when

    def take(self, who: str, count: int = 1) -> None:
        """Counts so many calls.

        Raises:
            LockedOutError: with the seconds after which they are let through.
        """
        with self._lock:
            now_mono = self._clock.mono()
            left = self._now(who, now_mono)
            if left < count:
                raise LockedOutError(max(1, math.ceil((count - left) / self._a_second)))
            self._left[who] = (left - count, now_mono)
            self._left.move_to_end(who)
            if len(self._left) > _MOST_CALLERS:
                self._left.popitem(last=False)

    def _now(self, who: str, now_mono: float) -> float:
        left, since_mono = self._left.get(who, (float(self._burst), now_mono))
        return min(float(self._burst), left + (now_mono - since_mono) * self._a_second)
