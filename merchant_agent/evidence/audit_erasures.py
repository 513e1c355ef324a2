"""Which records of an export lack words, and whether an `erase` record tells that they were deleted.

Only what is missing is remembered, until it is explained.
Source: PROTOCOL.md, "What a verifier does", step 5.
"""

from __future__ import annotations

from collections.abc import Sequence

from merchant_agent.evidence.bodies import EraseBody
from merchant_agent.evidence.disclosure import open_disclosure
from merchant_agent.evidence.record import Record


class Erasures:
    """Records of one issuer whose disclosures are not all there, as they pass by in their order."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        # How many members are missing at a place, and the names of those that are there.
        self._missing: dict[tuple[int, int], tuple[int, frozenset[str]]] = {}
        self._told: dict[tuple[int, int], frozenset[str]] = {}

    def see(self, record: Record, given: Sequence[str]) -> None:
        """Takes in a verified record with its disclosures, or what it says was erased before it."""
        if record.sd and len(given) < len(record.sd):
            names = frozenset(open_disclosure(text).name for text in given)
            self._missing[record.epoch, record.seq] = len(record.sd) - len(given), names
        elif isinstance(record.body, EraseBody) and record.body.place.issuer == self._issuer:
            self._explain(record.body)

    def unexplained(self, epoch: int) -> tuple[int, int]:
        """The first seq of an epoch with members missing that no record tells of, and how many such there are."""
        seqs = [seq for place_epoch, seq in self._missing if place_epoch == epoch]
        return (min(seqs), len(seqs)) if seqs else (0, 0)

    def _explain(self, body: EraseBody) -> None:
        """Members can be erased one after the other; a name that is still there explains nothing."""
        place = (body.place.epoch, body.place.seq)
        if place not in self._missing:
            return
        missing, names = self._missing[place]
        told = self._told.get(place, frozenset()) | frozenset(body.members) - names
        if len(told) >= missing:
            del self._missing[place]
            self._told.pop(place, None)
        else:
            self._told[place] = told
