"""Auditing visits: how prompts end (V16), and what a visit's slip must say (V12).

Of each chain the newest prompts are remembered, and what was said about them; what comes about
older ones is not judged, so that memory stays flat.
Source: PROTOCOL.md, "What a verifier does", steps 3 and 5.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from merchant_agent.evidence.archive import RECORDS
from merchant_agent.evidence.bodies import (
    ComplaintBody,
    LapseBody,
    OutageBody,
    PromptBody,
    RatingBody,
    SuggestionBody,
)
from merchant_agent.evidence.fields import Place, parse_at
from merchant_agent.evidence.record import Record
from merchant_agent.evidence.slip import Slip
from merchant_agent.evidence.verdict import Report

LONGEST_OPEN_MS = 600_000

_KEPT = 4096


_Moment = tuple[str, int, int]
"""Boot, milliseconds of uptime, milliseconds of the wall clock."""


class Said(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a record tells of a visit.

    `asks` is None but for a prompt; `prompt` the issuer, epoch and seq of what it is about; `level` 0
    but for a rating. A contact can be left only where `notice` is set. `since_ms` is that of an outage.
    """

    seq: int
    boot: str
    uptime_ms: int
    at_ms: int
    asks: bool | None = None
    prompt: tuple[str, int, int] | None = None
    level: int = 0
    lapse: bool = False
    suggestion: bool = False
    complaint: bool = False
    notice: bool = False
    since_ms: int | None = None


def say(record: Record, at_ms: int) -> Said:
    """What this record tells; `at_ms` is its `at` in milliseconds since 1970."""
    body = record.body
    if isinstance(body, PromptBody):
        return Said(record.seq, record.boot, record.uptime_ms, at_ms, body.asks)
    if isinstance(body, OutageBody):
        since_ms = round(1000 * parse_at(body.since).timestamp())
        return Said(record.seq, record.boot, record.uptime_ms, at_ms, since_ms=since_ms)
    about = record.about.prompt
    prompt = None if about is None else (about.issuer, about.epoch, about.seq)
    if isinstance(body, RatingBody):
        return Said(record.seq, record.boot, record.uptime_ms, at_ms, None, prompt, body.level)
    return Said(
        record.seq,
        record.boot,
        record.uptime_ms,
        at_ms,
        None,
        prompt,
        lapse=isinstance(body, LapseBody),
        suggestion=isinstance(body, SuggestionBody),
        complaint=isinstance(body, ComplaintBody),
        notice=isinstance(body, ComplaintBody) and body.notice is not None,
    )


class _Visit(msgspec.Struct, gc=False):
    """What was said so far; `asked` is None where no prompt is known.

    `outages_ms` is how long nothing could be signed before that, all outages together.
    """

    asked: _Moment | None = None
    asks: bool = True
    lapsed: bool = False
    level: int = 0
    suggestion: bool = False
    complaint: bool = False
    contact: bool = False
    outages_ms: int = 0

    def take(self, said: Said) -> None:
        """Adds what the customer left."""
        self.level = said.level or self.level
        self.suggestion = self.suggestion or said.suggestion
        self.complaint = self.complaint or said.complaint
        self.contact = self.contact or said.notice

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
        self._outages_ms = 0
        # From here on every prompt is known; of places before, some were forgotten or not read.
        self._known_from = (0, 0)

    def see(self, said: Said, epoch: int, line: int) -> None:
        """Takes in what one accepted record of that epoch tells."""
        now = (said.boot, said.uptime_ms, said.at_ms)
        if said.since_ms is not None and self._newest is not None:
            self._outages_ms += _unsigned_ms(self._newest, now, said.since_ms)
        self._newest = now
        if said.asks is not None:
            self._visits[epoch, said.seq] = _Visit(now, said.asks, outages_ms=self._outages_ms)
            if len(self._visits) > _KEPT:
                self._forget()
        elif said.prompt is not None and said.prompt[0] == self._issuer:
            self._answer(said, said.prompt[1:], Place(issuer=self._issuer, epoch=epoch, seq=said.seq), line)

    def pass_over(self, epoch: int, seq: int) -> None:
        """Some line at this place was not understood: it may have been a prompt."""
        self._known_from = (epoch, seq + 1)

    def agrees(self, slip: Slip, record: Record) -> bool:
        """Whether the slip over this record, the newest seen, says what was left at the visit so far."""
        prompt = record.about.prompt
        if prompt is None or prompt.issuer != self._issuer:
            visit = _Visit()
            visit.take(say(record, 0))
            return visit.is_told_by(slip)
        known = self._visits.get((prompt.epoch, prompt.seq))
        return known is None or known.is_told_by(slip)

    def finish(self) -> None:
        """Tells of the prompts that never ended."""
        while self._visits:
            self._forget()

    def _answer(self, said: Said, prompt: tuple[int, int], place: Place, line: int) -> None:
        visit = self._visits.get(prompt)
        if visit is None:
            if self._known_from <= prompt and prompt[0] == place.epoch:
                self._violation("it answers what is no prompt", place, line)
        elif said.lapse:
            self._lapse(visit, prompt)
        else:
            if said.level:
                self._require_asked(visit, place, line)
            visit.take(said)

    def _lapse(self, visit: _Visit, prompt: tuple[int, int]) -> None:
        if visit.asked is not None and visit.asks and not visit.level and not visit.lapsed:
            self._require_in_time(visit, visit.asked, prompt)
        visit.lapsed = True

    def _require_asked(self, visit: _Visit, place: Place, line: int) -> None:
        if visit.lapsed:
            self._violation("a rating after the prompt's own lapse", place, line)
        elif not visit.asks:
            self._violation("a rating of a prompt that only the receipt asks", place, line)

    def _require_in_time(self, visit: _Visit, asked: _Moment, prompt: tuple[int, int]) -> None:
        """By the newest record; the time in which nothing could be signed does not count."""
        if self._newest is None:
            return
        outages_ms = self._outages_ms - visit.outages_ms
        if _elapsed_ms(asked, self._newest) - outages_ms > LONGEST_OPEN_MS:
            epoch, seq = prompt
            self._report.found("unended", Place(issuer=self._issuer, epoch=epoch, seq=seq))

    def _forget(self) -> None:
        (epoch, seq), visit = self._visits.popitem(last=False)
        self._known_from = max(self._known_from, (epoch, seq + 1))
        if visit.asked is not None and visit.asks and not visit.level and not visit.lapsed:
            self._require_in_time(visit, visit.asked, (epoch, seq))

    def _violation(self, detail: str, place: Place, line: int) -> None:
        self._report.violation("V16", detail, file=RECORDS, line=line, place=place)


def _unsigned_ms(last: _Moment, outage: _Moment, since_ms: int) -> int:
    """How long nothing was signed before the outage was told, from `since_ms` on at the earliest."""
    return max(0, _elapsed_ms(last, outage) - max(0, since_ms - last[2]))


def _elapsed_ms(first: _Moment, last: _Moment) -> int:
    """By the boot clock where it went on."""
    if first[0] == last[0]:
        return last[1] - first[1]
    return last[2] - first[2]
