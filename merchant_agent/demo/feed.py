"""Real customers for the demo: each line of a CSV file becomes a sale and a rating with its words.

Everything goes through the doors that a shop uses: the sale through the POS interface, the tap and
"done" through the tablet's own endpoints. What gets no answer is sent again with the same ids, as
a till and a tablet do, so a terminal that is killed meanwhile costs time and nothing else.
"""

from __future__ import annotations

import csv
import json
import random
import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import urllib3

from merchant_agent.clock import Clock
from merchant_agent.errors import ConflictError, InvalidError, StartError
from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.web.pairing import COOKIE

MAX_COMMENT = 1000
PATIENCE_S = 60.0
_PAUSE_S = 0.2
_TIMEOUT_S = 30.0
_LEVELS = {"1": (4, 5), "0": (1, 2)}
_DONE = {200, 201}
# The question went away meanwhile, as after a restart: the next sale asks anew.
_GONE = {404, 409, 410}


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One customer: a level from 1 to 5 and what they wrote."""

    level: int
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thanked:
    """A rating for which the tablet said thank you."""

    answer_id: str
    query_code: str


def read_reviews(path: Path, seed: int, most: int | None = None) -> Iterator[Review]:
    """The customers in a file with the columns `label` (1 satisfied, 0 not) and `review`.

    The same file and seed give the same levels: 4 or 5 for label 1, 1 or 2 for label 0.

    Raises:
        InvalidError: the file cannot be read or lacks a column, or a label is neither 0 nor 1.
    """
    # Chance for a demo, not for a key.
    chance = random.Random(seed)  # noqa: S311
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            for number, row in enumerate(reader):
                if number == most:
                    return
                label, comment = row.get("label"), row.get("review")
                if label not in _LEVELS or comment is None:
                    raise InvalidError(
                        "feed", f"Line {reader.line_num} of {path} has no label 0 or 1 with a review."
                    )
                yield Review(level=chance.choice(_LEVELS[label]), comment=comment.strip()[:MAX_COMMENT])
    except OSError as error:
        raise InvalidError("feed", f"The file {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidError("feed", f"The file {path} is no CSV file in UTF-8: {error}.") from error


class Counter:
    """A till and a tablet of one terminal, driven over HTTP; one customer at a time, one thread.

    `tablet` is the cookie of a paired tablet. `stopped` ends all waiting.
    """

    def __init__(  # noqa: PLR0913 -- what a till and a tablet hold
        self, *, terminal: str, till: str, pos_token: str, tablet: str, clock: Clock, stopped: threading.Event
    ) -> None:
        self._terminal = terminal
        self._till = till
        self._clock = clock
        self._stopped = stopped
        self._http = urllib3.PoolManager(maxsize=1, retries=False, timeout=_TIMEOUT_S)
        self._pos_headers = {"Authorization": f"Bearer {pos_token}", "Content-Type": "application/json"}
        parts = urlsplit(terminal)
        self._tablet_headers = {
            "Content-Type": "application/json",
            "Cookie": f"{COOKIE}={tablet}",
            "Origin": f"{parts.scheme}://{parts.netloc}",
        }
        self._run = secrets.token_hex(3)
        self._orders = 0

    def serve(self, review: Review) -> Thanked | None:
        """One customer from the sale to the thanks; None when `stopped` came first.

        Raises:
            StartError: the terminal refuses, or does not answer for a minute.
        """
        while not self._stopped.is_set():
            try:
                return self._sell_and_ask(review)
            except ConflictError:
                continue
        return None

    def _sell_and_ask(self, review: Review) -> Thanked | None:
        """One sale and its rating.

        Raises:
            ConflictError: the question went away before it was answered.
        """
        self._orders += 1
        order = {"order": f"{self._run}-{self._orders}", "till": self._till}
        sale = self._call("POST", "/pos/v1/sales", self._pos_headers, order)
        if sale is None:
            return None
        answer_id = new_id(self._clock.now())
        answer = {
            "prompt": sale["prompt"]["id"],
            "level": review.level,
            "tags": [],
            "aspects": {},
            "comment": review.comment,
            "lang": "zh",
        }
        path = f"/kiosk/api/answers/{answer_id}"
        if self._call("PUT", path, self._tablet_headers, answer) is None:
            return None
        done = answer | {"ended": "done", "dwell_ms": 4000}
        thanks = self._call("POST", f"{path}/done", self._tablet_headers, done)
        return None if thanks is None else Thanked(answer_id=answer_id, query_code=thanks["query_code"])

    def _call(
        self, method: str, path: str, headers: Mapping[str, str], body: object
    ) -> dict[str, Any] | None:
        """The answer, asked for until there is one; None when `stopped` came first.

        Raises:
            ConflictError: the question went away.
            StartError: the terminal refuses, or does not answer for a minute.
        """
        octets = json.dumps(body).encode("utf-8")
        patient_until = self._clock.mono() + PATIENCE_S
        while not self._stopped.is_set():
            answer = self._try(method, path, headers, octets)
            if answer is not None and answer.status in _DONE:
                decoded: dict[str, Any] = json.loads(answer.data)
                return decoded
            if answer is not None and answer.status in _GONE:
                raise ConflictError("gone", f"{method} {path}: {answer.status}")
            if answer is not None and answer.status not in {429, 503, 507}:
                detail = answer.data[:200].decode("utf-8", "replace")
                raise StartError(f"The terminal answered {method} {path} with {answer.status}: {detail}")
            if self._clock.mono() > patient_until:
                raise StartError(f"The terminal did not take {method} {path} for {PATIENCE_S:.0f} s.")
            self._stopped.wait(_PAUSE_S)
        return None

    def _try(
        self, method: str, path: str, headers: Mapping[str, str], octets: bytes
    ) -> urllib3.BaseHTTPResponse | None:
        """The answer; None where the connection failed."""
        try:
            return self._http.request(method, urljoin(self._terminal, path), headers=headers, body=octets)
        except urllib3.exceptions.HTTPError:
            return None
