"""A gate before the journal: what must be signed first is, and nobody waits long for it."""

from __future__ import annotations

import threading
import time


class Gate:
    """Open from the beginning; for any thread."""

    def __init__(self) -> None:
        self._is_open = threading.Event()
        self._is_open.set()
        self._owner = 0
        self._until_mono = 0.0

    def shut(self, timeout_s: float) -> None:
        """Has all threads wait, until `open` or the time is over."""
        self._owner, self._until_mono = 0, time.monotonic() + timeout_s
        self._is_open.clear()

    def claim(self) -> None:
        """Lets this thread through."""
        self._owner = threading.get_ident()

    def open(self) -> None:
        """Lets everybody through."""
        self._is_open.set()

    def wait(self) -> None:
        """Returns once this thread may go on."""
        if not self._is_open.is_set() and threading.get_ident() != self._owner:
            self._is_open.wait(max(0.0, self._until_mono - time.monotonic()))
