"""What was seen last of each way, for the page that connects a POS: in memory only.

Receipts may hold names and telephone numbers, so none is ever written to the disk.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

KEPT = 20
_MOST_LINES = 120


class Outcome(StrEnum):
    """What came of it."""

    ASKED = "asked"  # a new prompt
    KNOWN = "known"  # the same sale was there before
    DRY_RUN = "dry_run"  # it would have been a prompt
    NO_SALE = "no_sale"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One paper, file, request or order as it was understood; empty where a part was not found.

    `kind` is a `JobKind` for papers; `why` is the word that decided, or the code of an error.
    """

    at: datetime
    outcome: Outcome
    kind: str = ""
    order: str = ""
    amount: str = ""
    why: str = ""
    lines: tuple[str, ...] = ()


_SALES = frozenset({Outcome.ASKED, Outcome.KNOWN, Outcome.DRY_RUN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What came of a source since the start: sales, whatever became of them, what was refused, and the newest sale."""

    sales: int = 0
    refused: int = 0
    last_sale_at: datetime | None = None

    def count(self, sighting: Sighting) -> Tally:
        """With one more."""
        is_sale = sighting.outcome in _SALES
        return Tally(
            sales=self.sales + is_sale,
            refused=self.refused + (sighting.outcome is Outcome.REFUSED),
            last_sale_at=sighting.at if is_sale else self.last_sale_at,
        )


class Sightings:
    """The last 20 of each source, newest first, and how many there were; of all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the two below
        self._seen: dict[str, deque[Sighting]] = {}
        self._tallies: dict[str, Tally] = {}

    def add(self, source: str, sighting: Sighting) -> None:
        """Keeps it in place of the oldest."""
        with self._lock:
            self._seen.setdefault(source, deque(maxlen=KEPT)).appendleft(sighting)
            self._tallies[source] = self._tallies.get(source, Tally()).count(sighting)

    def tallies(self) -> Mapping[str, Tally]:
        """Those of every source that anything came of."""
        with self._lock:
            return dict(self._tallies)

    def of(self, source: str) -> tuple[Sighting, ...]:
        """Those of one source."""
        with self._lock:
            return tuple(self._seen.get(source, ()))

    def forget(self, source: str) -> None:
        """Forgets a source that is gone."""
        with self._lock:
            self._seen.pop(source, None)
            self._tallies.pop(source, None)

    def adder(self, source: str) -> Callable[[Sighting], None]:
        """What adds to that source."""
        return lambda sighting: self.add(source, sighting)


def shown_lines(lines: tuple[str, ...]) -> tuple[str, ...]:
    """As many of a paper's lines as are kept."""
    return lines[:_MOST_LINES]
