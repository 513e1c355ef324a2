"""One connection of a POS and the printer's end of it: bytes both ways, for as long as either keeps it.

Half-closed ends are passed on as such: a POS that has said everything may still hear the printer,
and a printer that says no more may still be printing.
"""

from __future__ import annotations

import logging
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from merchant_agent.terminal.pos.printer.along import Along
from merchant_agent.terminal.pos.printer.stream import Stream
from merchant_agent.terminal.pos.printer.targets import Target, keep_alive
from merchant_agent.terminal.pos.printer.turns import Turns

_log = logging.getLogger(__name__)

# After the POS has hung up, the printer may still answer for so long.
_LINGER_S: Final = 2.0
_PIECE_BYTES: Final = 16_384
_RESET: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a paper without a cut may stand still.

    After `quiet_s` it is looked at: a till that neither cuts nor hangs up may have ended its receipt.
    What nobody understood after `forget_s` is over: taken for what it is, and forgotten.
    """

    quiet_s: float = 3.0
    forget_s: float = 60.0


class PrintJob:
    """Carries both directions. `target` is open, and closed by whoever opened it."""

    def __init__(
        self, connection: socket.socket, target: Target, turns: Turns, along: Along, patience: Patience
    ) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keep_alive(connection)
        self.target = target
        self._connection = connection
        self._turns = turns
        self._stream: Stream | None = Stream(along.ask)
        self._patience = patience
        self._is_over = False

    @property
    def is_idle(self) -> bool:
        """Whether the POS keeps the connection without anything being under way; true for whose turn it is alone."""
        return not self._is_over and self._stream is not None and self._stream.is_between_papers

    def run(self) -> None:
        """Carries both directions until one side is gone."""
        answers = threading.Thread(target=self._carry_answers, name="printer-answers", daemon=True)
        answers.start()
        try:
            while data := self._next():
                self._turns.take(self)
                for part in self._read(data):
                    self.target.send(part)
                self._turns.sent(self)
                self._leave_between_papers()
            self._send(self._end())
            # What the terminal prints may be on its way over this connection.
            self._turns.take(self)
            self._is_over = True
            self.target.finish()
            self._turns.leave(self)
            answers.join(_LINGER_S)
        except OSError as error:
            _log.warning("printer: the job broke off: %s", error)
            reset(self._connection)
        finally:
            self._is_over = True
            self._turns.leave(self)

    def _next(self) -> bytes:
        """What the POS sends next; a paper that it leaves alone is looked at meanwhile, and ended after long."""
        waited_s, most_s = 0.0, self._patience.forget_s
        while self._stream is not None and not self._stream.is_between_papers and waited_s < most_s:
            step_s = most_s - waited_s if self._stream.is_left else self._patience.quiet_s
            if select.select([self._connection], [], [], step_s)[0]:
                break
            waited_s += step_s
            self._send(self._look(self._stream, ends=waited_s >= most_s))
            self._leave_between_papers()
        return self._connection.recv(_PIECE_BYTES)

    def _read(self, data: bytes) -> Iterator[bytes]:
        """The data and what is added to it; the data alone once reading along has failed."""
        if self._stream is None:
            yield data
            return
        parts = self._stream.feed(data)
        while True:
            try:
                part = next(parts, b"")
            except Exception:  # noqa: BLE001 -- the POS must not notice our own defects
                _log.exception("printer: the job could not be read and goes on as it came")
                rest, self._stream = self._stream.held, None
                yield rest
                return
            if not part:
                return
            yield part

    def _look(self, stream: Stream, *, ends: bool) -> bytes:
        try:
            return stream.end_paper() if ends else stream.look()
        except Exception:  # noqa: BLE001 -- as above
            _log.exception("printer: the paper could not be read")
            self._stream = None
            return stream.held

    def _end(self) -> bytes:
        if self._stream is None:
            return b""
        held = self._stream.held
        try:
            return self._stream.close()
        except Exception:  # noqa: BLE001 -- as above
            _log.exception("printer: the end of the job could not be read")
            return held

    def _send(self, octets: bytes) -> None:
        if octets:
            self._turns.take(self)
            self.target.send(octets)
            self._turns.sent(self)

    def _leave_between_papers(self) -> None:
        if self._stream is None or self._stream.is_between_papers:
            self._turns.leave(self)

    def _carry_answers(self) -> None:
        """What the printer says goes to the POS unread."""
        if not self.target.answers:
            return
        try:
            while data := self.target.receive():
                self._connection.sendall(data)
        except OSError:
            # The printer is gone: so is the POS's connection, as it would be without us.
            how = socket.SHUT_RDWR
        else:
            how = socket.SHUT_WR
        with suppress(OSError):
            self._connection.shutdown(how)


def hang_up(connection: socket.socket) -> None:
    """Ends the connection in order; never raises."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def reset(connection: socket.socket) -> None:
    """Ends it so that the POS sees an error, not an end; never raises."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()
