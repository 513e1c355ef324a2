"""Enrolling this terminal: a key of its own and a code from the authority, for a signed grant.

The key is on disk before the code is used and stays the same until it is granted, so that
an answer that was lost is given again. Source: PROTOCOL.md, "Enrolment".
"""

from __future__ import annotations

from dataclasses import dataclass

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
from merchant_agent.evidence.octets import encode_b64u, encode_json
from merchant_agent.evidence.trust import Trust
from merchant_agent.terminal.collect.recovery import note_outage, tell_outage
from merchant_agent.terminal.granted import is_waiting, is_web_address, problem_code, read_granted
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


def enrol(
    terminal: Terminal, central_url: str, code: str, *, trust: Trust | None = None
) -> Enrolled | Waiting:
    """Has central grant this terminal's key, or learns that an officer must confirm first.

    A terminal that is on hold goes on in the epoch after its newest one: a new code takes the place
    of the key that is lost or counts no longer.

    `central_url` is central's address; `code` may be typed with spaces, hyphens and small
    letters. `trust` is what the shop was told to believe beforehand; without it the roots
    that central names are believed, and kept.

    Raises:
        ConflictError: "enrolled", this terminal is already, and nothing is wrong with it; "ended".
        InvalidError: "central-url" or "enrolment-code-form", one of them was mistyped;
            "enrolment-key", central does not take this key; "enrolment-continues", the code is another
            shop's, or a later epoch of this terminal is in force elsewhere.
        NotFoundError: "enrolment-code", the code is unknown, over, or another's.
        RequestError: "central-unreachable", "central-busy", "rate-limited"; "wrong-central",
            something else answered, or it cannot prove that it is central.
        SettingsError: the certificate authority that the settings name cannot be used.
        StartError: the folder of keys cannot be used.
        StoreError: the grant could not be stored; the same call gets it again.
    """
    continues = _continues(terminal)
    base = _checked_url(central_url)
    key = terminal.journal.enrolment_key()
    answer = _ask(terminal, base, _claim(key, code, continues))
    match answer.status:
        case 200 | 201:
            return Enrolled(identity=_take(terminal, key, answer, base, trust))
        case 202 if is_waiting(answer):
            return Waiting()
        case _:
            raise _refusal(answer)


def _continues(terminal: Terminal) -> str | None:
    """The newest epoch, whose key is lost or counts no longer; None for a first enrolment."""
    journal = terminal.journal
    if not journal.enrolled:
        return None
    if journal.hold is None:
        raise ConflictError("enrolled", "This terminal is enrolled already.")
    if journal.hold == "ended":
        raise ConflictError("ended", "This terminal was taken out of service: enrol a new data folder.")
    return journal.identity.grant.kid


def _checked_url(text: str) -> str:
    """The address without a slash at its end."""
    base = text.strip().rstrip("/")
    if not is_web_address(base):
        raise InvalidError(
            "central-url", "The address of central must look like https://central.example.gov.cn."
        )
    return base


def _claim(key: SigningKey, code: str, continues: str | None) -> bytes:
    """The body of the request: the code, the key, and the key's signature over both."""
    try:
        canonical = parse_code(code)
    except FormatError as error:
        raise InvalidError(
            "enrolment-code-form", "The code has 13 letters and digits; this one was mistyped."
        ) from error
    claim = {
        "code": canonical,
        "key": encode_b64u(key.public),
        "signature": encode_b64u(sign_enrolment(key, canonical, continues)),
        "continues": continues,
    }
    return encode_json(claim)


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
    journal = terminal.journal
    believed = journal.identity.trust if trust is None and journal.enrolled else trust
    note_outage(terminal)
    try:
        granted = read_granted(answer)
        return journal.begin_epoch(
            key,
            granted.octets,
            granted.merchant,
            believed or granted.trust,
            central_url=base,
            public_url=granted.public_url,
            first=lambda writer: tell_outage(terminal, writer),
        )
    except (FormatError, VerificationError) as error:
        raise RequestError(
            "wrong-central", f"What answers at {base} is not the central of this authority: {error}."
        ) from error


def _refusal(answer: Answered) -> RequestError:
    """The error that says what a person can do about this answer."""
    match answer.status, problem_code(answer):
        case 404, "enrolment-code":
            return NotFoundError(
                "enrolment-code", "The code is not known, was used, or is over: ask for a new one."
            )
        case 422, "enrolment-key" | "enrolment-signature":
            return InvalidError("enrolment-key", "Central does not take this terminal's key.")
        case 422, "enrolment-continues":
            return InvalidError(
                "enrolment-continues",
                "Another machine goes on in this terminal's place, or the code is another shop's: enrol a new data folder.",
            )
        case 429, _:
            wait_s = retry_after_s(answer.headers) or _DEFAULT_WAIT_S
            return RequestError("rate-limited", f"Too many wrong codes: try again in {wait_s:.0f} seconds.")
        case status, _ if status >= _SERVER_ERRORS:
            return RequestError(
                "central-busy", f"Central cannot answer now (HTTP {status}): try again later."
            )
        case status, _:
            return RequestError("wrong-central", f"What answers there is not central (HTTP {status}).")
