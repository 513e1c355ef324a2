"""Records: one signed entry of a chain, its kinds and their bodies.

Members stand in the order in which they are written here.
Source: PROTOCOL.md, "Record".
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Literal, assert_never

import msgspec
from msgspec import Meta, field

from merchant_agent.errors import FormatError
from merchant_agent.evidence.fields import (
    MAX_EPOCH,
    MAX_SEQ,
    Code,
    Count,
    Epoch,
    Id8,
    Label,
    Level,
    Octets32,
    Place,
    Seq,
    Uuid7,
    Wire,
    parse_at,
)
from merchant_agent.evidence.octets import (
    MAX_PAYLOAD_BYTES,
    decode_with,
    encode_json,
    require_encoding,
)

SD_ALG = "sha-256"
Channel = Literal["tablet", "phone"]
SaleSource = Literal["http", "printer", "folder", "odoo", "manual"]
SaleForm = Literal["counter", "table", "takeaway", "delivery"]
LapseReason = Literal["declined", "timed_out", "next_sale", "withdrawn"]
Ended = Literal["done", "left", "idle", "recovered"]
Codes = Annotated[tuple[Code, ...], Meta(max_length=32)]


class Kind(StrEnum):
    """What a record tells of."""

    PROMPT = "prompt"
    LAPSE = "lapse"
    RATING = "rating"
    SUGGESTION = "suggestion"
    COMPLAINT = "complaint"


class PromptBody(Wire, frozen=True, kw_only=True):
    """A sale for which a customer may be asked; `tag` hides (till, business day, order)."""

    till: Label
    source: SaleSource
    sale: SaleForm
    asks: bool
    tag: Id8


class LapseBody(Wire, frozen=True, kw_only=True):
    """A prompt that nobody answered on the tablet."""

    reason: LapseReason


class AspectLevel(Wire, frozen=True, kw_only=True):
    """The level given to one aspect of the visit."""

    aspect: Code
    level: Level


class RatingBody(Wire, frozen=True, kw_only=True):
    """A level from 1 (very dissatisfied) to 5 (very satisfied) and what went with it."""

    level: Level
    aspects: Annotated[tuple[AspectLevel, ...], Meta(max_length=16)]
    tags: Codes
    channel: Channel
    ended: Ended
    dwell_ms: Count
    lang: Code
    catalogue: Code


class SuggestionBody(Wire, frozen=True, kw_only=True):
    """A suggestion; its words are an erasable member."""

    channel: Channel
    lang: Code
    catalogue: Code


class ComplaintBody(Wire, frozen=True, kw_only=True):
    """What the complaint is about and what is asked for; its words are erasable members."""

    categories: Codes
    remedies: Codes
    channel: Channel
    lang: Code
    catalogue: Code


Body = PromptBody | LapseBody | RatingBody | SuggestionBody | ComplaintBody

BODY_TYPES: dict[Kind, type[Body]] = {
    Kind.PROMPT: PromptBody,
    Kind.LAPSE: LapseBody,
    Kind.RATING: RatingBody,
    Kind.SUGGESTION: SuggestionBody,
    Kind.COMPLAINT: ComplaintBody,
}
ERASABLE: dict[Kind, frozenset[str]] = {
    Kind.PROMPT: frozenset(),
    Kind.LAPSE: frozenset(),
    Kind.RATING: frozenset({"comment"}),
    Kind.SUGGESTION: frozenset({"comment"}),
    Kind.COMPLAINT: frozenset({"comment", "order", "occurred_at", "amount"}),
}


class Totals(Wire, frozen=True, kw_only=True):
    """Perpetual counts after a record; `ratings` counts level 1 first, level 5 last."""

    prompts: Count
    lapses: Count
    ratings: tuple[Count, Count, Count, Count, Count]
    suggestions: Count
    complaints: Count
    returns: Count

    @classmethod
    def zero(cls) -> Totals:
        """What a merchant begins with."""
        return cls(prompts=0, lapses=0, ratings=(0, 0, 0, 0, 0), suggestions=0, complaints=0, returns=0)

    def after(self, kind: Kind, body: Body) -> Totals:
        """The totals that the next record must state, given its kind and body."""
        one, two, three, four, five = self.ratings
        level = body.level if isinstance(body, RatingBody) else 0
        return Totals(
            prompts=self.prompts + (kind is Kind.PROMPT),
            lapses=self.lapses + (kind is Kind.LAPSE),
            ratings=(
                one + (level == 1),
                two + (level == 2),  # noqa: PLR2004 -- levels
                three + (level == 3),  # noqa: PLR2004 -- levels
                four + (level == 4),  # noqa: PLR2004 -- levels
                five + (level == 5),  # noqa: PLR2004 -- levels
            ),
            suggestions=self.suggestions + (kind is Kind.SUGGESTION),
            complaints=self.complaints + (kind is Kind.COMPLAINT),
            returns=self.returns,
        )


class About(Wire, frozen=True, kw_only=True):
    """The prompt that a record answers and the case that it belongs to, each or None."""

    prompt: Place | None
    case: Uuid7 | None


ABOUT_NOTHING = About(prompt=None, case=None)


class _Members(Wire, frozen=True, kw_only=True):
    """A record whose body is not yet looked into."""

    issuer: Id8
    epoch: Epoch
    seq: Seq
    prev: Octets32
    kind: Kind
    id: Uuid7
    at: str
    boot: Id8
    uptime_ms: Count
    anchor: None
    totals: Totals
    about: About
    body: msgspec.Raw
    sd: Annotated[tuple[Octets32, ...], Meta(max_length=16)] = field(name="_sd")
    sd_alg: Literal["sha-256"] = field(name="_sd_alg")


class Record(Wire, frozen=True, kw_only=True):
    """One entry of a chain.

    `at` is RFC 3339 text with milliseconds and offset (`parse_at` reads it); `sd` are the
    digests of the erasable members, sorted, and stand as `_sd` and `_sd_alg` in JSON.
    """

    issuer: str
    epoch: int
    seq: int
    prev: str
    kind: Kind
    id: str
    at: str
    boot: str
    uptime_ms: int
    anchor: None
    totals: Totals
    about: About
    body: Body
    sd: tuple[str, ...] = field(name="_sd")
    sd_alg: str = field(name="_sd_alg")

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(issuer=self.issuer, epoch=self.epoch, seq=self.seq)


class Peek(Wire, frozen=True, kw_only=True):
    """What a payload claims about its place, readable although the rest may be malformed."""

    issuer: str
    epoch: int
    seq: int
    prev: str


_MEMBERS: msgspec.json.Decoder[_Members] = msgspec.json.Decoder(_Members)
_BODIES: dict[Kind, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(body) for kind, body in BODY_TYPES.items()
}
_PEEK = re.compile(
    rb'\{"issuer":"([A-Za-z0-9_-]{10}[AEIMQUYcgkosw048])","epoch":([1-9][0-9]{0,4}),"seq":(0|[1-9][0-9]{0,9}),'
    rb'"prev":"([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])",'
)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def encode_record(record: Record) -> bytes:
    """The payload of the record's JWS.

    Raises:
        FormatError: no reader would take it.
    """
    payload = encode_json(record)
    decode_record(payload)
    return payload


def decode_record(payload: bytes) -> Record:
    """The record whose one encoding this payload is, with the body of its kind.

    Raises:
        FormatError: too long, or not exactly as PROTOCOL.md has it.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise FormatError(f"record: {len(payload)} bytes")
    members = decode_with(_MEMBERS, payload)
    record = Record(
        issuer=members.issuer,
        epoch=members.epoch,
        seq=members.seq,
        prev=members.prev,
        kind=members.kind,
        id=members.id,
        at=members.at,
        boot=members.boot,
        uptime_ms=members.uptime_ms,
        anchor=None,
        totals=members.totals,
        about=members.about,
        body=decode_with(_BODIES[members.kind], members.body),
        sd=members.sd,
        sd_alg=members.sd_alg,
    )
    require_encoding(record, payload)
    _require_sense(record)
    return record


def peek_record(payload: bytes) -> Peek:
    """The place that a payload claims, read from its first four members alone.

    Raises:
        FormatError: not even those are as they must be.
    """
    match = _PEEK.match(payload)
    if match is None or int(match[2]) > MAX_EPOCH or int(match[3]) > MAX_SEQ:
        raise FormatError("record: no place can be read")
    return Peek(
        issuer=match[1].decode("ascii"),
        epoch=int(match[2]),
        seq=int(match[3]),
        prev=match[4].decode("ascii"),
    )


def new_id(at: datetime) -> str:
    """A UUIDv7 of this moment, 74 of its bits random.

    Source: RFC 9562, section 5.7.
    """
    milliseconds = max(0, int(at.timestamp() * 1000)) & (2**48 - 1)
    value = milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_id(text: str) -> bool:
    """Whether the text is a UUIDv7 in lower case."""
    return _ID.fullmatch(text) is not None


def _require_sense(record: Record) -> None:
    """Refuses what types cannot express.

    Source: PROTOCOL.md, "Record", "Grammar beyond types".
    """
    parse_at(record.at)
    digests = record.sd
    if digests:
        if len(digests) > len(ERASABLE[record.kind]):
            raise FormatError("record: more digests than its kind has erasable members")
        if any(a >= b for a, b in pairwise(digests)):
            raise FormatError("record: digests are not sorted, or repeated")
    _require_about(record)
    body = record.body
    match body:
        case PromptBody() | LapseBody() | SuggestionBody():
            pass
        case RatingBody():
            _require_distinct(body.tags)
            if body.aspects:
                _require_distinct([aspect.aspect for aspect in body.aspects])
        case ComplaintBody():
            _require_distinct(body.categories)
            _require_distinct(body.remedies)
        case _:
            assert_never(body)


def _require_about(record: Record) -> None:
    prompt = record.about.prompt
    if prompt is None:
        if record.kind is Kind.LAPSE:
            raise FormatError("record: a lapse of no prompt")
        return
    if record.kind is Kind.PROMPT:
        raise FormatError("record: a prompt about a prompt")
    if prompt.seq >= record.seq and prompt.epoch == record.epoch and prompt.issuer == record.issuer:
        raise FormatError("record: it answers a prompt that comes after it")


def _require_distinct(codes: tuple[str, ...] | list[str]) -> None:
    if len(codes) > 1 and len(set(codes)) != len(codes):
        raise FormatError("record: a code stands twice")
