"""Work that a way does again and again in a thread of its own, until it is closed; it never ends by an error."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)

_STOP_TIMEOUT_S = 2.0


class Loop:
    """Calls `work` at once and then every `every_s` seconds."""

    def __init__(self, name: str, work: Callable[[], None], *, every_s: float) -> None:
        self._work = work
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Begins no further round; waits for one that is under way for 2 s at most."""
        self._stopping.set()
        if self._thread is not threading.current_thread():
            self._thread.join(_STOP_TIMEOUT_S)

    def _run(self) -> None:
        while True:
            try:
                self._work()
            except Exception:  # noqa: BLE001 -- a plug must not take the terminal with it
                _log.exception("%s failed; it is tried again", self._thread.name)
            if self._stopping.wait(self._every_s):
                return
