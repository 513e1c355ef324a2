"""Auditing visits: how prompts end (V16), and what a visit's slip must say (V12).

Of each chain the newest prompts are remembered, and what was said about them; what comes about
older ones is not judged, so that memory stays flat.
Source: PROTOCOL.md, "What a verifier does", steps 3 and 5.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from merchant_agent.evidence.archive import RECORDS
from merchant_agent.evidence.bodies import ComplaintBody, LapseBody, PromptBody, RatingBody, SuggestionBody
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.record import Record
from merchant_agent.evidence.slip import Slip
from merchant_agent.evidence.verdict import Report

LONGEST_OPEN_MS = 600_000

_KEPT = 4096


_Moment = tuple[str, int, int]
"""Boot, milliseconds of uptime, milliseconds of the wall clock."""


@dataclass(slots=True)
class _Visit:
    """What was said so far; `asked` is None where no prompt is known."""

    asked: _Moment | None = None
    asks: bool = True
    lapsed: bool = False
    level: int = 0
    suggestion: bool = False
    complaint: bool = False
    contact: bool = False

    def take(self, record: Record) -> None:
        """Adds what the customer left with this record."""
        body = record.body
        if isinstance(body, RatingBody):
            self.level = body.level
        elif isinstance(body, SuggestionBody):
            self.suggestion = True
        elif isinstance(body, ComplaintBody):
            self.complaint = True
            self.contact = self.contact or body.notice is not None

    def is_told_by(self, slip: Slip) -> bool:
        """Whether the slip's flags agree; a contact is left only where a notice was shown."""
        told = (slip.level, slip.complaint, slip.suggestion)
        return told == (self.level, self.complaint, self.suggestion) and (self.contact or not slip.contact)


class VisitAudit:
    """Follows the prompts of one issuer, in the order of its records."""

    def __init__(self, issuer: str, report: Report) -> None:
        self._issuer = issuer
        self._report = report
        self._visits: OrderedDict[tuple[int, int], _Visit] = OrderedDict()
        self._newest: _Moment | None = None
        # From here on every prompt is known; of places before, some were forgotten or not read.
        self._known_from = (0, 0)

    def see(self, record: Record, at_ms: int, line: int) -> None:
        """Takes one accepted record in."""
        body = record.body
        self._newest = now = (record.boot, record.uptime_ms, at_ms)
        if isinstance(body, PromptBody):
            self._visits[record.epoch, record.seq] = _Visit(now, body.asks)
            if len(self._visits) > _KEPT:
                self._forget()
            return
        prompt = record.about.prompt
        if prompt is None or prompt.issuer != self._issuer:
            return
        visit = self._visits.get((prompt.epoch, prompt.seq))
        if visit is None:
            if self._known_from <= (prompt.epoch, prompt.seq) and prompt.epoch == record.epoch:
                self._violation("it answers what is no prompt", record, line)
            return
        if isinstance(body, LapseBody):
            self._lapse(visit, prompt, now)
        else:
            if isinstance(body, RatingBody):
                self._require_asked(visit, record, line)
            visit.take(record)

    def pass_over(self, epoch: int, seq: int) -> None:
        """Some line at this place was not understood: it may have been a prompt."""
        self._known_from = (epoch, seq + 1)

    def agrees(self, slip: Slip, record: Record) -> bool:
        """Whether the slip over this record, the newest seen, says what was left at the visit so far."""
        prompt = record.about.prompt
        if prompt is None or prompt.issuer != self._issuer:
            visit = _Visit()
            visit.take(record)
            return visit.is_told_by(slip)
        known = self._visits.get((prompt.epoch, prompt.seq))
        return known is None or known.is_told_by(slip)

    def finish(self) -> None:
        """Tells of the prompts that never ended."""
        while self._visits:
            self._forget()

    def _lapse(self, visit: _Visit, prompt: Place, now: _Moment) -> None:
        if visit.asked is not None and visit.asks and not visit.level and not visit.lapsed:
            self._require_in_time(visit.asked, prompt, now)
        visit.lapsed = True

    def _require_asked(self, visit: _Visit, record: Record, line: int) -> None:
        if visit.lapsed:
            self._violation("a rating after the prompt's own lapse", record, line)
        elif not visit.asks:
            self._violation("a rating of a prompt that only the receipt asks", record, line)

    def _require_in_time(self, asked: _Moment, prompt: Place, now: _Moment) -> None:
        if _elapsed_ms(asked, now) > LONGEST_OPEN_MS:
            self._report.found("unended", prompt)

    def _forget(self) -> None:
        (epoch, seq), visit = self._visits.popitem(last=False)
        self._known_from = max(self._known_from, (epoch, seq + 1))
        if visit.asked is None or self._newest is None or not visit.asks or visit.level or visit.lapsed:
            return
        self._require_in_time(visit.asked, Place(issuer=self._issuer, epoch=epoch, seq=seq), self._newest)

    def _violation(self, detail: str, record: Record, line: int) -> None:
        self._report.violation("V16", detail, file=RECORDS, line=line, place=record.place)


def _elapsed_ms(first: _Moment, last: _Moment) -> int:
    """By the boot clock where it went on."""
    if first[0] == last[0]:
        return last[1] - first[1]
    return last[2] - first[2]
