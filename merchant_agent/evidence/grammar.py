"""What types cannot express about bodies (rule V1).

Source: PROTOCOL.md, "Grammar beyond types".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from merchant_agent.errors import FormatError
from merchant_agent.evidence.bodies import (
    AdditionBody,
    Body,
    ClockBody,
    ComplaintBody,
    ConfirmBody,
    DayCloseBody,
    DisputeBody,
    EndBody,
    EraseBody,
    FindingBody,
    HeartbeatBody,
    LapseBody,
    OutageBody,
    PromptBody,
    RatingBody,
    RecoverBody,
    ReplyBody,
    RevokeBody,
    RotateBody,
    SettingsBody,
    StartBody,
    SuggestionBody,
    SupersedeBody,
)
from merchant_agent.evidence.fields import Place, parse_at

_TOLD = (EraseBody, SupersedeBody, DisputeBody, ConfirmBody, AdditionBody, FindingBody)
# Most bodies tell of none, and looking so is many times faster.
_TOLD_TYPES = frozenset(_TOLD)


def require_body(body: Body) -> None:  # noqa: C901, PLR0912 -- one case for each kind
    """Returns when what the body says can be meant.

    Raises:
        FormatError: it cannot.
    """
    match body:
        case PromptBody() | LapseBody():
            pass
        case RatingBody():
            _require_distinct(body.tags)
            _require_distinct([aspect.aspect for aspect in body.aspects])
        case ComplaintBody():
            _require_complaint(body)
        case AdditionBody():
            _require_consents(body)
        case DayCloseBody():
            _parse_day(body.day)
        case SettingsBody():
            _require_settings(body)
        case OutageBody():
            parse_at(body.since)
        case EraseBody():
            _require_distinct(body.members)
        case FindingBody():
            if body.due_at is not None:
                parse_at(body.due_at)
        case SuggestionBody() | ReplyBody() | StartBody() | HeartbeatBody() | ClockBody():
            pass
        case RotateBody() | RecoverBody() | EndBody() | RevokeBody():
            pass
        case SupersedeBody() | DisputeBody() | ConfirmBody():
            pass
        case _:
            assert_never(body)


def place_told_of(body: Body) -> Place | None:
    """The place of the record that the body is about, if it is about one."""
    if isinstance(body, ReplyBody):
        return body.to
    return body.place if type(body) in _TOLD_TYPES and isinstance(body, _TOLD) else None


def _require_complaint(body: ComplaintBody) -> None:
    _require_distinct(body.categories)
    _require_distinct(body.remedies)
    _require_consents(body)
    is_told = body.categories or body.remedies or body.consents or body.notice is not None
    if body.first == "station" and is_told:
        raise FormatError("record: a complaint for the station alone that says something in clear")


def _require_consents(body: ComplaintBody | AdditionBody) -> None:
    _require_distinct(body.consents)
    if body.consents and body.notice is None:
        raise FormatError("record: a consent without the notice that was shown")


def _require_settings(body: SettingsBody) -> None:
    for closure in body.closures:
        if _parse_day(closure.first) > _parse_day(closure.last):
            raise FormatError("record: a closure that ends before it begins")
    for opening in body.opening:
        if opening.from_ in {"24:00", opening.to}:
            raise FormatError("record: opening hours that are none")
    if len(set(body.words)) != len(body.words):
        raise FormatError("record: a word stands twice")


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise FormatError(f"record: {error}") from error


def _require_distinct(codes: Sequence[str]) -> None:
    if len(set(codes)) != len(codes):
        raise FormatError("record: a code stands twice")
