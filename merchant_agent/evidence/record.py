"""Records: one signed entry of a chain; `bodies` has the kinds and what each says.

Members stand in the order in which they are written here.
Source: PROTOCOL.md, "Record".
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta, field

from merchant_agent.errors import FormatError
from merchant_agent.evidence.bodies import (
    BODY_TYPES,
    Body,
    ClockBody,
    DayCloseBody,
    EndBody,
    HeartbeatBody,
    Kind,
    OutageBody,
    PromptBody,
    RatingBody,
    RecoverBody,
    RevokeBody,
    RotateBody,
    SettingsBody,
    StartBody,
    erasable_of,
)
from merchant_agent.evidence.fields import (
    MAX_EPOCH,
    MAX_SEQ,
    Anchor,
    Count,
    Epoch,
    Id8,
    Octets32,
    Place,
    Seq,
    Uuid7,
    Wire,
    parse_at,
)
from merchant_agent.evidence.grammar import place_told_of, require_body
from merchant_agent.evidence.octets import (
    MAX_PAYLOAD_BYTES,
    decode_with,
    encode_json,
    require_encoding,
)

_KIND = b',"kind":"'
SD_ALG: Literal["sha-256"] = "sha-256"


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


class Record(Wire, frozen=True, kw_only=True):
    """One entry of a chain.

    `at` is RFC 3339 text with milliseconds and offset (`parse_at` reads it); `anchor` is the newest
    checkpoint of central's log that its issuer had verified, None before the first; `sd` are the
    digests of the erasable members, sorted, and stand as `_sd` and `_sd_alg` in JSON.
    """

    issuer: Id8
    epoch: Epoch
    seq: Seq
    prev: Octets32
    kind: Kind
    id: Uuid7
    at: str
    boot: Id8
    uptime_ms: Count
    anchor: Anchor | None
    totals: Totals
    about: About
    body: Body
    sd: Annotated[tuple[Octets32, ...], Meta(max_length=16)] = field(name="_sd")
    sd_alg: Literal["sha-256"] = field(name="_sd_alg")

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


def _of_kind(kind: Kind) -> type[Record]:
    """The record whose body is that of its kind, so that one pass decodes it."""
    fields = [("body", BODY_TYPES[kind])]
    made = msgspec.defstruct(f"{kind.name.title()}Record", fields, bases=(Record,), frozen=True, kw_only=True)
    return cast("type[Record]", made)


_DECODERS: dict[bytes, msgspec.json.Decoder[Record]] = {
    kind.value.encode(): msgspec.json.Decoder(_of_kind(kind)) for kind in Kind
}
_PEEK = re.compile(
    rb'\{"issuer":"([A-Za-z0-9_-]{10}[AEIMQUYcgkosw048])","epoch":([1-9][0-9]{0,4}),"seq":(0|[1-9][0-9]{0,9}),'
    rb'"prev":"([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])",'
)
_OF_NO_PROMPT = frozenset(
    {
        PromptBody,
        StartBody,
        HeartbeatBody,
        DayCloseBody,
        ClockBody,
        SettingsBody,
        RotateBody,
        OutageBody,
        RecoverBody,
        EndBody,
        RevokeBody,
    }
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
    # Where the kind stands elsewhere, this is not the one encoding.
    kind = payload.partition(_KIND)[2].partition(b'"')[0]
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise FormatError("record: no known kind")
    record = decode_with(decoder, payload)
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
        if len(digests) > len(erasable_of(record.kind, record.body)):
            raise FormatError("record: more digests than its kind has erasable members")
        if len(digests) > 1 and any(a >= b for a, b in pairwise(digests)):
            raise FormatError("record: digests are not sorted, or repeated")
    _require_about(record)
    require_body(record.body)
    told_of = place_told_of(record.body)
    if told_of is not None:
        _require_before(record, told_of)


def _require_about(record: Record) -> None:
    prompt = record.about.prompt
    if prompt is None:
        if record.kind is Kind.LAPSE:
            raise FormatError("record: a lapse of no prompt")
        return
    if type(record.body) in _OF_NO_PROMPT:
        raise FormatError(f"record: a {record.kind} about a prompt")
    _require_before(record, prompt)


def _require_before(record: Record, place: Place) -> None:
    if place.seq >= record.seq and place.epoch == record.epoch and place.issuer == record.issuer:
        raise FormatError("record: it speaks of what comes after it")
