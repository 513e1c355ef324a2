"""A network printer, and what a POS does with one, over real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from merchant_agent.terminal.pos.printer.relay import Relay

WAIT_S = 10.0


class Printer:
    """A network printer: keeps what it gets, and answers each `DLE EOT` with its status."""

    def __init__(self, *, gone_after: int | None = None) -> None:
        self.got = bytearray()
        self.jobs: list[bytes] = []
        self.ended = threading.Event()
        self._gone_after = gone_after
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        taken = bytearray()
        while data := connection.recv(4096):
            taken += data
            self.got += data
            if b"\x10\x04\x01" in data:
                connection.sendall(b"\x16")
            if self._gone_after is not None and len(self.got) >= self._gone_after:
                return
        self.jobs.append(bytes(taken))
        self.ended.set()


def print_job(relay: Relay, octets: bytes) -> None:
    """Prints a job and waits until the printer has it."""
    with connect(relay) as pos:
        pos.sendall(octets)
        pos.shutdown(socket.SHUT_WR)
        read_to_end(pos)


def connect(relay: Relay) -> socket.socket:
    """A POS at the relay."""
    return socket.create_connection(("127.0.0.1", relay.port), timeout=WAIT_S)


def read_to_end(pos: socket.socket) -> bytes:
    """What comes until the other side ends."""
    parts = []
    while data := pos.recv(4096):
        parts.append(data)
    return b"".join(parts)


def until(is_so: Callable[[], bool]) -> None:
    """Waits for it."""
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)
