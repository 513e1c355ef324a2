"""Paired tablets that behave like the page: one long poll each, and taps on a connection of its own.

All of them are one process here and machines of their own in a shop. So that none waits for
another in this process, one thread does no more for each than to send and to read.
"""

from __future__ import annotations

import json
import selectors
import threading
from collections.abc import Sequence
from time import perf_counter
from urllib.parse import quote

from merchant_agent.clock import SystemClock
from merchant_agent.demo.running import Running
from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.web.pairing import COOKIE
from tests.bench.line import Line


class Polls:
    """Long polls of all tablets of a demo, until `close`."""

    def __init__(self, demo: Running) -> None:
        self._closing = threading.Event()
        self._polls = [(Line(demo.terminal.url), f"{COOKIE}={tablet}") for tablet in demo.state.tablets]
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """No further poll begins; those that wait are given up."""
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        with selectors.DefaultSelector() as selector:
            for line, cookie in self._polls:
                selector.register(line.socket, selectors.EVENT_READ, (line, cookie))
                _ask(line, cookie, "")
            while not self._closing.is_set():
                for key, _ in selector.select(timeout=0.2):
                    line, cookie = key.data
                    body = line.receive()
                    if body is not None:
                        _ask(line, cookie, json.loads(body)["version"])
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
