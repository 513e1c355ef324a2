"""Disclosures of an export, handed out as their records pass by (V10).

Source: PROTOCOL.md, "What a verifier does", step 2.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from merchant_agent.errors import FormatError
from merchant_agent.evidence.archive import DISCLOSURES, DisclosureLine, Source
from merchant_agent.evidence.fields import MAX_EPOCH, Place
from merchant_agent.evidence.octets import decode_with, require_encoding
from merchant_agent.evidence.verdict import Report

_DECODER: msgspec.json.Decoder[DisclosureLine] = msgspec.json.Decoder(DisclosureLine)
_NEVER = (MAX_EPOCH + 1, 0)


class Disclosures:
    """Reads `disclosures.jsonl` alongside the records, in the order of their places.

    `taken` counts those that were handed out, `line` is that of the newest of them.
    """

    def __init__(self, issuer: str, source: Source, report: Report) -> None:
        self._issuer = issuer
        self._report = report
        self.taken = 0
        self.line = 0
        self._lines = self._decode(source)
        self._due, self._due_line, self._text = _NEVER, 0, ""
        self._step()

    def take(self, epoch: int, seq: int) -> Iterator[str]:
        """Those of this place, as they are asked for; those of places that did not come are refused."""
        place = (epoch, seq)
        while self._due <= place:
            text = self._text
            if self._due == place:
                self.line = self._due_line
                self._step()
                self.taken += 1
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
        while self._due != _NEVER:
            self._refuse()
            self._step()

    def _step(self) -> None:
        self._due, self._due_line, self._text = next(self._lines, (_NEVER, 0, ""))

    def _refuse(self) -> None:
        self._report.violation(
            "V10",
            "no record stands there, or the disclosures are out of order",
            file=DISCLOSURES,
            line=self._due_line,
            place=Place(issuer=self._issuer, epoch=self._due[0], seq=self._due[1]),
        )

    def _decode(self, source: Source) -> Iterator[tuple[tuple[int, int], int, str]]:
        for line, octets in enumerate(source.lines(DISCLOSURES), 1):
            try:
                stated = decode_with(_DECODER, octets)
                require_encoding(stated, octets)
            except FormatError as error:
                self._report.violation("V1", str(error), file=DISCLOSURES, line=line)
            else:
                yield (stated.epoch, stated.seq), line, stated.disclosure
