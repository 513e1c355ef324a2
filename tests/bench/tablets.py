"""Paired tablets that behave like the page: one long poll each, and taps on a connection of its own."""

from __future__ import annotations

import http.client
import json
import threading
from time import perf_counter
from typing import Any
from urllib.parse import quote, urlsplit

from merchant_agent.clock import SystemClock
from merchant_agent.demo.running import Running
from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.web.pairing import COOKIE

_TIMEOUT_S = 60.0


class Polls:
    """Long polls of all tablets of a demo, until `close`."""

    def __init__(self, demo: Running) -> None:
        self._demo = demo
        self._closing = threading.Event()
        for tablet in demo.state.tablets:
            threading.Thread(target=self._poll, args=(tablet,), daemon=True).start()

    def close(self) -> None:
        """No further poll begins."""
        self._closing.set()

    def _poll(self, tablet: str) -> None:
        connection = http.client.HTTPConnection(urlsplit(self._demo.terminal.url).netloc, timeout=_TIMEOUT_S)
        version = ""
        while not self._closing.is_set():
            path = f"/kiosk/api/screen?version={quote(version)}"
            try:
                connection.request("GET", path, headers={"Cookie": f"{COOKIE}={tablet}"})
                version = json.loads(connection.getresponse().read())["version"]
            except (OSError, http.client.HTTPException):
                # The terminal was stopped: so are its tablets.
                return


class Customer:
    """Somebody at one till and tablet, in one thread."""

    def __init__(self, demo: Running, till: str, tablet: str) -> None:
        netloc = urlsplit(demo.terminal.url).netloc
        self._connection = http.client.HTTPConnection(netloc, timeout=_TIMEOUT_S)
        self._till = till
        self._clock = SystemClock()
        self._pos = {"Authorization": f"Bearer {demo.state.pos_token}", "Content-Type": "application/json"}
        self._tablet = {
            "Cookie": f"{COOKIE}={tablet}",
            "Content-Type": "application/json",
            "Origin": demo.terminal.url,
        }

    def begin(self, order: str, level: int, comment: str) -> tuple[str, dict[str, object]]:
        """Buys and taps; the path and message of "done", which `finish` takes."""
        sale = self._call("POST", "/pos/v1/sales", self._pos, {"order": order, "till": self._till})
        answer = {
            "prompt": sale["prompt"]["id"],
            "level": level,
            "tags": [],
            "aspects": {},
            "comment": comment,
            "lang": "zh",
        }
        path = f"/kiosk/api/answers/{new_id(self._clock.now())}"
        self._call("PUT", path, self._tablet, answer)
        return f"{path}/done", answer | {"ended": "done", "dwell_ms": 4000}

    def finish(self, path: str, message: dict[str, object]) -> float:
        """Presses done; the seconds until the thanks."""
        begun = perf_counter()
        self._call("POST", path, self._tablet, message)
        return perf_counter() - begun

    def _call(self, method: str, path: str, headers: dict[str, str], message: object) -> dict[str, Any]:
        self._connection.request(method, path, json.dumps(message).encode(), headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status not in {http.client.OK, http.client.CREATED}:
            raise RuntimeError(f"{method} {path} was answered with {answer.status}: {body[:200]!r}")
        told: dict[str, Any] = json.loads(body)
        return told
