"""A shop's terminal served by this process, whose clock and state a test sets, at an address that browsers reach."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from flask import Flask
from playwright.sync_api import Page, expect
from waitress import wasyncore
from waitress.server import create_server

from merchant_agent.terminal.accounts import set_password, set_pin
from merchant_agent.terminal.app import create_app
from merchant_agent.terminal.pos.connections import Connections
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.uploader import Uploader
from tests.e2e.people import at_shop

PIN, PASSWORD = "271828", "correct horse battery"
# Where it is reached; the pages tell it to tablets and tills.
_LOOPBACK = "127.0.0.1"
# A browser keeps several connections, and a tablet's long poll one thread.
_THREADS = 12
_TURN_S = 0.05


class Served:
    """The terminal's pages until the block ends; `connections` are its POSs, at work meanwhile."""

    def __init__(self, terminal: Terminal, *, uploader: Uploader | None = None, is_open: bool = True) -> None:
        self.terminal = terminal
        self.connections = Connections(terminal)
        uploader = uploader or Uploader(terminal, Client())
        self.app: Flask = create_app(terminal, uploader, is_open=is_open, connections=self.connections)
        self._sockets: dict[int, object] = {}
        self._server = create_server(
            self.app, map=self._sockets, host=_LOOPBACK, port=0, threads=_THREADS, ident=""
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self.url = f"http://{_LOOPBACK}:{self._server.effective_port}"

    def see(self, page: Page, path: str, lang: str) -> None:
        """Opens a page of it in a language."""
        page.goto(at_shop(f"{self.url}{path}{'&' if '?' in path else '?'}lang={lang}"))

    def sign_in(self, page: Page, path: str, lang: str) -> None:
        """Opens a page of the counter or the manager, whose secret is known."""
        self.see(page, path, lang)
        is_manager = path.startswith("/manager")
        page.locator("input[type=password]").fill(PASSWORD if is_manager else PIN)
        page.locator("form:has(input[type=password]) button[type=submit]").click()
        expect(page.locator("input[name=secret]")).to_have_count(0)

    def set_secrets(self) -> Self:
        """The staff have a PIN, the manager a password."""
        set_pin(self.terminal.store, self.terminal.clock, PIN, who="test")
        set_password(self.terminal.store, self.terminal.clock, PASSWORD, who="test")
        return self

    def __enter__(self) -> Self:
        self.connections.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.terminal.bell.close()
        # Whoever answers still needs the sockets, which go last.
        self._server.task_dispatcher.shutdown()
        self._ended.set()
        self._thread.join()
        wasyncore.close_all(self._sockets, ignore_all=True)
        self.connections.stop()

    def _serve(self) -> None:
        while not self._ended.is_set():
            wasyncore.loop(timeout=_TURN_S, map=self._sockets, count=1)
