"""The relay: a POS connects as to a printer, and every byte goes on to the printer behind it, both ways.

It fails open. What reads along works beside the stream with a time limit: where it breaks or is
late, the bytes go on as they came, and why is logged. A printer that cannot be reached looks to
the POS as it would without us: its connection ends.
"""

from __future__ import annotations

import logging
import select
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from merchant_agent.errors import InvalidError, StartError
from merchant_agent.terminal.pos.printer.stream import Finished, Stream
from merchant_agent.terminal.pos.printer.targets import Target, open_target

_log = logging.getLogger(__name__)

# The POS waits no longer for what reads along, whatever it does.
READ_LIMIT_S: Final = 0.8
# A till that neither cuts nor hangs up has ended its receipt after this silence.
_QUIET_S: Final = 3.0
# After the POS has hung up, the printer may still answer for so long.
_LINGER_S: Final = 2.0
_PIECE_BYTES: Final = 16_384
_BACKLOG: Final = 16
_RESET: Final = struct.pack("ii", 1, 0)

Adds = Callable[[Finished], bytes]


class Relay:
    """Listens for POSs of one printer. `adds` is called in a thread of its own for each finished paper.

    Raises:
        StartError: the port is taken.
    """

    def __init__(self, *, host: str, port: int, address: str, adds: Adds) -> None:
        self._address = address
        self._adds = adds
        self._lock = threading.Lock()  # guards the two below
        self._open: set[socket.socket] = set()
        self._closing = False
        # Held while a job is printed, so that jobs of several connections never mix.
        self.printing = threading.Lock()
        try:
            self._server = socket.create_server((host, port), backlog=_BACKLOG)
        except OSError as error:
            raise StartError(f"The port {port} for printing is taken: {error.strerror}.") from error
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name=f"printer-{self.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends every connection and listens no more."""
        with self._lock:
            self._closing = True
            connections = tuple(self._open)
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in connections:
            _hang_up(connection)

    def print(self, octets: bytes) -> None:
        """Prints a job of the terminal's own, between those of the POS.

        Raises:
            OSError: the printer is off, or gone.
            InvalidError: "printer-address".
        """
        with self.printing:
            target = open_target(self._address)
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
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name="printer-job", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            target = open_target(self._address)
        except (OSError, InvalidError) as error:
            _log.warning("printer: %s cannot be reached: %s", self._address, error)
            _reset(connection)
            self._forget(connection)
            return
        job = _Job(connection, target, self.printing, self._adds)
        try:
            job.run()
        finally:
            target.close()
            _hang_up(connection)
            self._forget(connection)

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)


class _Job:
    """One connection of a POS and the printer's end of it."""

    def __init__(
        self, connection: socket.socket, target: Target, printing: threading.Lock, adds: Adds
    ) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._target = target
        self._printing = printing
        self._has_printer = False
        self._adds = adds
        self._stream: Stream | None = Stream(self._ask)

    def run(self) -> None:
        """Carries both directions until one side is gone."""
        answers = threading.Thread(target=self._carry_answers, name="printer-answers", daemon=True)
        answers.start()
        try:
            while data := self._next():
                self._take_printer()
                for part in self._read(data):
                    self._target.send(part)
                self._leave_printer()
            self._end()
            self._target.finish()
            answers.join(_LINGER_S)
        except OSError as error:
            _log.warning("printer: the job broke off: %s", error)
            _reset(self._connection)
        finally:
            self._leave_printer(always=True)

    def _next(self) -> bytes:
        """What the POS sends next; a paper that it leaves alone for long enough is ended meanwhile."""
        while self._stream is not None and not self._stream.is_between_papers:
            ready, _, _ = select.select([self._connection], [], [], _QUIET_S)
            if ready:
                break
            self._send_end(self._stream)
            self._leave_printer()
            if not self._stream.is_between_papers:
                break
        return self._connection.recv(_PIECE_BYTES)

    def _read(self, data: bytes) -> list[bytes]:
        """The data and what is added to it; the data alone once reading along has failed."""
        if self._stream is None:
            return [data]
        held = self._stream.held
        try:
            return self._stream.feed(data)
        except Exception:  # noqa: BLE001 -- the POS must not notice our own defects
            _log.exception("printer: the job could not be read and goes on as it came")
            self._stream = None
            return [held + data]

    def _end(self) -> None:
        if self._stream is None:
            return
        held = self._stream.held
        try:
            rest = self._stream.close()
        except Exception:  # noqa: BLE001 -- as above
            _log.exception("printer: the end of the job could not be read")
            rest = held
        self._target.send(rest)

    def _send_end(self, stream: Stream) -> None:
        try:
            added = stream.end_paper()
        except Exception:  # noqa: BLE001 -- as above
            _log.exception("printer: the paper could not be read")
            self._stream = None
            return
        if added:
            self._target.send(added)

    def _ask(self, finished: Finished) -> bytes:
        """What is added to that paper; nothing where that is not known in time."""
        answer: Future[bytes] = Future()
        threading.Thread(
            target=self._answer, args=(answer, finished), name="printer-reader", daemon=True
        ).start()
        try:
            return answer.result(READ_LIMIT_S)
        except TimeoutError:
            _log.warning("printer: a receipt was not read within %.1f s and went on as it came", READ_LIMIT_S)
            return b""

    def _answer(self, answer: Future[bytes], finished: Finished) -> None:
        try:
            answer.set_result(self._adds(finished))
        except Exception:  # noqa: BLE001 -- as above
            _log.exception("printer: a receipt could not be read and went on as it came")
            answer.set_result(b"")

    def _carry_answers(self) -> None:
        """What the printer says goes to the POS unread."""
        if self._target.fileno is None:
            return
        try:
            while data := self._target.receive():
                self._connection.sendall(data)
        except OSError:
            pass
        # The printer hung up: so does the POS's connection, as it would without us.
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def _take_printer(self) -> None:
        """Waits for another connection's job to end, but not for long: a POS may hold its own for ever."""
        if not self._has_printer:
            self._has_printer = self._printing.acquire(timeout=READ_LIMIT_S)

    def _leave_printer(self, *, always: bool = False) -> None:
        between = self._stream is None or self._stream.is_between_papers
        if self._has_printer and (always or between):
            self._has_printer = False
            self._printing.release()


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _reset(connection: socket.socket) -> None:
    """Ends it so that the POS sees an error, not an end."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()
