"""What central answers when it grants a key, to a first enrolment and to every later epoch alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from merchant_agent.errors import FormatError
from merchant_agent.evidence.octets import decode_with
from merchant_agent.evidence.trust import Trust, load_trust
from merchant_agent.terminal.store.shop import Shop, read_shop
from merchant_agent.terminal.upload.client import Answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A grant that nobody has verified yet, and what came beside it.

    `public_url` is where customers reach central, or empty.
    """

    octets: bytes
    merchant: Shop
    trust: Trust
    public_url: str


class _Granted(msgspec.Struct, frozen=True, kw_only=True):
    grant: str
    merchant: dict[str, Any]
    trust: msgspec.Raw
    central_url: str


class _Waits(msgspec.Struct, frozen=True, kw_only=True, tag_field="state", tag="waiting"):
    """What central answers while an officer has yet to decide."""


class _Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The member of a problem that tells what to do. Source: RFC 9457."""

    code: str


_GRANTED: msgspec.json.Decoder[_Granted] = msgspec.json.Decoder(_Granted)
_WAITS: msgspec.json.Decoder[_Waits] = msgspec.json.Decoder(_Waits)
_PROBLEM: msgspec.json.Decoder[_Problem] = msgspec.json.Decoder(_Problem)


def read_granted(answer: Answered) -> Granted:
    """The grant that an answer carries.

    Raises:
        FormatError: it carries none.
    """
    told = decode_with(_GRANTED, answer.body)
    public_url = told.central_url.rstrip("/") if is_web_address(told.central_url) else ""
    return Granted(
        octets=told.grant.encode(),
        merchant=read_shop(told.merchant),
        trust=load_trust(bytes(told.trust)),
        public_url=public_url,
    )


def is_waiting(answer: Answered) -> bool:
    """Whether the answer says that an officer has yet to decide."""
    try:
        decode_with(_WAITS, answer.body)
    except FormatError:
        return False
    return True


def problem_code(answer: Answered) -> str:
    """What the answer says to be wrong; empty where it is no problem of central's."""
    try:
        return decode_with(_PROBLEM, answer.body).code
    except FormatError:
        return ""


def is_web_address(text: str) -> bool:
    """Whether paths can be added to it to reach pages."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    plain = not parts.query and not parts.fragment
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and plain
