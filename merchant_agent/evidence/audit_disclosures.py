"""Disclosures of an export, handed out as their records pass by (V10).

Source: PROTOCOL.md, "What a verifier does", step 2.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from merchant_agent.evidence.archive import DISCLOSURES, Source
from merchant_agent.evidence.fields import MAX_EPOCH, MAX_SEQ, Place
from merchant_agent.evidence.verdict import Report

# The one encoding of a `DisclosureLine`, read without decoding it.
_LINE = re.compile(
    rb'\{"epoch":([1-9][0-9]{0,4}),"seq":(0|[1-9][0-9]{0,9}),"disclosure":"([A-Za-z0-9_-]*)"\}'
)


@dataclass(slots=True, eq=False)
class Stated:
    """A disclosure, the (epoch, seq) that its line states, and the line's number."""

    place: tuple[int, int]
    text: str
    line: int


class Disclosures:
    """Reads `disclosures.jsonl` alongside the records, in the order of their places.

    `taken` counts those that were handed out, `line` is that of the newest of them.
    """

    def __init__(self, issuer: str, source: Source, report: Report) -> None:
        self._issuer = issuer
        self._report = report
        self._lines = self._decode(source)
        self._next: deque[Stated] = deque()
        self._shown = 0
        self.taken = 0
        self.line = 0

    def take(self, epoch: int, seq: int) -> Iterator[str]:
        """Those of this place, as they are asked for; those of places that did not come are refused."""
        place = (epoch, seq)
        while (stated := self._peek()) is not None and stated.place <= place:
            self._pop()
            if stated.place == place:
                self.line = stated.line
                self.taken += 1
                yield stated.text
            else:
                self._refuse(stated)

    def show(self, epoch: int, seq: int, *, at_most: int) -> list[Stated]:
        """Those up to this place that were not shown before, and no more than so many; none is handed out."""
        shown: list[Stated] = []
        while len(shown) < at_most:
            if self._shown == len(self._next) and not self._read():
                break
            stated = self._next[self._shown]
            if stated.place > (epoch, seq):
                break
            shown.append(stated)
            self._shown += 1
        return shown

    def take_shown(self, shown: list[Stated]) -> bool:
        """Hands out all that `show` returned at once; False where they are not the next ones any more."""
        if shown and self._peek() is not shown[0]:
            return False
        for _ in shown:
            self._pop()
        self.taken += len(shown)
        return True

    def drop(self, epoch: int, seq: int) -> None:
        """Leaves out those of a place whose record says nothing that could be compared."""
        for _ in self.take(epoch, seq):
            pass

    def finish(self) -> None:
        """Refuses those of places that never came."""
        while (stated := self._peek()) is not None:
            self._pop()
            self._refuse(stated)

    def _peek(self) -> Stated | None:
        return self._next[0] if self._next or self._read() else None

    def _pop(self) -> None:
        self._next.popleft()
        self._shown = max(0, self._shown - 1)

    def _read(self) -> bool:
        stated = next(self._lines, None)
        if stated is not None:
            self._next.append(stated)
        return stated is not None

    def _refuse(self, stated: Stated) -> None:
        epoch, seq = stated.place
        self._report.violation(
            "V10",
            "no record stands there, or the disclosures are out of order",
            file=DISCLOSURES,
            line=stated.line,
            place=Place(issuer=self._issuer, epoch=epoch, seq=seq),
        )

    def _decode(self, source: Source) -> Iterator[Stated]:
        for line, octets in enumerate(source.lines(DISCLOSURES), 1):
            match = _LINE.fullmatch(octets)
            if match is None or int(match[1]) > MAX_EPOCH or int(match[2]) > MAX_SEQ:
                self._report.violation("V1", "no line of disclosures", file=DISCLOSURES, line=line)
            else:
                yield Stated((int(match[1]), int(match[2])), match[3].decode("ascii"), line)
