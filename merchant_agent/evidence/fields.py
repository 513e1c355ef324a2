"""The small types that the protocol's structures are made of, each with its bounds."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from merchant_agent.errors import FormatError
from merchant_agent.evidence.octets import MAX_INTEGER

MAX_EPOCH = 2**16 - 1
MAX_SEQ = 2**32 - 1
_AT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}"
    r"(?!-00:00)[+-](?:[01][0-9]|2[0-3]):[0-5][0-9]"
)
_KID = re.compile(r"([A-Za-z0-9_-]{10}[AEIMQUYcgkosw048])\.([1-9][0-9]{0,4})")

# 43 and 11 characters of base64url end in one whose two lowest bits are 0, 22 in one of four.
Id8 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]\Z")]
Octets16 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{21}[AQgw]\Z")]
Octets32 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\Z")]
Kid = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]\.[1-9][0-9]{0,4}\Z")]
Uuid7 = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
]
Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z")]
Label = Annotated[str, Meta(max_length=64)]
Epoch = Annotated[int, Meta(ge=1, le=MAX_EPOCH)]
Seq = Annotated[int, Meta(ge=0, le=MAX_SEQ)]
SeqOrNone = Annotated[int, Meta(ge=-1, le=MAX_SEQ)]
Count = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
Level = Annotated[int, Meta(ge=1, le=5)]


class Wire(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Base of everything that is signed: every member present, in the order written here."""


class Head(Wire, frozen=True, kw_only=True):
    """The newest place of a chain and the link of what stands there.

    Before the first record `seq` is -1 and `link` that of the grant.
    """

    epoch: Epoch
    seq: SeqOrNone
    link: Octets32


class Place(Wire, frozen=True, kw_only=True):
    """Where a record stands."""

    issuer: Id8
    epoch: Epoch
    seq: Seq


class LogHead(Wire, frozen=True, kw_only=True):
    """How many leaves central's log had, at least 1, and the root over them."""

    size: Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
    root: Octets32


class Anchor(Wire, frozen=True, kw_only=True):
    """The newest checkpoint of central's log that an issuer had verified; `time` in unix seconds."""

    size: Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
    root: Octets32
    time: Count


def parse_kid(text: str) -> tuple[str, int]:
    """Issuer and epoch of a key id.

    Raises:
        FormatError: another form than `hpPPUkmghfE.1`.
    """
    match = _KID.fullmatch(text)
    if match is None or int(match[2]) > MAX_EPOCH:
        raise FormatError("key id: no issuer and epoch")
    return match[1], int(match[2])


def parse_at(text: str) -> datetime:
    """The aware moment that `format_at` writes as exactly this text.

    Raises:
        FormatError: another form than `2026-11-24T10:26:34.123+08:00`.
    """
    if _AT.fullmatch(text) is None:
        raise FormatError("time: not RFC 3339 with milliseconds and offset")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise FormatError(f"time: {error}") from error
