"""A round of the sequencer each second, in a thread of its own that no clock can stop."""

from __future__ import annotations

import logging
import threading

from merchant_agent.central.log.lock import LogStoppedError, Stop
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.services import Central
from merchant_agent.errors import StoreError

_log = logging.getLogger(__name__)

_EVERY_S = 1.0


class LogDuty:
    """The log's thread, between `start` and `stop`; a failing round is tried again with the next.

    An alarm goes to the log file when rounds begin to fail and when they work again, not each second.
    """

    def __init__(self, central: Central) -> None:
        self._sequencer = Sequencer(central)
        self._failing = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="central-log", daemon=True)

    def start(self) -> None:
        """Begins; to be called once."""
        self._thread.start()

    def stop(self) -> None:
        """Ends; returns when a round that is under way has ended."""
        self._stopping.set()
        self._thread.join()

    def tick(self) -> None:
        """A round, if one is due."""
        try:
            if self._sequencer.is_due():
                self._sequencer.run()
        except LogStoppedError as error:
            level = logging.WARNING if error.stop is Stop.NOT_SET else logging.CRITICAL
            self._tell(level, error.stop, error)
        except StoreError as error:
            self._tell(logging.ERROR, error.code, error)
        else:
            if self._failing:
                _log.warning("the log goes on")
            self._failing = ""

    def _tell(self, level: int, reason: str, error: Exception) -> None:
        if reason != self._failing:
            _log.log(level, "%s", error)
        self._failing = reason

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            self.tick()
