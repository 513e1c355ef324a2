"""Real customers for the demo: each line of a CSV file becomes a sale and a rating with its words.

Everything goes through the doors that a shop uses: the sale through the POS interface, the tap and
"done" through the tablet's own endpoints.
"""

from __future__ import annotations

import csv
import json
import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import urllib3

from merchant_agent.clock import Clock
from merchant_agent.errors import InvalidError, StartError
from merchant_agent.evidence.record import new_id

MAX_COMMENT = 1000
_LEVELS = {"1": (4, 5), "0": (1, 2)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One customer: a level from 1 to 5 and what they wrote."""

    level: int
    comment: str


def read_reviews(path: Path, seed: int, most: int | None = None) -> Iterator[Review]:
    """The customers in a file with the columns `label` (1 satisfied, 0 not) and `review`.

    The same file and seed give the same levels: 4 or 5 for label 1, 1 or 2 for label 0.

    Raises:
        InvalidError: the file lacks a column, or a label is neither 0 nor 1.
    """
    # Chance for a demo, not for a key.
    chance = random.Random(seed)  # noqa: S311
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                if most is not None and number - 2 >= most:
                    return
                label, comment = row.get("label"), row.get("review")
                if label not in _LEVELS or comment is None:
                    raise InvalidError("feed", f"line {number} of {path} has no label 0 or 1 with a review")
                yield Review(level=chance.choice(_LEVELS[label]), comment=comment.strip()[:MAX_COMMENT])
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidError("feed", f"{path} cannot be read as UTF-8 text: {error}") from error


class Customers:
    """A till and a tablet of one terminal, driven over HTTP. One customer at a time."""

    def __init__(self, terminal: str, pos_token: str, clock: Clock) -> None:
        self._terminal = terminal
        self._clock = clock
        self._http = urllib3.PoolManager(maxsize=1, retries=False, timeout=30.0)
        self._pos_headers = {"Authorization": f"Bearer {pos_token}", "Content-Type": "application/json"}
        parts = urlsplit(terminal)
        self._tablet_headers = {
            "Content-Type": "application/json",
            "Origin": f"{parts.scheme}://{parts.netloc}",
        }
        self._run = secrets.token_hex(3)

    def pair(self, kiosk: str) -> None:
        """Becomes a paired tablet by the one-time address `kiosk`."""
        answer = self._http.request("GET", kiosk, redirect=False)
        cookie = answer.headers.get("Set-Cookie", "")
        if not cookie:
            raise StartError(f"The tablet could not be paired: HTTP {answer.status}.")
        self._tablet_headers["Cookie"] = cookie.split(";", maxsplit=1)[0]

    def serve(self, number: int, review: Review) -> str:
        """One sale, one tap, one "done": the query code that the customer was thanked with."""
        sale = self._call(
            "POST", "/pos/v1/sales", self._pos_headers, {"order": f"{self._run}-{number}", "till": "1"}
        )
        answer_id = new_id(self._clock.now())
        answer = {
            "prompt": sale["prompt"]["id"],
            "level": review.level,
            "tags": [],
            "comment": review.comment,
            "lang": "zh",
        }
        self._call("PUT", f"/kiosk/api/answers/{answer_id}", self._tablet_headers, answer)
        done = answer | {"ended": "done", "dwell_ms": 4000}
        thanks = self._call("POST", f"/kiosk/api/answers/{answer_id}/done", self._tablet_headers, done)
        return str(thanks["query_code"])

    def _call(
        self, method: str, path: str, headers: dict[str, str], body: object
    ) -> dict[str, dict[str, str]]:
        answer = self._http.request(
            method, urljoin(self._terminal, path), headers=headers, body=json.dumps(body).encode("utf-8")
        )
        if answer.status not in {200, 201}:
            detail = answer.data[:200].decode("utf-8", "replace")
            raise StartError(f"{method} {path} was answered with {answer.status}: {detail}")
        decoded: dict[str, dict[str, str]] = json.loads(answer.data)
        return decoded
