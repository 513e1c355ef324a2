"""Opening hours and closures as a shop writes them down, and as it signs them.

    1-5 08:00-14:00, 1-5 17:00-22:00, 6-7 10:00-02:00
    2027-02-10..2027-02-17, 2027-05-01

Weekdays count from 1 (Monday) to 7; hours that end before they begin go past midnight.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import msgspec

from merchant_agent.errors import FormatError, InvalidError
from merchant_agent.evidence.bodies import Closure, Opening, SettingsBody
from merchant_agent.evidence.octets import decode_json, encode_json

_HOURS = re.compile(r"([1-7])(?:-([1-7]))? +(\d\d:\d\d)-(\d\d:\d\d)", re.ASCII)
_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))?", re.ASCII)


def parse_opening(text: str) -> tuple[Opening, ...]:
    """The hours of each weekday, in the order of the week; none for an empty text.

    Raises:
        InvalidError: "opening-hours", when it is written otherwise, or there are more than 21.
    """
    opening = sorted(_hours(text), key=lambda hours: (hours.weekday, hours.from_))
    _require("opening-hours", SettingsBody(opening=tuple(opening), closures=(), words=()))
    if any(hours.from_ in {"24:00", hours.to} for hours in opening):
        raise InvalidError("opening-hours", "hours that last no time")
    return tuple(opening)


def parse_closures(text: str) -> tuple[Closure, ...]:
    """The days on which the shop is closed, in their order; none for an empty text.

    Raises:
        InvalidError: "closures", when it is written otherwise, or there are more than 60.
    """
    closures = sorted(_closures(text), key=lambda closure: closure.first)
    _require("closures", SettingsBody(opening=(), closures=tuple(closures), words=()))
    return tuple(closures)


def _hours(text: str) -> Iterator[Opening]:
    for part in _parts(text):
        match = _HOURS.fullmatch(part)
        if match is None:
            raise InvalidError("opening-hours", "such as 1-7 08:00-22:00 is expected")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise InvalidError("opening-hours", "weekdays go from 1 to 7")
        for weekday in range(first, last + 1):
            yield Opening(weekday=weekday, from_=match[3], to=match[4])


def _closures(text: str) -> Iterator[Closure]:
    for part in _parts(text):
        match = _DAYS.fullmatch(part)
        if match is None:
            raise InvalidError("closures", "such as 2027-02-10..2027-02-17 is expected")
        first, last = match[1], match[2] or match[1]
        try:
            ends_first = date.fromisoformat(last) < date.fromisoformat(first)
        except ValueError as error:
            raise InvalidError("closures", "there is no such day") from error
        if ends_first:
            raise InvalidError("closures", "it ends before it begins")
        yield Closure(first=first, last=last)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text.strip() else []


def _require(code: str, body: SettingsBody) -> None:
    """Holds times and counts against what a reader of the record takes."""
    try:
        decode_json(encode_json(body), SettingsBody)
    except (FormatError, msgspec.ValidationError) as error:
        raise InvalidError(code, "no such time of day, or too many") from error
