"""Auditing what ratings answer (V16): no prompt that lapsed, none that the tablet did not ask.

Of each prompt that may not be answered one bit is remembered, in pages of 1,024 places.
Source: PROTOCOL.md, "What a verifier does", step 2.
"""

from __future__ import annotations

from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.record import Kind, PromptBody, RatingBody, Record

_PAGE_BITS = 10


class _Places:
    """A set of places of one issuer."""

    def __init__(self) -> None:
        self._pages: dict[tuple[int, int], int] = {}

    def add(self, epoch: int, seq: int) -> None:
        page = (epoch, seq >> _PAGE_BITS)
        self._pages[page] = self._pages.get(page, 0) | _bit(seq)

    def holds(self, place: Place) -> bool:
        return self._pages.get((place.epoch, place.seq >> _PAGE_BITS), 0) & _bit(place.seq) != 0


class Prompts:
    """The prompts of one issuer that may not be answered, as its records pass by in their order."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._lapsed = _Places()
        self._unasked = _Places()

    def take(self, record: Record) -> str | None:
        """How the record breaks V16; None where it does not."""
        body, prompt = record.body, record.about.prompt
        if isinstance(body, PromptBody):
            if not body.asks:
                self._unasked.add(record.epoch, record.seq)
        elif prompt is None or prompt.issuer != self._issuer:
            return None
        elif record.kind is Kind.LAPSE:
            self._lapsed.add(prompt.epoch, prompt.seq)
        elif isinstance(body, RatingBody):
            return self._breach(body, prompt)
        return None

    def _breach(self, rating: RatingBody, prompt: Place) -> str | None:
        if self._lapsed.holds(prompt):
            return "a rating after the prompt's own lapse"
        if rating.channel == "tablet" and self._unasked.holds(prompt):
            return "a rating of a prompt that only the receipt asks"
        return None


def _bit(seq: int) -> int:
    return 1 << (seq & (1 << _PAGE_BITS) - 1)
