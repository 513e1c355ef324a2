"""What a record changes in the tables that pages show.

Pages never read the ledger: they read projections, which are written in the transaction
of the record and can be made again from the ledger at any time. Terminal and central
apply the same changes to their own tables, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from merchant_agent.evidence.bodies import (
    AdditionBody,
    Closure,
    ComplaintBody,
    ConfirmBody,
    DisputeBody,
    EraseBody,
    FindingBody,
    LapseBody,
    Opening,
    PromptBody,
    RatingBody,
    ReplyBody,
    SettingsBody,
    SuggestionBody,
    SupersedeBody,
)
from merchant_agent.evidence.fields import Place, parse_at
from merchant_agent.evidence.record import Record


class PromptOutcome(StrEnum):
    """How a prompt ended. A rating outranks a lapse, whichever came first; else the first stays."""

    RATED = "rated"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptOpened:
    """A sale for which a customer may be asked. `tag` is 11 characters of base64url."""

    id: str
    place: Place
    till: str
    source: str
    sale: str
    asks: bool
    tag: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptEnded:
    """The prompt at `prompt` was rated or lapsed by the record at `place`; `reason` is the lapse's, else None."""

    place: Place
    prompt: Place
    outcome: PromptOutcome
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingGiven:
    """A level from 1 (worst) to 5; `prompt` is None without a sale, `comment` None where there is none.

    `aspects` are pairs of aspect and level in the order of the record. `undisclosed` counts the erasable
    members that the record has and nobody can read: erased, or withheld.
    """

    id: str
    place: Place
    prompt: Place | None
    level: int
    aspects: tuple[tuple[str, int], ...]
    tags: tuple[str, ...]
    comment: str | None
    channel: str
    ended: str
    dwell_ms: int
    lang: str
    catalogue: str
    undisclosed: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionMade:
    """A suggestion; `comment` is None once erased; `undisclosed` as in `RatingGiven`."""

    id: str
    place: Place
    prompt: Place | None
    comment: str | None
    channel: str
    lang: str
    catalogue: str
    undisclosed: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintOpened:
    """A complaint; its record's id is the case's. The erasable members are None where absent or erased.

    `amount` is text such as `64.00 CNY`; `occurred_at` is as the customer gave it. `undisclosed` as in
    `RatingGiven`. Where `first` is `station`, all of it is sealed and nothing of it stands here.
    """

    case: str
    place: Place
    prompt: Place | None
    categories: tuple[str, ...]
    remedies: tuple[str, ...]
    comment: str | None
    order: str | None
    occurred_at: str | None
    amount: str | None
    channel: str
    lang: str
    catalogue: str
    first: str
    undisclosed: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarked:
    """What central said of the record at `told_of`; None where a finding is about no one record.

    `kind` is the record's; `code` is `phone`, `call_back` or `counter`, of a dispute `contested` or
    `uncontested`, or a finding's code. `level` is a correction's, `leaf` and `due_at` are a finding's.
    """

    place: Place
    kind: str
    code: str
    told_of: Place | None
    level: int | None
    leaf: str | None
    due_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """The erasable `members` of the record at `told_of` were deleted; `reason` is `request` or `retention`."""

    place: Place
    told_of: Place
    members: tuple[str, ...]
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied:
    """What the shop says to central's record at `to`; `comment` is None once erased, `undisclosed` as above."""

    place: Place
    to: Place
    comment: str | None
    undisclosed: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What a customer added to the complaint at `to`; `comment` and `undisclosed` as above."""

    place: Place
    to: Place
    comment: str | None
    undisclosed: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursStated:
    """When the shop is open from now on, as it says; no opening hours: never."""

    place: Place
    opening: tuple[Opening, ...]
    closures: tuple[Closure, ...]
    at: datetime


Change = (
    PromptOpened
    | PromptEnded
    | RatingGiven
    | SuggestionMade
    | ComplaintOpened
    | Remarked
    | Erased
    | Replied
    | Added
    | HoursStated
)


def project(record: Record, disclosed: Mapping[str, str]) -> list[Change]:  # noqa: C901, PLR0911 -- one for each kind
    """The changes that the record makes, in the order in which to apply them.

    `disclosed` holds the values of its erasable members that still exist, by name.
    """
    body, at = record.body, parse_at(record.at)
    match body:
        case PromptBody():
            return [_opened(record, body, at)]
        case LapseBody():
            return _ended(record, PromptOutcome.LAPSED, body.reason, at)
        case RatingBody():
            rated = _ended(record, PromptOutcome.RATED, None, at)
            return [_rating(record, body, disclosed, at), *rated]
        case SuggestionBody():
            return [_suggestion(record, body, disclosed, at)]
        case ComplaintBody():
            return [_complaint(record, body, disclosed, at)]
        case SupersedeBody() | DisputeBody() | ConfirmBody() | FindingBody():
            return [_remark(record, body, at)]
        case EraseBody():
            return [_erased(record, body, at)]
        case ReplyBody():
            return [_replied(record, body, disclosed, at)]
        case AdditionBody():
            return [_added(record, body, disclosed, at)]
        case SettingsBody():
            return [HoursStated(place=record.place, opening=body.opening, closures=body.closures, at=at)]
        case _:
            # The others change nothing that these tables show.
            return []


def _ended(record: Record, outcome: PromptOutcome, reason: str | None, at: datetime) -> list[Change]:
    prompt = record.about.prompt
    if prompt is None:
        return []
    return [PromptEnded(place=record.place, prompt=prompt, outcome=outcome, reason=reason, at=at)]


def _opened(record: Record, body: PromptBody, at: datetime) -> PromptOpened:
    return PromptOpened(
        id=record.id,
        place=record.place,
        till=body.till,
        source=body.source,
        sale=body.sale,
        asks=body.asks,
        tag=body.tag,
        at=at,
    )


def _rating(record: Record, body: RatingBody, disclosed: Mapping[str, str], at: datetime) -> RatingGiven:
    return RatingGiven(
        id=record.id,
        place=record.place,
        prompt=record.about.prompt,
        level=body.level,
        aspects=tuple((given.aspect, given.level) for given in body.aspects),
        tags=body.tags,
        comment=disclosed.get("comment"),
        channel=body.channel,
        ended=body.ended,
        dwell_ms=body.dwell_ms,
        lang=body.lang,
        catalogue=body.catalogue,
        undisclosed=len(record.sd) - len(disclosed),
        at=at,
    )


def _suggestion(
    record: Record, body: SuggestionBody, disclosed: Mapping[str, str], at: datetime
) -> SuggestionMade:
    return SuggestionMade(
        id=record.id,
        place=record.place,
        prompt=record.about.prompt,
        comment=disclosed.get("comment"),
        channel=body.channel,
        lang=body.lang,
        catalogue=body.catalogue,
        undisclosed=len(record.sd) - len(disclosed),
        at=at,
    )


def _complaint(
    record: Record, body: ComplaintBody, disclosed: Mapping[str, str], at: datetime
) -> ComplaintOpened:
    return ComplaintOpened(
        case=record.id,
        place=record.place,
        prompt=record.about.prompt,
        categories=body.categories,
        remedies=body.remedies,
        comment=disclosed.get("comment"),
        order=disclosed.get("order"),
        occurred_at=disclosed.get("occurred_at"),
        amount=disclosed.get("amount"),
        channel=body.channel,
        lang=body.lang,
        catalogue=body.catalogue,
        first=body.first,
        undisclosed=len(record.sd) - len(disclosed),
        at=at,
    )


def _remark(
    record: Record, body: SupersedeBody | DisputeBody | ConfirmBody | FindingBody, at: datetime
) -> Remarked:
    code, level, leaf, due_at = "", None, None, None
    match body:
        case SupersedeBody():
            code, level = body.confirmed, body.level
        case DisputeBody():
            code = "contested" if body.contested else "uncontested"
        case ConfirmBody():
            code = body.by
        case FindingBody():
            code, leaf = body.code, body.leaf
            due_at = None if body.due_at is None else parse_at(body.due_at)
    return Remarked(
        place=record.place,
        kind=record.kind.value,
        code=code,
        told_of=body.place,
        level=level,
        leaf=leaf,
        due_at=due_at,
        at=at,
    )


def _erased(record: Record, body: EraseBody, at: datetime) -> Erased:
    return Erased(place=record.place, told_of=body.place, members=body.members, reason=body.reason, at=at)


def _added(record: Record, body: AdditionBody, disclosed: Mapping[str, str], at: datetime) -> Added:
    return Added(
        place=record.place,
        to=body.place,
        comment=disclosed.get("comment"),
        undisclosed=len(record.sd) - len(disclosed),
        at=at,
    )


def _replied(record: Record, body: ReplyBody, disclosed: Mapping[str, str], at: datetime) -> Replied:
    return Replied(
        place=record.place,
        to=body.to,
        comment=disclosed.get("comment"),
        undisclosed=len(record.sd) - len(disclosed),
        at=at,
    )
