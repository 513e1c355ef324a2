"""Reading along beside the POS's bytes, with a limit: whatever it does, the POS waits for it once at most.

A reader that was late once is not waited for during a minute: what it reads still counts, for tablets,
but nothing goes onto the paper. One that never comes back is given few papers more.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from merchant_agent.clock import Clock
from merchant_agent.terminal.pos.printer.stream import Finished

_log = logging.getLogger(__name__)

# The POS waits no longer for what reads along, whatever it does.
READ_LIMIT_S: Final = 0.8
NOT_WAITED_FOR_S: Final = 60.0
_MOST_PENDING: Final = 4

Adds = Callable[[Finished], bytes | None]


class Along:
    """Asks `adds` about each paper in a thread of its own. One for all connections of a printer."""

    def __init__(self, adds: Adds, clock: Clock) -> None:
        self._adds = adds
        self._clock = clock
        self._lock = threading.Lock()  # guards the two below
        self._waited_for_from_mono = 0.0
        self._pending = 0

    def ask(self, finished: Finished) -> bytes | None:
        """What is added to that paper: nothing where that is not known in time, None where nobody understands it."""
        with self._lock:
            if self._pending >= _MOST_PENDING:
                _log.error("printer: a paper goes on unread: reading hangs")
                return _unknown(finished)
            self._pending += 1
            is_waited_for = self._clock.mono() >= self._waited_for_from_mono
        answer: Future[bytes | None] = Future()
        threading.Thread(
            target=self._answer, args=(answer, finished), name="printer-reader", daemon=True
        ).start()
        if not is_waited_for:
            return _unknown(finished)
        try:
            return answer.result(READ_LIMIT_S)
        except TimeoutError:
            with self._lock:
                self._waited_for_from_mono = self._clock.mono() + NOT_WAITED_FOR_S
            _log.warning(
                "printer: a paper was not read within %.1f s and goes on as it came; for %.0f s none is waited for",
                READ_LIMIT_S,
                NOT_WAITED_FOR_S,
            )
            return _unknown(finished)

    def _answer(self, answer: Future[bytes | None], finished: Finished) -> None:
        added: bytes | None = b""
        try:
            added = self._adds(finished)
        except Exception:  # noqa: BLE001 -- the POS must not notice our own defects
            _log.exception("printer: a paper could not be read and goes on as it came")
        finally:
            with self._lock:
                self._pending -= 1
            answer.set_result(added)


def _unknown(finished: Finished) -> bytes | None:
    """A paper that only stands still may be asked about again."""
    return b"" if finished.final else None
