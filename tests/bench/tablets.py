"""Paired tablets that behave like the page: one long poll each, and taps on a connection of its own.

All of them are one process here and machines of their own in a shop. So that none waits for
another in this process, one thread does no more for each than to send and to read.
"""

from __future__ import annotations

import json
import selectors
import threading
from collections.abc import Callable, Sequence
from time import perf_counter
from urllib.parse import quote

from merchant_agent.clock import SystemClock
from merchant_agent.demo.running import Running
from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.web.pairing import COOKIE
from tests.bench.line import Line


class Polls:
    """Long polls of the tablets of a demo, or of those with these tokens, until `close`.

    `heard` gets the order number of each question that a tablet is told of, with the tablet's place
    among them.
    """

    def __init__(
        self,
        demo: Running,
        tablets: Sequence[str] | None = None,
        heard: Callable[[int, str], None] = lambda _tablet, _order: None,
    ) -> None:
        self._closing = threading.Event()
        self._heard = heard
        tokens = demo.state.tablets if tablets is None else tablets
        self._polls = [(Line(demo.terminal.url), f"{COOKIE}={token}") for token in tokens]
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """No further poll begins; those that wait are given up."""
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        with selectors.DefaultSelector() as selector:
            for place, (line, cookie) in enumerate(self._polls):
                selector.register(line.socket, selectors.EVENT_READ, (place, line, cookie))
                _ask(line, cookie, "")
            while not self._closing.is_set():
                for key, _ in selector.select(timeout=0.2):
                    place, line, cookie = key.data
                    body = line.receive()
                    if body is not None:
                        screen = json.loads(body)
                        if screen["question"] is not None:
                            self._heard(place, screen["question"]["order"])
                        _ask(line, cookie, screen["version"])
            for line, _ in self._polls:
                line.close()


class Customer:
    """Somebody at one till and tablet."""

    def __init__(self, demo: Running, till: str, tablet: str) -> None:
        self.line = Line(demo.terminal.url)
        self._till = till
        self._clock = SystemClock()
        self._pos = {"Authorization": f"Bearer {demo.state.pos_token}", "Content-Type": "application/json"}
        self._tablet = {
            "Cookie": f"{COOKIE}={tablet}",
            "Content-Type": "application/json",
            "Origin": demo.terminal.url,
        }

    def begin(self, order: str, level: int, comment: str) -> bytes:
        """Buys and taps; the request that says "done"."""
        sold = {"order": order, "till": self._till}
        sale = self.line.call(self.line.request("POST", "/pos/v1/sales", self._pos, sold))
        answer = {
            "prompt": sale["prompt"]["id"],
            "level": level,
            "tags": [],
            "aspects": {},
            "comment": comment,
            "lang": "zh",
        }
        path = f"/kiosk/api/answers/{new_id(self._clock.now())}"
        self.line.call(self.line.request("PUT", path, self._tablet, answer))
        done = answer | {"ended": "done", "dwell_ms": 4000}
        return self.line.request("POST", f"{path}/done", self._tablet, done)

    def finish(self, done: bytes) -> float:
        """Presses done; the seconds until the thanks."""
        begun = perf_counter()
        self.line.call(done)
        return perf_counter() - begun


def finish_together(customers: Sequence[Customer], done: Sequence[bytes]) -> list[float]:
    """All press done at the same moment; the seconds until each thanks."""
    seconds = []
    with selectors.DefaultSelector() as selector:
        for customer in customers:
            selector.register(customer.line.socket, selectors.EVENT_READ, customer.line)
        begun = perf_counter()
        for customer, request in zip(customers, done, strict=True):
            customer.line.send(request)
        while selector.get_map():
            for key, _ in selector.select():
                if key.data.receive() is not None:
                    seconds.append(perf_counter() - begun)
                    selector.unregister(key.fileobj)
    return seconds


def _ask(line: Line, cookie: str, version: str) -> None:
    line.send(line.request("GET", f"/kiosk/api/screen?version={quote(version)}", {"Cookie": cookie}))
