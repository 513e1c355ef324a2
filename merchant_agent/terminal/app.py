"""The terminal put together: settings -> store -> services -> web -> uploader and schedule."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Flask

from merchant_agent.clock import SystemClock
from merchant_agent.errors import StartError
from merchant_agent.settings import TerminalSettings, keep_good_copy
from merchant_agent.store.store import Reader
from merchant_agent.store.whereabouts import forget_whereabouts, tell_whereabouts
from merchant_agent.terminal.accounts import has_pin
from merchant_agent.terminal.administration import note_stop
from merchant_agent.terminal.beginning import Beginning
from merchant_agent.terminal.devices import list_tablets
from merchant_agent.terminal.inbox import Inbox
from merchant_agent.terminal.log.indices import Indices
from merchant_agent.terminal.pos.connections import Connections
from merchant_agent.terminal.printing import SlipPrinting
from merchant_agent.terminal.schedule import Schedule
from merchant_agent.terminal.services import Terminal, close_terminal, open_terminal
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.uploader import Uploader
from merchant_agent.terminal.web.address import is_loopback
from merchant_agent.terminal.web.counter import counter
from merchant_agent.terminal.web.health import health
from merchant_agent.terminal.web.kiosk import kiosk
from merchant_agent.terminal.web.kiosk_api import kiosk_api
from merchant_agent.terminal.web.manager import manager
from merchant_agent.terminal.web.messages import messages
from merchant_agent.terminal.web.pairing import pairing
from merchant_agent.terminal.web.pos_api import pos_api
from merchant_agent.terminal.web.pos_setup import pos_setup
from merchant_agent.terminal.web.ready import ready
from merchant_agent.terminal.web.sign_in import PAGES, sign_in
from merchant_agent.terminal.web.tablets import tablets
from merchant_agent.web.app import exempt_from_csrf, load_secret, make_app
from merchant_agent.web.logs import start_logging
from merchant_agent.web.parts import WebParts
from merchant_agent.web.server import Crew, announce, serve
from merchant_agent.web.supervisor import READY, notify

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 -- only once a PIN is set

# Beside the long polls, one for each tablet: pages, taps and tills must never wait for them.
_SPARE_THREADS = 14
_API_PATHS = ("/kiosk/api/", "/pos/", "/healthz", "/readyz", "/metrics")
_SESSION_HOURS = 12
_NOBODY = {"shop_name": ""}


def create_app(
    terminal: Terminal,
    uploader: Uploader,
    *,
    is_open: bool,
    crew: Crew | None = None,
    connections: Connections | None = None,
) -> Flask:
    """The pages and interfaces of an open terminal; `is_open` tells whether the network reaches them.

    For each tablet that is paired the `crew` that serves them becomes larger.
    """
    connections = connections or Connections(terminal)
    app = make_app(
        WebParts(
            name="terminal",
            store=terminal.store,
            clock=terminal.clock,
            zone=ZoneInfo(terminal.settings.zone),
            catalogue=terminal.catalogue,
            secret=load_secret(terminal.folder.keys / "forms.key"),
            api_paths=_API_PATHS,
            sign_in_pages=PAGES,
            session_hours=_SESSION_HOURS,
        )
    )

    def more_threads() -> None:
        if crew is not None:
            crew.raise_to(_threads(terminal))

    for blueprint in (
        pairing(terminal, more_threads),
        ready(terminal),
        kiosk(terminal),
        kiosk_api(terminal, SlipPrinting(terminal, connections.printer_of)),
        pos_api(terminal, connections.sightings),
        counter(terminal, uploader, is_open=is_open),
        tablets(terminal, is_open=is_open),
        manager(terminal, is_open=is_open),
        pos_setup(terminal, connections, is_open=is_open),
        messages(terminal),
        sign_in(terminal),
        health(terminal, uploader, connections),
    ):
        app.register_blueprint(blueprint)
    exempt_from_csrf(app, "pairing", "ready", "kiosk_api", "pos_api")
    app.context_processor(
        lambda: {"shop": terminal.journal.identity.merchant if terminal.journal.enrolled else _NOBODY}
    )
    return app


def run(settings: TerminalSettings, *, as_json: bool) -> None:
    """Serves the terminal until it is told to stop; from the main thread.

    Raises:
        StartError: one sentence: the folder is in use, the port is busy, no PIN is set for the network.
        SettingsError: a file that the settings name cannot be used.
    """
    start_logging(settings.data, "terminal", settings.log_bytes)
    terminal = open_terminal(settings, SystemClock(ZoneInfo(settings.zone)))
    with ExitStack() as ends:
        ends.callback(close_terminal, terminal)
        ends.push(_note_orderly_stop(terminal))
        with terminal.store.read() as reader:
            host = choose_host(reader, settings.host)
        crew, threads = Crew(), _threads(terminal)
        beginning = Beginning(terminal)
        client = Client(proxy=settings.proxy, ca_file=settings.central_ca)
        uploader = Uploader(
            terminal, client, inbox=Inbox(terminal, client), indices=Indices(terminal, client)
        )
        connections = Connections(terminal)
        app = create_app(
            terminal, uploader, is_open=not is_loopback(host), crew=crew, connections=connections
        )
        schedule = Schedule(terminal, uploader)
        serve(
            app,
            host=host,
            port=settings.port,
            threads=threads,
            on_ready=_start_work(
                terminal,
                host,
                beginning,
                uploader,
                schedule,
                connections,
                ends,
                announce("terminal", as_json=as_json),
            ),
            on_stop=terminal.bell.close,
            crew=crew,
        )


def _note_orderly_stop(
    terminal: Terminal,
) -> Callable[[type[BaseException] | None, BaseException | None, TracebackType | None], bool]:
    """What remembers the stop, unless an error ends the program."""

    def note(
        _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        if error is None:
            note_stop(terminal)
        return False

    return note


def _threads(terminal: Terminal) -> int:
    with terminal.store.read() as reader:
        return len(list_tablets(reader)) + _SPARE_THREADS


def choose_host(reader: Reader, wanted: str) -> str:
    """The address to listen on: this machine's own until the staff have a PIN.

    Raises:
        StartError: the settings want the network, and no PIN is set.
    """
    if has_pin(reader):
        return wanted or EVERYWHERE
    if wanted and not is_loopback(wanted):
        raise StartError(
            f"Before the network may enter at {wanted}, a staff PIN must be set: merchant-agent terminal set-pin."
        )
    return wanted or LOOPBACK


def _start_work(  # noqa: PLR0913, PLR0917 -- what a start consists of
    terminal: Terminal,
    host: str,
    beginning: Beginning,
    uploader: Uploader,
    schedule: Schedule,
    connections: Connections,
    ends: ExitStack,
    announce_ready: Callable[[str], None],
) -> Callable[[str], None]:
    """What begins once the pages answer: a person who waits for them comes first."""

    def begin(url: str) -> None:
        keep_good_copy(TerminalSettings, terminal.settings.data)
        ends.callback(forget_whereabouts, terminal.folder.path)
        port = urlsplit(url).port or terminal.settings.port
        tell_whereabouts(terminal.folder.path, host, port, terminal.settings.central_url)
        ends.callback(beginning.stop)
        beginning.start()
        ends.callback(uploader.stop)
        uploader.start()
        ends.callback(schedule.stop)
        schedule.start()
        ends.callback(connections.stop)
        connections.start()
        announce_ready(url)
        notify(READY)

    return begin
