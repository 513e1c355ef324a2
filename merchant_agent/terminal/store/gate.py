"""Who may write next: a gate for what must be signed first, and turns for everybody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


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


class Turns:
    """One thread at a time; whoever has the turn sees whether others wait for theirs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._waiting = 0  # under _counting

    @contextmanager
    def turn(self) -> Iterator[None]:
        """This thread's turn, as long as the block."""
        self._count(1)
        try:
            self._lock.acquire()
        finally:
            self._count(-1)
        try:
            yield
        finally:
            self._lock.release()

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits, who will have the turn as soon as it is given back."""
        return self._waiting > 0

    def _count(self, more: int) -> None:
        with self._counting:
            self._waiting += more
