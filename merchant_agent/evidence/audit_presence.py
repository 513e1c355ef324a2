"""Auditing presence: silence while the shop was open, and days that were not closed (findings of V13).

Any record is a sign of life; what a shop signed as its opening hours and closures is what it is
held to. Before its first `settings` nothing is asked.
Source: PROTOCOL.md, "What a verifier does", step 5.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from merchant_agent.evidence.bodies import DayCloseBody, PromptBody, SettingsBody
from merchant_agent.evidence.record import Record
from merchant_agent.evidence.verdict import Report

# Heartbeats come every 4 hours; the rest is for what delays one.
LONGEST_SILENCE = timedelta(hours=4, minutes=15)
# A day is closed at the latest when the day after it is over.
_LONGEST_OPEN = timedelta(hours=48)
_LONGEST_OPEN_MS = 1000 * _LONGEST_OPEN.total_seconds()
_LONGEST_GAP = timedelta(days=400)
_DAY = timedelta(days=1)
_NONE = timedelta()
# So that no gap and no opening hours leave the calendar.
_FIRST_DAY, _LAST_DAY = date.min + 2 * _DAY, date.max - _LONGEST_GAP - 2 * _DAY


class PresenceAudit:
    """Looks at the gaps between one epoch's records, in their order."""

    def __init__(self, report: Report, prompts: int) -> None:
        self._report = report
        self._settings: SettingsBody | None = None
        self._before: tuple[datetime, str, int] | None = None
        self._closed_day = ""
        self._closed_prompts = prompts
        self._first_open: datetime | None = None

    def see(self, record: Record, at: datetime) -> None:
        """Takes one accepted record in."""
        body = record.body
        settings = self._settings
        if settings is not None:
            self._require_sign(record, at, settings)
            if isinstance(body, PromptBody):
                self._open_day(record, at)
        if isinstance(body, DayCloseBody):
            self._close_day(record, body)
        elif isinstance(body, SettingsBody):
            self._settings = body
        self._before = (at, record.boot, record.uptime_ms)

    def may_leap(self, newest_ms: int) -> bool:
        """Whether records without a gap, a day close or settings tell nothing up to that unix millisecond."""
        if self._settings is None:
            return True
        if self._first_open is None:
            return False
        return newest_ms - 1000 * self._first_open.timestamp() < _LONGEST_OPEN_MS

    def leap(self, record: Record, at: datetime) -> None:
        """Goes on behind a record up to which nothing is to be told."""
        self._before = (at, record.boot, record.uptime_ms)

    def _require_sign(self, record: Record, at: datetime, settings: SettingsBody) -> None:
        if self._before is None:
            return
        before, boot, uptime_ms = self._before
        gap = at - before
        if boot == record.boot:
            # What the wall clock jumped is no silence.
            gap = min(gap, timedelta(milliseconds=record.uptime_ms - uptime_ms))
        if LONGEST_SILENCE < gap <= _LONGEST_GAP and is_silent(before, gap, settings):
            self._report.found("silent", record.place)

    def _open_day(self, record: Record, at: datetime) -> None:
        if self._first_open is None:
            self._first_open = at
        elif at - self._first_open > _LONGEST_OPEN:
            self._report.found("day_close", record.place)
            self._first_open = at

    def _close_day(self, record: Record, body: DayCloseBody) -> None:
        prompts = record.totals.prompts - self._closed_prompts
        sold = body.sales is not None and body.sales > body.prompts
        if body.day <= self._closed_day or body.prompts != prompts or sold:
            self._report.found("day_close", record.place)
        self._closed_day = body.day
        self._closed_prompts = record.totals.prompts
        self._first_open = None


def is_silent(first: datetime, gap: timedelta, settings: SettingsBody) -> bool:
    """Whether the gap holds more than the longest silence of opening time; the offset is `first`'s.

    At the edges of the calendar nothing is.
    """
    begin = first.replace(tzinfo=None)
    if not _FIRST_DAY <= begin.date() <= _LAST_DAY:
        return False
    end = begin + gap
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0) - _DAY
    opened = _NONE
    while midnight <= end and opened <= LONGEST_SILENCE:
        opened += _opened(midnight, begin, end, settings)
        midnight += _DAY
    return opened > LONGEST_SILENCE


def _opened(midnight: datetime, begin: datetime, end: datetime, settings: SettingsBody) -> timedelta:
    """How much of the time from `begin` to `end` the shop was open in hours that start on this day."""
    day = midnight.date().isoformat()
    if any(closure.first <= day <= closure.last for closure in settings.closures):
        return _NONE
    opened = _NONE
    for hours in settings.opening:
        if hours.weekday == midnight.isoweekday():
            opens, closes = midnight + _time(hours.from_), midnight + _time(hours.to)
            if closes <= opens:
                closes += _DAY
            opened += max(_NONE, min(closes, end) - max(opens, begin))
    return opened


def _time(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))
