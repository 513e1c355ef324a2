"""Ratings that no customer can have given: kept and shown with the reason, and no part of the score.

Decided from what terminals signed alone, so that whoever has the records marks the same ones. A
mark never goes away: it rests on the rating itself and on what its till signed before it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

LEAST_DWELL_MS = 1000
BURST_MS = 60_000
MOST_IN_BURST = 8
# Only there the tablet itself measured how long the question stood before the customer.
MEASURED = ("done", "left")


class Mark(StrEnum):
    """Why a rating is left out: nobody reads a question so fast, or nobody serves so many so fast."""

    FAST = "fast"
    BURST = "burst"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tapped:
    """A tablet's rating of a sale; `key` is the caller's, `till` that of the sale, `at_ms` since 1970."""

    key: Hashable
    till: str
    at_ms: int
    dwell_ms: int
    ended: str


def marks_of(tapped: Iterable[Tapped]) -> Mapping[Hashable, Mark]:
    """The marks by key, of ratings in any order; of two reasons the first of `Mark`.

    Fast is what ended within a second of being asked. A burst is more than eight ratings of one till
    within a minute: those behind the eighth are marked.
    """
    marks: dict[Hashable, Mark] = {}
    recent: defaultdict[str, deque[int]] = defaultdict(deque)
    ordered = sorted(tapped, key=lambda each: each.at_ms)
    # Several of one millisecond stand in each other's minute.
    for each in ordered:
        recent[each.till].append(each.at_ms)
    seen: defaultdict[str, deque[int]] = defaultdict(deque)
    for each in ordered:
        waiting, within = recent[each.till], seen[each.till]
        while waiting and waiting[0] <= each.at_ms:
            within.append(waiting.popleft())
        while within[0] < each.at_ms - BURST_MS:
            within.popleft()
        if each.dwell_ms < LEAST_DWELL_MS and each.ended in MEASURED:
            marks[each.key] = Mark.FAST
        elif len(within) > MOST_IN_BURST:
            marks[each.key] = Mark.BURST
    return marks
