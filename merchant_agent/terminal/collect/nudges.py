"""Tells single tablets that something about them changed, so that a long poll of theirs ends."""

from __future__ import annotations

import threading
from collections import Counter

from merchant_agent.terminal.collect.bell import Bell


class Nudges:
    """How often each tablet was nudged since the program started; any thread may use it."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()  # under _lock
        self._all = 0  # under _lock

    def count(self, tablet_id: str) -> int:
        """To be read before what it tells of."""
        with self._lock:
            return self._counts[tablet_id] + self._all

    def nudge(self, tablet_id: str) -> None:
        """Ends that tablet's waiting; only after the change can be read by others."""
        with self._lock:
            self._counts[tablet_id] += 1
        self._bell.ring()

    def nudge_all(self) -> None:
        """Ends every tablet's waiting; only after the change can be read by others."""
        with self._lock:
            self._all += 1
        self._bell.ring()
