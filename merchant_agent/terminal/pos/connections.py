"""All ways by which sales come by themselves, as they are set up now: opened with the terminal, changed without a restart."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final, Protocol

from merchant_agent.errors import InvalidError, StartError, StoreError
from merchant_agent.terminal.pos.loop import Loop
from merchant_agent.terminal.pos.printer.patterns import Patterns
from merchant_agent.terminal.pos.sightings import Sightings
from merchant_agent.terminal.pos.states import State, StateCode
from merchant_agent.terminal.pos.trying import try_way
from merchant_agent.terminal.pos.ways import FolderDetails, OdooDetails, PrinterDetails, Way, list_ways
from merchant_agent.terminal.pos.words import load_patterns
from merchant_agent.terminal.services import Terminal

if TYPE_CHECKING:
    from merchant_agent.terminal.pos.folder import Folder
    from merchant_agent.terminal.pos.odoo.polling import OdooPolling
    from merchant_agent.terminal.pos.printer.printers import PrinterTap
    from merchant_agent.terminal.pos.printer.relay import Relay

_log = logging.getLogger(__name__)

_OFF: Final = State(code=StateCode.OFF)
_OF_WAY: Final = "way-"


class Running(Protocol):
    """A way at work."""

    @property
    def state(self) -> State:
        """How it stands."""
        ...

    def note(self, state: State) -> None:
        """Stands so from now on, as was found by a try beside it; until its own work finds otherwise."""
        ...

    def close(self) -> None:
        """Ends it."""
        ...


class Connections:
    """The ways at work; nothing is until `start`. `sightings` are of all, by `source_of`."""

    def __init__(self, terminal: Terminal) -> None:
        self.sightings = Sightings()
        self._terminal = terminal
        self._lock = threading.Lock()  # guards the four below
        self._runs = False
        self._running: dict[int, tuple[Way, Running]] = {}
        self._failed: dict[int, tuple[Way, State]] = {}
        self._patterns = Patterns()

    def start(self) -> None:
        """Opens what is set up and on; what cannot be opened is a state, and no end of the terminal."""
        with self._lock:
            self._runs = True
        try:
            self.apply()
        except StoreError as error:
            _log.error("the ways by which sales come could not be read: %s", error.code)

    def stop(self) -> None:
        """Ends all of it."""
        with self._lock:
            self._runs = False
            running, self._running = self._running, {}
        for _, run in running.values():
            run.close()

    def apply(self) -> None:
        """Brings what runs up to what is set up; what did not change goes on as it is.

        Raises:
            StoreError: it could not be read.
        """
        # Read under the lock: of two callers the later one has what is newer.
        with self._lock:
            with self._terminal.store.read() as reader:
                ways = {way.number: way for way in list_ways(reader)}
                self._patterns = load_patterns(reader)
            if not self._runs:
                return
            for number, (way, run) in tuple(self._running.items()):
                if ways.get(number) != way:
                    run.close()
                    del self._running[number]
            self._failed.clear()
            for number, way in ways.items():
                if way.enabled and number not in self._running:
                    self._open(way)

    def state(self, way: Way) -> State:
        """How a way stands."""
        with self._lock:
            if way.number in self._running:
                return self._running[way.number][1].state
            return self._failed[way.number][1] if way.number in self._failed else _OFF

    def check(self, way: Way) -> State:
        """Tries a way that is on, which stands so from then on; may take seconds."""
        with self._lock:
            running = self._running.get(way.number)
        if running is None:
            return self.state(way)
        tried = try_way(way.details)
        running[1].note(tried)
        return tried

    def printer(self, number: int) -> PrinterTap:
        """A printer at work, to print something of the terminal's own.

        Raises:
            InvalidError: "printer-off".
        """
        with self._lock:
            running = self._running.get(number)
        if running is None or not isinstance(running[1], _Printer):
            raise InvalidError("printer-off", "this printer is off")
        return running[1].tap

    def printer_of(self, till: str) -> Relay | None:
        """A printer at work through which that till prints, else one of every till; None where there is none."""
        with self._lock:
            printers = {way.till: run for way, run in self._running.values() if isinstance(run, _Printer)}
        found = printers.get(till) or printers.get("")
        return None if found is None else found.tap.relay

    def _open(self, way: Way) -> None:
        try:
            self._running[way.number] = (way, self._make(way))
        except StartError as error:
            self._failed[way.number] = (way, State(code=StateCode.PORT_TAKEN, detail=str(error)))

    def _make(self, way: Way) -> Running:
        # Most shops have one of them, and many none: what is not needed is not loaded.
        show = self.sightings.adder(source_of(way.number))
        match way.details:
            case PrinterDetails() as details:
                from merchant_agent.terminal.pos.printer.printers import PrinterTap  # noqa: PLC0415 -- as said

                tap = PrinterTap(self._terminal, way, details, patterns=self._read_patterns, show=show)
                return _Printer(tap)
            case FolderDetails() as details:
                from merchant_agent.terminal.pos.folder import LOOK_EVERY_S, Folder  # noqa: PLC0415 -- as said

                folder = Folder(self._terminal, way, details, patterns=self._read_patterns, show=show)
                return _Looking(folder, Loop(f"folder-{way.number}", folder.look, every_s=LOOK_EVERY_S))
            case OdooDetails() as details:
                from merchant_agent.terminal.pos.odoo.polling import POLL_EVERY_S, OdooPolling  # noqa: PLC0415 -- as said

                polling = OdooPolling(self._terminal, way, details, show=show)
                return _Looking(polling, Loop(f"odoo-{way.number}", polling.look, every_s=POLL_EVERY_S))

    def _read_patterns(self) -> Patterns:
        return self._patterns


class _Printer:
    def __init__(self, tap: PrinterTap) -> None:
        self.tap = tap

    @property
    def state(self) -> State:
        trouble = self.tap.relay.trouble
        if trouble:
            return State(code=StateCode.UNREACHABLE, detail=trouble)
        return State(code=StateCode.CONNECTED)

    def note(self, state: State) -> None:
        self.tap.relay.note("" if state.is_good else state.detail or state.code)

    def close(self) -> None:
        self.tap.close()


class _Looking:
    def __init__(self, what: Folder | OdooPolling, loop: Loop) -> None:
        self._what = what
        self._loop = loop

    @property
    def state(self) -> State:
        return self._what.state

    def note(self, state: State) -> None:
        self._what.state = state

    def close(self) -> None:
        self._loop.close()


def source_of(number: int) -> str:
    """Under which name a way's sightings are kept."""
    return f"{_OF_WAY}{number}"


def is_of_a_way(source: str) -> bool:
    """Whether `source_of` made the name; else it is of a till's token."""
    return source.startswith(_OF_WAY)
