"""Auditing slips: what customers were promised stands where it was promised (V12).

Source: PROTOCOL.md, "What a verifier does", steps 3 and 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.archive import SLIPS, SlipLine, Source
from merchant_agent.evidence.audit_grants import Granted
from merchant_agent.evidence.bodies import ComplaintBody, RatingBody, SuggestionBody
from merchant_agent.evidence.fields import MAX_EPOCH, Place
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.octets import decode_b64u, decode_with, require_encoding
from merchant_agent.evidence.record import Record
from merchant_agent.evidence.slip import SLIP_BYTES, Slip, decode_slip, open_slip
from merchant_agent.evidence.verdict import Report

_DECODER: msgspec.json.Decoder[SlipLine] = msgspec.json.Decoder(SlipLine)
_NEVER = (MAX_EPOCH + 1, 0)
_HOUR_S = 3600
_SPOKEN = (RatingBody, SuggestionBody, ComplaintBody)

Agrees = Callable[[Slip, Record], bool]


class Slips:
    """Reads `slips.jsonl` alongside the records, in the order of their places.

    `due` is the (epoch, seq) of the next one, `line` how many were read.
    """

    def __init__(
        self,
        issuer: str,
        source: Source,
        grants: Mapping[int, Granted],
        report: Report,
        *,
        signatures: bool,
    ) -> None:
        self._issuer = issuer
        self._grants = grants
        self._report = report
        self._signatures = signatures
        self.line = 0
        self._settled = _NEVER
        self._lines = self._decode(source)
        self.due, self._octets = next(self._lines, (_NEVER, b""))

    def settle(
        self, place: Place, octets: bytes, record: Record | None, until_s: int | None, agrees: Agrees
    ) -> None:
        """Compares the slip of this place; those of places that did not come are refused.

        `record` is None where that line is no record; central acknowledged it at `until_s`.
        """
        here = (place.epoch, place.seq)
        while self.due <= here:
            if self.due != here or here == self._settled:
                self._refuse("no record stands there, or the slips are out of order")
            else:
                self._settled = here
                self._compare(place, octets, record, until_s, agrees)
            self._step()

    def finish(self) -> None:
        """Refuses the slips of places that never came."""
        while self.due != _NEVER:
            self._refuse("no record stands there")
            self._step()

    def _compare(
        self, place: Place, octets: bytes, record: Record | None, until_s: int | None, agrees: Agrees
    ) -> None:
        granted = self._grants[place.epoch]
        try:
            slip = open_slip(self._octets, granted.key) if self._signatures else decode_slip(self._octets)
        except (VerificationError, FormatError) as error:
            self._refuse(error.detail if isinstance(error, VerificationError) else str(error))
            return
        if slip.place != place:
            self._refuse("it promises another place")
        elif slip.leaf != leaf_hash(octets):
            self._refuse("another record stands there")
        elif slip.deadline_hours != granted.grant.deadline_hours:
            self._refuse("another deadline than that of the grant")
        elif record is not None and not (isinstance(record.body, _SPOKEN) and agrees(slip, record)):
            self._refuse("its flags are not what the visit's records say")
        if until_s is not None and until_s > slip.time + _HOUR_S * slip.deadline_hours:
            self._report.found("deadline", place)

    def _step(self) -> None:
        self.due, self._octets = next(self._lines, (_NEVER, b""))

    def _refuse(self, detail: str) -> None:
        epoch, seq = self.due
        place = Place(issuer=self._issuer, epoch=epoch, seq=seq)
        self._report.violation("V12", detail, file=SLIPS, line=self.line, place=place)

    def _decode(self, source: Source) -> Iterator[tuple[tuple[int, int], bytes]]:
        for octets in source.lines(SLIPS) if SLIPS in source.names() else ():
            self.line += 1
            try:
                stated = decode_with(_DECODER, octets)
                require_encoding(stated, octets)
                slip = decode_b64u(stated.slip, length=SLIP_BYTES)
            except FormatError as error:
                self._report.violation("V1", str(error), file=SLIPS, line=self.line)
            else:
                yield (stated.epoch, stated.seq), slip
