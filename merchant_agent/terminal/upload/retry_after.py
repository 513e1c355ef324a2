"""How long an answer asks to be left alone.

Source: RFC 9110, sections 10.2.3 (Retry-After) and 5.6.7 (dates).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MIN_S = 1.0
MAX_S = 21_600.0
_SECONDS = re.compile(r"[0-9]+")
_ENOUGH_DIGITS = 9


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds within 1 s and 6 h, of headers by lower-case name; None where nothing sensible is asked.

    A date is read against the answer's own `Date`: our clock may be years off.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return _clamp(float(text) if len(text) <= _ENOUGH_DIGITS else MAX_S)
    until, sent = _date(text), _date(headers.get("date", ""))
    if until is None or sent is None:
        return None
    return _clamp((until - sent).total_seconds())


def _clamp(seconds: float) -> float:
    return min(max(seconds, MIN_S), MAX_S)


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
