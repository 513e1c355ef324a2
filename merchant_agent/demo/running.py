"""The demo's two programs, started, watched over and stopped together."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from merchant_agent.clock import SystemClock
from merchant_agent.demo.processes import Child, stop_all
from merchant_agent.demo.setup import (
    enrol_where_needed,
    new_kiosk_link,
    opened_terminal,
    prepare_central,
    prepare_terminal,
)
from merchant_agent.demo.state import DemoFolder, DemoState, load_state
from merchant_agent.errors import StartError
from merchant_agent.settings import CentralSettings, TerminalSettings, Value, load

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A demo whose programs answer."""

    folder: DemoFolder
    state: DemoState
    central: Child
    terminal: Child
    kiosk: str
    issuer: str
    merchant: str

    @property
    def children(self) -> tuple[Child, Child]:
        """Both programs; the terminal first, as it is to be stopped first."""
        return self.terminal, self.central

    def look_after(self) -> None:
        """Starts again whichever program has ended.

        Raises:
            StartError: it cannot start any more.
        """
        for child in self.children:
            child.revive()


@contextmanager
def running_demo(path: Path, *, terminal_port: int, central_port: int, tablets: int) -> Iterator[Running]:
    """A central and an enrolled terminal on this machine, until the block ends.

    A port of 0 has a free one chosen. `tablets` are those that the feed needs.

    Raises:
        MerchantAgentError: one sentence: a port is busy, the folder is in use, a setting is wrong.
    """
    folder = DemoFolder(path=path.expanduser().absolute())
    state = load_state(folder)
    at_terminal = _flags(terminal_port, "--terminal-port")
    at_central = _flags(central_port, "--central-port") | {
        "database": "",
        "checkpoint_lock": str(folder.checkpoint_lock),
    }
    terminal_settings = load(TerminalSettings, folder.terminal, flags=at_terminal).settings
    central_settings = load(CentralSettings, folder.central, flags=at_central).settings
    clock = SystemClock()
    started: list[Child] = []
    try:
        with opened_terminal(terminal_settings, clock) as opened:
            ready = prepare_central(central_settings, clock, folder, state)
            central = _central(folder, central_settings.port)
            started.append(central)
            central.start()
            enrol_where_needed(opened, central.url, ready)
            state = prepare_terminal(opened, folder, state, tablets=tablets)
            kiosk = new_kiosk_link(opened)
            issuer = opened.journal.identity.issuer
        terminal = _terminal(folder, terminal_settings.port, central.url)
        started.insert(0, terminal)
        terminal.start()
        yield Running(
            folder=folder,
            state=state,
            central=central,
            terminal=terminal,
            kiosk=f"{terminal.url}/kiosk/pair/{kiosk}",
            issuer=issuer,
            merchant=ready.merchant,
        )
    finally:
        stop_all(started)


def choose_port(port: int, option: str) -> int:
    """The port if nobody listens on it, a free one instead of 0; `option` is how another is chosen.

    Raises:
        StartError: it is busy, or not for us.
    """
    with socket.socket() as probe:
        # As the programs themselves do: connections that are only fading away are nobody's.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise StartError(
                    f"Port {port} is in use by another program; choose another with {option}."
                ) from error
            raise StartError(f"Port {port} cannot be used: {error.strerror}.") from error
        return int(probe.getsockname()[1])


def _flags(port: int, option: str) -> dict[str, Value | None]:
    return {"host": LOOPBACK, "port": choose_port(port, option)}


def _central(folder: DemoFolder, port: int) -> Child:
    lock = str(folder.checkpoint_lock)
    environment = {"MERCHANT_AGENT_DATABASE": "", "MERCHANT_AGENT_CHECKPOINT_LOCK": lock}
    return _child("central", folder.central, port, environment)


def _terminal(folder: DemoFolder, port: int, central_url: str) -> Child:
    # Where central listens may change from start to start; what the terminal was told at its enrolment not.
    return _child("terminal", folder.terminal, port, {"MERCHANT_AGENT_CENTRAL_URL": central_url})


def _child(name: str, data: Path, port: int, environment: dict[str, str]) -> Child:
    return Child(
        name=name,
        arguments=[name, "run", "--data", str(data), "--host", LOOPBACK, "--port", str(port)],
        log=data / f"{name}.out",
        environment=environment,
    )
