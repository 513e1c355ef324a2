"""The relay between a POS and a printer, over real sockets; the printer is one of ours."""

from __future__ import annotations

import fcntl
import logging
import os
import pty
import socket
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from merchant_agent.clock import SystemClock
from merchant_agent.errors import InvalidError, StartError
from merchant_agent.terminal.pos.printer.along import READ_LIMIT_S
from merchant_agent.terminal.pos.printer.job import Patience
from merchant_agent.terminal.pos.printer.relay import Relay
from merchant_agent.terminal.pos.printer.stream import Finished
from merchant_agent.terminal.pos.printer.targets import check_address, open_target
from tests.terminal.pos.printer.machines import WAIT_S, Printer, connect, print_job, read_to_end, until
from tests.terminal.pos.printer.papers import job, receipts

NOBODY = 65_534
QR = b"<QR>"
RECEIPT = job("小店\n单号: 1\n合计: 5.00")


@pytest.fixture
def printer() -> Iterator[Printer]:
    made = Printer()
    yield made
    made.close()


@pytest.fixture
def relay_of() -> Iterator[Callable[..., Relay]]:
    opened: list[Relay] = []

    def make(
        address: str,
        adds: Callable[[Finished], bytes | None] = lambda _: QR,
        patience: Patience | None = None,
    ) -> Relay:
        opened.append(
            Relay(
                host="127.0.0.1", port=0, address=address, adds=adds, clock=SystemClock(), patience=patience
            )
        )
        return opened[-1]

    yield make
    for relay in opened:
        relay.close()


def test_every_byte_reaches_the_printer_and_the_invitation_before_the_cut(
    printer: Printer, relay_of: Callable[..., Relay]
) -> None:
    relay = relay_of(printer.address)
    for octets in receipts().values():
        printer.ended.clear()
        print_job(relay, octets)
        assert printer.ended.wait(WAIT_S)
        assert printer.jobs[-1].count(QR) == 1
        assert printer.jobs[-1].replace(QR, b"") == octets


def test_printers_status_reaches_a_pos_that_waits_for_it(
    printer: Printer, relay_of: Callable[..., Relay]
) -> None:
    relay = relay_of(printer.address)
    with connect(relay) as pos:
        pos.sendall(b"\x1b@\x10\x04\x01")
        assert pos.recv(1) == b"\x16"
        pos.sendall("单号: 1\n".encode("gb18030") + b"\x10\x04\x01")
        assert pos.recv(1) == b"\x16"


def test_reading_that_fails_changes_nothing_of_the_job(
    printer: Printer, relay_of: Callable[..., Relay], caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_finished: Finished) -> bytes:
        raise RuntimeError("a defect")

    with caplog.at_level(logging.ERROR):
        print_job(relay_of(printer.address, fails), RECEIPT)
        assert printer.ended.wait(WAIT_S)
    assert printer.jobs == [RECEIPT]
    assert "could not be read" in caplog.text


def test_reading_that_hangs_holds_the_pos_for_less_than_a_second(
    printer: Printer, relay_of: Callable[..., Relay]
) -> None:
    goes_on = threading.Event()

    def hangs(_finished: Finished) -> bytes:
        goes_on.wait(WAIT_S)
        return QR

    began = time.monotonic()
    print_job(relay_of(printer.address, hangs), RECEIPT)
    assert printer.ended.wait(WAIT_S)
    took = time.monotonic() - began
    goes_on.set()
    assert printer.jobs == [RECEIPT]
    assert READ_LIMIT_S <= took < WAIT_S


def test_printer_that_is_off_looks_off_to_the_pos(relay_of: Callable[..., Relay]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    relay = relay_of(f"tcp://127.0.0.1:{port}")
    with pytest.raises(ConnectionError), connect(relay) as pos:
        read_to_end(pos)


def test_printer_that_goes_in_the_middle_is_gone_for_the_pos(relay_of: Callable[..., Relay]) -> None:
    printer = Printer(gone_after=10)
    relay = relay_of(printer.address)
    try:
        with connect(relay) as pos:
            pos.sendall(RECEIPT[:20])
            with pytest.raises(ConnectionError):
                _print_until_it_fails(pos)
    finally:
        printer.close()


def test_job_of_the_terminal_never_mixes_with_one_of_the_pos(
    printer: Printer, relay_of: Callable[..., Relay]
) -> None:
    relay = relay_of(printer.address)
    slip = b"\x1b@SLIP\n\x1dV\x00"
    with connect(relay) as pos:
        pos.sendall(RECEIPT[:-4])
        until(lambda: len(printer.got) > 0)
        printing = threading.Thread(target=relay.print, args=(slip,))
        printing.start()
        pos.sendall(RECEIPT[-4:])
        pos.shutdown(socket.SHUT_WR)
        read_to_end(pos)
    printing.join(WAIT_S)
    until(lambda: bytes(printer.got).endswith(slip))
    assert printer.got == RECEIPT[:-4] + QR + RECEIPT[-4:] + slip


def test_terminal_prints_over_the_connection_that_a_pos_keeps_open(
    printer: Printer, relay_of: Callable[..., Relay]
) -> None:
    """Many printers take one connection: this one would hear of another only after the POS has gone."""
    relay = relay_of(printer.address)
    slip = b"\x1b@SLIP\n\x1dV\x00"
    with connect(relay) as pos:
        pos.sendall(RECEIPT)
        until(lambda: len(printer.got) == len(RECEIPT + QR))
        relay.print(slip)
        pos.sendall(RECEIPT)
        until(lambda: len(printer.got) == len(RECEIPT + QR + slip + RECEIPT + QR))
    assert printer.got.index(slip) == len(RECEIPT + QR)


def test_two_connections_at_once_never_mix_and_both_are_printed(
    printer: Printer, relay_of: Callable[..., Relay]
) -> None:
    relay = relay_of(printer.address)
    other = job("小店\n单号: 2\n合计: 6.00")
    with connect(relay) as pos:
        pos.sendall(RECEIPT[:20])
        until(lambda: len(printer.got) == 20)
        printing = threading.Thread(target=print_job, args=(relay, other))
        printing.start()
        pos.sendall(RECEIPT[20:])
        pos.shutdown(socket.SHUT_WR)
        read_to_end(pos)
    printing.join(WAIT_S)
    until(lambda: len(printer.jobs) == 2)
    assert sorted(printer.jobs) == sorted([RECEIPT[:-4] + QR + RECEIPT[-4:], other[:-4] + QR + other[-4:]])


def test_receipt_without_a_cut_is_kept_until_it_is_understood(
    printer: Printer, relay_of: Callable[..., Relay]
) -> None:
    asked: list[tuple[tuple[str, ...], bool]] = []

    def adds(finished: Finished) -> bytes | None:
        asked.append((finished.paper.lines, finished.final))
        return QR if any("合计" in line for line in finished.paper.lines) else None

    relay = relay_of(printer.address, adds, Patience(quiet_s=0.1, forget_s=30.0))
    with connect(relay) as pos:
        pos.sendall("小店\n单号: 1\n".encode("gb18030"))
        until(lambda: len(asked) == 1)
        pos.sendall("合计: 5.00\n".encode("gb18030"))
        until(lambda: QR in printer.got)
        pos.sendall("小店\n".encode("gb18030"))
        until(lambda: len(asked) == 3)
    assert asked[:3] == [
        (("小店", "单号: 1"), False),
        (("小店", "单号: 1", "合计: 5.00"), False),
        (("小店",), False),
    ]


@pytest.mark.parametrize(("next_job", "kept"), [(b"\x1b@", ("B",)), (b"\x1ba\x01", ("A", "B"))])
def test_paper_that_nobody_understood_is_forgotten_at_the_next_reset(
    printer: Printer, relay_of: Callable[..., Relay], next_job: bytes, kept: tuple[str, ...]
) -> None:
    asked: list[tuple[str, ...]] = []

    def adds(finished: Finished) -> bytes | None:
        asked.append(finished.paper.lines)
        return None

    relay = relay_of(printer.address, adds, Patience(quiet_s=0.1, forget_s=30.0))
    with connect(relay) as pos:
        pos.sendall(b"A\n")
        until(lambda: len(asked) == 1)
        pos.sendall(next_job + b"B\n")
        until(lambda: len(asked) == 2)
    assert asked[1] == kept


def test_paper_that_nobody_understood_ends_after_long_silence(
    printer: Printer, relay_of: Callable[..., Relay]
) -> None:
    asked: list[tuple[tuple[str, ...], bool]] = []

    def adds(finished: Finished) -> bytes | None:
        asked.append((finished.paper.lines, finished.final))
        return None

    relay = relay_of(printer.address, adds, Patience(quiet_s=0.1, forget_s=0.3))
    with connect(relay) as pos:
        pos.sendall(b"A\n")
        until(lambda: len(asked) == 2)
        pos.sendall(b"B\n")
        until(lambda: len(asked) == 3)
    assert asked[:3] == [(("A",), False), (("A",), True), (("B",), False)]


def test_reader_that_hangs_again_and_again_costs_the_pos_one_wait(
    printer: Printer, relay_of: Callable[..., Relay]
) -> None:
    goes_on = threading.Event()

    def hangs(_finished: Finished) -> bytes:
        goes_on.wait(WAIT_S)
        return QR

    relay = relay_of(printer.address, hangs)
    began = time.monotonic()
    for _ in range(8):
        print_job(relay, RECEIPT)
    took = time.monotonic() - began
    goes_on.set()
    until(lambda: len(printer.jobs) == 8)
    assert printer.jobs == [RECEIPT] * 8
    assert READ_LIMIT_S <= took < 2 * READ_LIMIT_S


def test_pos_that_has_said_everything_still_hears_the_printer(
    printer: Printer, relay_of: Callable[..., Relay]
) -> None:
    with connect(relay_of(printer.address)) as pos:
        pos.sendall(RECEIPT + b"\x10\x04\x01")
        pos.shutdown(socket.SHUT_WR)
        assert read_to_end(pos) == b"\x16"


def test_printer_that_says_no_more_still_prints(relay_of: Callable[..., Relay]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        relay = relay_of(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        with connect(relay) as pos:
            silent, _ = server.accept()
            silent.shutdown(socket.SHUT_WR)
            assert read_to_end(pos) == b""
            pos.sendall(RECEIPT)
            pos.shutdown(socket.SHUT_WR)
            assert read_to_end(silent) == RECEIPT[:-4] + QR + RECEIPT[-4:]
            silent.close()


def test_printer_that_never_hangs_up_keeps_no_pos(relay_of: Callable[..., Relay]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        relay = relay_of(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        with connect(relay) as pos:
            stays, _ = server.accept()
            pos.sendall(RECEIPT)
            pos.shutdown(socket.SHUT_WR)
            assert read_to_end(pos) == b""
            stays.close()


def test_slow_printer_gets_everything(relay_of: Callable[..., Relay]) -> None:
    octets = job("小店\n单号: 1\n合计: 5.00") * 2000
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        relay = relay_of(f"tcp://127.0.0.1:{server.getsockname()[1]}", lambda _: b"")
        printing = threading.Thread(target=print_job, args=(relay, octets))
        printing.start()
        slow, _ = server.accept()
        got = read_to_end(slow)
        slow.close()
        printing.join(WAIT_S)
    assert got == octets


def test_device_that_answers_is_heard(relay_of: Callable[..., Relay]) -> None:
    printer_end, device = pty.openpty()
    tty.setraw(device)
    with connect(relay_of(f"file://{os.ttyname(device)}")) as pos:
        pos.sendall(b"\x10\x04\x01")
        assert os.read(printer_end, 3) == b"\x10\x04\x01"
        os.write(printer_end, b"\x16")
        assert pos.recv(1) == b"\x16"
    os.close(printer_end)
    os.close(device)


def test_device_file_gets_what_a_network_printer_gets(tmp_path: Path, relay_of: Callable[..., Relay]) -> None:
    device = tmp_path / "lp0"
    device.touch()
    print_job(relay_of(f"file://{device}"), RECEIPT)
    until(lambda: device.read_bytes().endswith(RECEIPT[-4:]))
    assert device.read_bytes() == RECEIPT[:-4] + QR + RECEIPT[-4:]


def test_device_is_given_free_by_whoever_only_looked_whether_it_is_there() -> None:
    """A USB printer's device opens once: whoever keeps it open keeps everybody else off the printer."""
    master, slave = pty.openpty()
    try:
        path = os.ttyname(slave)
        for _ in range(3):
            open_target(f"file://{path}").close()
        assert opened(path) == 1
    finally:
        os.close(slave)
        os.close(master)


def test_device_that_another_job_holds_is_waited_for() -> None:
    master, slave = pty.openpty()
    path, user = os.ttyname(slave), os.geteuid()
    os.chown(path, user or NOBODY, -1)
    fcntl.ioctl(slave, termios.TIOCEXCL)
    given_free = threading.Timer(0.3, fcntl.ioctl, (slave, termios.TIOCNXCL))
    try:
        # Root may open it all the same.
        os.seteuid(user or NOBODY)
        with pytest.raises(OSError, match="busy"):
            os.open(path, os.O_RDWR | os.O_NOCTTY)
        given_free.start()
        open_target(f"file://{path}").close()
    finally:
        os.seteuid(user)
        given_free.join()
        os.close(slave)
        os.close(master)


def opened(path: str) -> int:
    """How often this process has the file open."""
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found += str(descriptor.readlink()) == path
    return found


def test_port_that_is_taken_is_told_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=str(port)):
            Relay(
                host="127.0.0.1",
                port=port,
                address="tcp://127.0.0.1:9",
                adds=lambda _: b"",
                clock=SystemClock(),
            )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("tcp://192.168.1.50", "tcp://192.168.1.50:9100"),
        (" tcp://printer:9101/ ", "tcp://printer:9101"),
        ("file:///dev/usb/lp0", "file:///dev/usb/lp0"),
        ("spool://XP-80C", "spool://XP-80C"),
        ("tcp://[fe80::1]", "tcp://[fe80::1]:9100"),
    ],
)
def test_addresses_of_printers_have_one_form(given: str, kept: str) -> None:
    assert check_address(given) == kept
    assert check_address(kept) == kept


@pytest.mark.parametrize(
    "given",
    [
        *("", "192.168.1.50", "tcp://", "tcp://a:99999", "file://dev", "http://a"),
        *("tcp://192..1", f"tcp://{'a' * 64}", "tcp://fe80::1:9100"),
    ],
)
def test_addresses_that_no_printer_has_are_refused(given: str) -> None:
    with pytest.raises(InvalidError) as caught:
        check_address(given)
    assert caught.value.code == "printer-address"


def _print_until_it_fails(pos: socket.socket) -> None:
    while True:
        pos.sendall(RECEIPT)
        read_to_end(pos)
