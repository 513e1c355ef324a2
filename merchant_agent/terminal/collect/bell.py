"""The bell on which long polls wait, and how long ago somebody touched a question."""

from __future__ import annotations

import threading
from collections.abc import Collection

from merchant_agent.clock import Clock

# Customers at other tablets who press at the same moment come first; nobody sees so short a wait.
_GATHER_S = 0.03


class Bell:
    """Rung whenever what a tablet shows may have changed; any thread may use it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0  # under _condition
        self._closed = threading.Event()  # set under _condition

    @property
    def rings(self) -> int:
        """How often it was rung; to be read before what it tells of, then handed to `wait`."""
        with self._condition:
            return self._rings

    @property
    def closed(self) -> bool:
        """Whether nobody waits any more."""
        return self._closed.is_set()

    def ring(self) -> None:
        """Wakes everybody who waits; only after the change can be read by others."""
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def wait(self, rings: int, timeout_s: float) -> bool:
        """Returns at once if it was rung since `rings` was read, else soon after it is; False when the time is over.

        Rings that follow one another closely end the wait once. The caller holds no lock and no
        connection of the database meanwhile.
        """
        with self._condition:
            if self._rings != rings:
                return True
            self._condition.wait_for(lambda: self._closed.is_set() or self._rings != rings, timeout_s)
            rung = self._rings != rings
        if rung:
            self._closed.wait(_GATHER_S)
        return rung

    def close(self) -> None:
        """Lets everybody go, and those who come later too: the program stops."""
        with self._condition:
            self._closed.set()
            self._condition.notify_all()


class Touches:
    """Seconds since things were last touched, by the monotonic clock; any thread may use it.

    What is known of a thing begins with its first touch, or with the first question about
    it: after a restart everything is as if touched just then.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._first: dict[str, float] = {}  # under _lock
        self._last: dict[str, float] = {}  # under _lock
        self._touched: set[str] = set()  # under _lock

    def touch(self, thing: str) -> None:
        """Somebody touched it now."""
        now = self._clock.mono()
        with self._lock:
            self._first.setdefault(thing, now)
            self._last[thing] = now
            self._touched.add(thing)

    def is_touched(self, thing: str) -> bool:
        """Whether somebody touched it since the program started."""
        with self._lock:
            return thing in self._touched

    def idle_s(self, thing: str) -> float:
        """Seconds since its last touch."""
        now = self._clock.mono()
        with self._lock:
            self._first.setdefault(thing, now)
            return now - self._last.setdefault(thing, now)

    def age_s(self, thing: str) -> float:
        """Seconds since its first touch."""
        now = self._clock.mono()
        with self._lock:
            self._last.setdefault(thing, now)
            return now - self._first.setdefault(thing, now)

    def span_ms(self, thing: str) -> int:
        """Milliseconds between its first and its last touch; 0 for what is not known."""
        with self._lock:
            return round((self._last.get(thing, 0.0) - self._first.get(thing, 0.0)) * 1000)

    def keep_only(self, things: Collection[str]) -> None:
        """Forgets everything else."""
        with self._lock:
            self._touched.intersection_update(things)
            for known in (self._first, self._last):
                for thing in known.keys() - set(things):
                    del known[thing]
