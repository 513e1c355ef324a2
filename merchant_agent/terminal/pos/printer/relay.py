"""The relay: a POS connects as to a printer, and every byte goes on to the printer behind it, both ways.

It fails open. What reads along works beside the stream with a time limit: where it breaks or is
late, the bytes go on as they came, and why is logged. A printer that cannot be reached looks to
the POS as it would without us: its connection ends.
"""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import suppress
from typing import Final

from merchant_agent.clock import Clock
from merchant_agent.errors import InvalidError, StartError
from merchant_agent.terminal.pos.printer.along import Adds, Along
from merchant_agent.terminal.pos.printer.job import Patience, PrintJob, hang_up, reset
from merchant_agent.terminal.pos.printer.targets import open_target
from merchant_agent.terminal.pos.printer.turns import Turns

_log = logging.getLogger(__name__)

_BACKLOG: Final = 16
# A job that stands still within a paper is overtaken by another connection's after so long ...
_PATIENCE_S: Final = 0.8
# ... and what the terminal itself prints waits no longer for its turn than this.
_OWN_LIMIT_S: Final = 10.0
# More connections than any POS opens: of a program that has gone wild, and each costs two threads.
_MOST_CONNECTIONS: Final = 32


class Relay:
    """Listens for POSs of one printer. `adds` is called in a thread of its own for each finished paper.

    Raises:
        StartError: the port is taken.
    """

    def __init__(  # noqa: PLR0913 -- what a printer is made of
        self,
        *,
        host: str,
        port: int,
        address: str,
        adds: Adds,
        clock: Clock,
        patience: Patience | None = None,
    ) -> None:
        self._address = address
        self._patience = patience or Patience()
        self._along = Along(adds, clock)
        self._turns = Turns(clock, patience_s=_PATIENCE_S)
        self._lock = threading.Lock()  # guards the three below
        self._jobs: dict[socket.socket, PrintJob | None] = {}
        self._closing = False
        self._trouble = ""
        try:
            self._server = socket.create_server((host, port), backlog=_BACKLOG)
        except OSError as error:
            raise StartError(f"The port {port} for printing is taken: {error.strerror}.") from error
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name=f"printer-{self.port}", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """Why the printer could not be reached the last time; empty where it was."""
        with self._lock:
            return self._trouble

    def note(self, trouble: str) -> None:
        """Keeps how reaching the printer went just now, as `trouble` tells it."""
        with self._lock:
            self._trouble = trouble

    def close(self) -> None:
        """Ends every connection and listens no more."""
        with self._lock:
            self._closing = True
            jobs = dict(self._jobs)
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection, job in jobs.items():
            # Its own thread closes it: until then its number is nobody else's.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            if job is not None:
                job.target.close()

    def print(self, octets: bytes) -> None:
        """Prints a job of the terminal's own, between those of the POS.

        Where a POS keeps its connection open between jobs it goes the same way: many printers have one.

        Raises:
            OSError: the printer is off, gone, or busy for long.
            InvalidError: "printer-address".
        """
        who = object()
        if not self._turns.take(who, limit_s=_OWN_LIMIT_S):
            raise TimeoutError("the printer is busy")
        try:
            with self._lock:
                idle = next((job for job in self._jobs.values() if job is not None and job.is_idle), None)
            if idle is not None:
                idle.target.send(octets)
            else:
                self._print_alone(octets)
        finally:
            self._turns.leave(who)

    def _print_alone(self, octets: bytes) -> None:
        try:
            target = open_target(self._address)
        except OSError as error:
            self.note(str(error))
            raise
        self.note("")
        try:
            target.send(octets)
            target.finish()
        finally:
            target.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with self._lock:
                if self._closing:
                    connection.close()
                    return
                is_taken = len(self._jobs) < _MOST_CONNECTIONS
                if is_taken:
                    self._jobs[connection] = None
            if is_taken:
                threading.Thread(
                    target=self._serve, args=(connection,), name="printer-job", daemon=True
                ).start()
            else:
                _log.warning("printer: more than %d connections; one is refused", _MOST_CONNECTIONS)
                reset(connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            target = open_target(self._address)
        except (OSError, InvalidError) as error:
            _log.warning("printer: %s cannot be reached: %s", self._address, error)
            self.note(str(error))
            reset(connection)
            self._forget(connection)
            return
        self.note("")
        try:
            job = PrintJob(connection, target, self._turns, self._along, self._patience)
            with self._lock:
                self._jobs[connection] = job
            job.run()
        except OSError as error:
            _log.info("printer: a POS was gone before its job began: %s", error)
        finally:
            target.close()
            hang_up(connection)
            self._forget(connection)

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._jobs.pop(connection, None)
