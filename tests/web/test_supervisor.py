"""What systemd hears of the program."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from merchant_agent.terminal.ticker import Ticker
from merchant_agent.web.supervisor import READY, alive_every_s, notify
from tests.clocks import ManualClock
from tests.programs import running_program

TIMEOUT_S = 20


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The end at which systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(TIMEOUT_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield channel


def test_nothing_is_told_where_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify(READY)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify(READY)


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"merchant-agent-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        notify(READY)
        assert channel.recv(64) == READY


@pytest.mark.parametrize(("limit", "every_s"), [("60000000", 30.0), ("0", None), ("", None), ("x", None)])
def test_the_watchdogs_time_is_halved(
    monkeypatch: pytest.MonkeyPatch, limit: str, every_s: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", limit)
    assert alive_every_s() == every_s
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert alive_every_s() is None


def test_the_tick_tells_that_it_goes_on(supervisor: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "4000000")
    clock = ManualClock()
    ticker = Ticker((), clock)
    ticker.tick()
    assert supervisor.recv(64) == b"WATCHDOG=1"
    clock.advance(1)
    ticker.tick()
    clock.advance(1)
    ticker.tick()
    assert supervisor.recv(64) == b"WATCHDOG=1"
    supervisor.settimeout(0)
    with pytest.raises(BlockingIOError):
        supervisor.recv(64)


@pytest.mark.parametrize("program", ["terminal", "central"])
def test_a_program_tells_that_it_is_ready(supervisor: socket.socket, tmp_path: Path, program: str) -> None:
    with running_program(program, "run", "--data", str(tmp_path / "data"), "--port", "0"):
        assert supervisor.recv(64) == READY
