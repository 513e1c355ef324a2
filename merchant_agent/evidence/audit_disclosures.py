"""Disclosures of an export, handed out as their records pass by (V10).

Source: PROTOCOL.md, "What a verifier does", step 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from merchant_agent.evidence.archive import DISCLOSURES, Source
from merchant_agent.evidence.fields import MAX_EPOCH, MAX_SEQ, Place
from merchant_agent.evidence.verdict import Report

# The one encoding of a `DisclosureLine`, read without decoding it.
_LINE = re.compile(
    rb'\{"epoch":([1-9][0-9]{0,4}),"seq":(0|[1-9][0-9]{0,9}),"disclosure":"([A-Za-z0-9_-]*)"\}'
)
_NEVER = (MAX_EPOCH + 1, 0)


class Disclosures:
    """Reads `disclosures.jsonl` alongside the records, in the order of their places.

    `due` is the (epoch, seq) of the next one. `taken` counts those that were handed out, `line` is that
    of the newest of them; `given` are those of the place that was asked for last.
    """

    def __init__(self, issuer: str, source: Source, report: Report) -> None:
        self._issuer = issuer
        self._report = report
        self.taken = 0
        self.given: list[str] = []
        self.line = 0
        self._lines = self._decode(source)
        self.due, self._due_line, self._text = next(self._lines, (_NEVER, 0, ""))

    def take(self, epoch: int, seq: int) -> Iterator[str]:
        """Those of this place, as they are asked for; those of places that did not come are refused."""
        place = (epoch, seq)
        self.given = []
        while self.due <= place:
            text = self._text
            if self.due == place:
                self.line = self._due_line
                self._step()
                self.taken += 1
                self.given.append(text)
                yield text
            else:
                self._refuse()
                self._step()

    def drop(self, epoch: int, seq: int) -> None:
        """Leaves out those of a place whose record says nothing that could be compared."""
        for _ in self.take(epoch, seq):
            pass

    def finish(self) -> None:
        """Refuses those of places that never came."""
        while self.due != _NEVER:
            self._refuse()
            self._step()

    def _step(self) -> None:
        self.due, self._due_line, self._text = next(self._lines, (_NEVER, 0, ""))

    def _refuse(self) -> None:
        self._report.violation(
            "V10",
            "no record stands there, or the disclosures are out of order",
            file=DISCLOSURES,
            line=self._due_line,
            place=Place(issuer=self._issuer, epoch=self.due[0], seq=self.due[1]),
        )

    def _decode(self, source: Source) -> Iterator[tuple[tuple[int, int], int, str]]:
        for line, octets in enumerate(source.lines(DISCLOSURES), 1):
            match = _LINE.fullmatch(octets)
            if match is None or int(match[1]) > MAX_EPOCH or int(match[2]) > MAX_SEQ:
                self._report.violation("V1", "no line of disclosures", file=DISCLOSURES, line=line)
            else:
                yield (int(match[1]), int(match[2])), line, match[3].decode("ascii")
