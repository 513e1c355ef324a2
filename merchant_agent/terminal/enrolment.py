"""Enrolling this terminal: a key of its own and a code from the authority, for a signed grant.

The key is on disk before the code is used and stays the same until it is granted, so that
an answer that was lost is given again. Source: PROTOCOL.md, "Enrolment".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from merchant_agent.errors import (
    ConflictError,
    FormatError,
    InvalidError,
    NotFoundError,
    RequestError,
    VerificationError,
)
from merchant_agent.evidence.enrolment import parse_code, sign_enrolment
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import decode_with, encode_b64u, encode_json
from merchant_agent.evidence.trust import Trust, load_trust
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.identity import Identity
from merchant_agent.terminal.upload.client import Answered, Client, NoAnswer
from merchant_agent.terminal.upload.retry_after import retry_after_s

_SERVER_ERRORS = 500
_DEFAULT_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """The terminal may sign from now on."""

    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The code is of a printed sheet; an officer has yet to confirm it, then the same call enrols."""


class _Granted(msgspec.Struct, frozen=True, kw_only=True):
    """What central answers when it grants the key."""

    grant: str
    merchant: dict[str, str]
    trust: msgspec.Raw
    central_url: str


class _Waits(msgspec.Struct, frozen=True, kw_only=True, tag_field="state", tag="waiting"):
    """What central answers before an officer confirmed the code."""


class _Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The member of a problem that tells what to do. Source: RFC 9457."""

    code: str


_GRANTED: msgspec.json.Decoder[_Granted] = msgspec.json.Decoder(_Granted)
_WAITS: msgspec.json.Decoder[_Waits] = msgspec.json.Decoder(_Waits)
_PROBLEM: msgspec.json.Decoder[_Problem] = msgspec.json.Decoder(_Problem)

_SHOP = ("id", "name", "shop_name", "credit_code", "address", "trade", "phone")


def enrol(
    terminal: Terminal, central_url: str, code: str, *, trust: Trust | None = None
) -> Enrolled | Waiting:
    """Has central grant this terminal's key, or learns that an officer must confirm first.

    `central_url` is central's address; `code` may be typed with spaces, hyphens and small
    letters. `trust` is what the shop was told to believe beforehand; without it the roots
    that central names are believed, and kept.

    Raises:
        ConflictError: "enrolled", this terminal is already.
        InvalidError: "central-url" or "enrolment-code-form", one of them was mistyped;
            "enrolment-key", central does not take this key.
        NotFoundError: "enrolment-code", the code is unknown, over, or another's.
        RequestError: "central-unreachable", "central-busy", "rate-limited"; "wrong-central",
            something else answered, or it cannot prove that it is central.
        SettingsError: the certificate authority that the settings name cannot be used.
        StartError: the folder of keys cannot be used.
        StoreError: the grant could not be stored; the same call gets it again.
    """
    if terminal.journal.enrolled:
        raise ConflictError("enrolled", "This terminal is enrolled already.")
    base = _checked_url(central_url)
    key = terminal.journal.enrolment_key()
    answer = _ask(terminal, base, _claim(key, code))
    match answer.status:
        case 200 | 201:
            return Enrolled(identity=_take(terminal, key, answer, base, trust))
        case 202 if _is(_WAITS, answer.body):
            return Waiting()
        case _:
            raise _refusal(answer)


def _checked_url(text: str) -> str:
    """The address without a slash at its end."""
    base = text.strip().rstrip("/")
    if not _is_web_address(base):
        raise InvalidError(
            "central-url", "The address of central must look like https://central.example.gov.cn."
        )
    return base


def _claim(key: SigningKey, code: str) -> bytes:
    """The body of the request: the code, the key, and the key's signature over both."""
    try:
        canonical = parse_code(code)
    except FormatError as error:
        raise InvalidError(
            "enrolment-code-form", "The code has 13 letters and digits; this one was mistyped."
        ) from error
    signature = encode_b64u(sign_enrolment(key, canonical))
    return encode_json({"code": canonical, "key": encode_b64u(key.public), "signature": signature})


def _ask(terminal: Terminal, base: str, body: bytes) -> Answered:
    client = Client(proxy=terminal.settings.proxy, ca_file=terminal.settings.central_ca)
    try:
        answer = client.post(f"{base}/api/v1/enrolments", body, {"Content-Type": "application/json"})
    finally:
        client.close()
        client.release()
    if isinstance(answer, NoAnswer):
        raise RequestError("central-unreachable", f"Central cannot be reached at {base}: {answer.detail}.")
    return answer


def _take(terminal: Terminal, key: SigningKey, answer: Answered, base: str, trust: Trust | None) -> Identity:
    """Stores the grant, once it is proved to be one for this key."""
    try:
        granted = decode_with(_GRANTED, answer.body)
        believed = trust or load_trust(bytes(granted.trust))
        return terminal.journal.enrol(
            key,
            granted.grant.encode(),
            _shop(granted.merchant),
            believed,
            central_url=base,
            public_url=granted.central_url.rstrip("/") if _is_web_address(granted.central_url) else "",
        )
    except (FormatError, VerificationError) as error:
        raise RequestError(
            "wrong-central", f"What answers at {base} is not the central of this authority: {error}."
        ) from error


def _shop(told: Mapping[str, str]) -> dict[str, str]:
    """What central says of the shop, each of the members that pages show."""
    missing = [name for name in _SHOP if name not in told]
    if missing:
        raise FormatError(f"enrolment: the shop's {missing[0]} is missing")
    return {name: told[name] for name in _SHOP}


def _is_web_address(text: str) -> bool:
    """Whether paths can be added to it to reach pages."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    plain = not parts.query and not parts.fragment
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and plain


def _refusal(answer: Answered) -> RequestError:
    """The error that says what a person can do about this answer."""
    try:
        code = decode_with(_PROBLEM, answer.body).code
    except FormatError:
        code = ""
    match answer.status, code:
        case 404, "enrolment-code":
            return NotFoundError(code, "The code is not known, was used, or is over: ask for a new one.")
        case 422, "enrolment-key" | "enrolment-signature":
            return InvalidError("enrolment-key", "Central does not take this terminal's key.")
        case 429, _:
            wait_s = retry_after_s(answer.headers) or _DEFAULT_WAIT_S
            return RequestError("rate-limited", f"Too many wrong codes: try again in {wait_s:.0f} seconds.")
        case status, _ if status >= _SERVER_ERRORS:
            return RequestError(
                "central-busy", f"Central cannot answer now (HTTP {status}): try again later."
            )
        case status, _:
            return RequestError("wrong-central", f"What answers there is not central (HTTP {status}).")


def _is(decoder: msgspec.json.Decoder[_Waits], body: bytes) -> bool:
    """Whether the body is what the decoder reads."""
    try:
        decode_with(decoder, body)
    except FormatError:
        return False
    return True
