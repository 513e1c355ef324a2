"""The receipt printer tap beside a relay that only passes bytes on: from the POS's first byte to the printer's last."""

from __future__ import annotations

import queue
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter

from merchant_agent.clock import SystemClock
from merchant_agent.terminal.collect.prompts import withdraw_sale
from merchant_agent.terminal.pos.printer.patterns import Patterns
from merchant_agent.terminal.pos.printer.printers import PrinterTap
from merchant_agent.terminal.pos.ways import PrinterDetails, Way, WayKind
from tests.bench.report import Figure, Scale, in_ms, quantile
from tests.clocks import SHANGHAI, ManualClock
from tests.terminal.collect.shop import Shop

_BAR_S = 0.005
_CUT = b"\x1dV\x42\x00"
_BYTES = 10_000


def measure(scale: Scale) -> list[Figure]:
    """Each job on a connection of its own, as most POSs print; the printer is a socket of this process."""
    jobs = 2000 if scale.full else 300
    with (
        _printer() as printer,
        tempfile.TemporaryDirectory(prefix="merchant-agent-bench-") as folder,
        _plain_relay(printer.port) as plainly,
        _tap(Path(folder), printer.port) as (shop, tapped),
    ):
        plain, unread, receipts = [], [], []
        # In turn, so that what else happens on the machine happens to all.
        for number in range(jobs):
            plain.append(_time(plainly, printer, _receipt(number)))
            unread.append(_time(tapped, printer, _kitchen_ticket(number)))
            receipts.append(_time(tapped, printer, _receipt(number)))
            _let_go(shop)
    beside = f"plain relay: {in_ms(quantile(plain, 0.5))} median, {in_ms(quantile(plain, 0.99))} p99"
    return [
        _figure("kitchen ticket of 10 kB, read and passed on", unread, plain, beside),
        _figure("receipt of 10 kB, signed as a sale, with its code", receipts, plain, beside),
    ]


def _figure(what: str, times: list[float], plain: list[float], beside: str) -> Figure:
    added = quantile(times, 0.99) - quantile(plain, 0.99)
    return Figure(
        what=what,
        measured=f"{in_ms(quantile(times, 0.5))} median, {in_ms(quantile(times, 0.99))} p99",
        reference=beside,
        bar=f"p99 at most {in_ms(_BAR_S)} more: {in_ms(added)}",
        met=added <= _BAR_S,
    )


class _Printer:
    """Says when the cut of a job has come."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.cut_at: queue.Queue[float] = queue.Queue()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                with connection:
                    tail = b""
                    while data := connection.recv(65_536):
                        tail = (tail + data)[-len(_CUT) :]
                        if tail == _CUT:
                            self.cut_at.put(perf_counter())


@contextmanager
def _printer() -> Iterator[_Printer]:
    printer = _Printer()
    yield printer
    printer.close()


@contextmanager
def _plain_relay(target: int) -> Iterator[int]:
    """As little as a relay in Python can do, both ways."""
    server = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(16_384):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve(connection: socket.socket) -> None:
        with connection, socket.create_connection(("127.0.0.1", target)) as printer:
            printer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=pump, args=(printer, connection), daemon=True)
            back.start()
            pump(connection, printer)
            back.join(1.0)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield server.getsockname()[1]
    with suppress(OSError):
        server.shutdown(socket.SHUT_RDWR)
    server.close()


@contextmanager
def _tap(folder: Path, target: int) -> Iterator[tuple[Shop, int]]:
    """A printer of an enrolled shop on a real disk."""
    details = PrinterDetails(address=f"tcp://127.0.0.1:{target}", port=0)
    way = Way(
        number=1,
        kind=WayKind.PRINTER,
        name="bench",
        till="1",
        enabled=True,
        dry_run=False,
        details=details,
    )
    with Shop(folder, _Running()) as shop:
        tap = PrinterTap(shop.terminal, way, details, patterns=Patterns, show=lambda _: None)
        try:
            yield shop, tap.relay.port
        finally:
            tap.close()


def _time(port: int, printer: _Printer, octets: bytes) -> float:
    with socket.create_connection(("127.0.0.1", port)) as pos:
        begun = perf_counter()
        pos.sendall(octets)
        taken = printer.cut_at.get(timeout=10.0) - begun
        pos.shutdown(socket.SHUT_WR)
        while pos.recv(4096):
            pass
    return taken


def _let_go(shop: Shop) -> None:
    """A shop's customers come one after another; so many as here would all wait for the tablet."""
    for question in shop.terminal.board.questions():
        withdraw_sale(shop.terminal, question.prompt_id)


class _Running(ManualClock):
    """The machine's own time."""

    def __init__(self) -> None:
        super().__init__()
        self._system = SystemClock(SHANGHAI)
        self.read, self.now, self.mono = self._system.read, self._system.now, self._system.mono  # type: ignore[method-assign]


def _receipt(number: int) -> bytes:
    """A logo, and sixty lines of goods."""
    goods = "".join(f"商品{line:02}            {line}.00\n" for line in range(60))
    return _paper(f"小店\n单号: {number}\n{goods}合计: 1770.00\n微信支付 1770.00\n")


def _kitchen_ticket(number: int) -> bytes:
    """As long, and no sale."""
    goods = "".join(f"菜品{line:02}            x1\n" for line in range(60))
    return _paper(f"<后厨制作单>\n单号: {number}\n{goods}")


def _paper(text: str) -> bytes:
    octets = text.encode("gb18030")
    rows = (_BYTES - len(octets) - len(_CUT) - 12) // 48
    logo = b"\x1dv0\x00" + bytes([48, 0, rows & 0xFF, rows >> 8]) + b"\x55" * (48 * rows)
    return b"\x1b@\x1c&" + logo + octets + _CUT
