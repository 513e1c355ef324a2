"""Enrolling a terminal: a code and a key in, a signed grant out.

A code makes one terminal, or goes on with one whose key is lost in its next epoch, for the first
strong key that shows it can sign; the same code and key are answered the same again, for as long
as the answer may have been lost.
Source: PROTOCOL.md, "Enrolment".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from merchant_agent.central.codes import (
    CodeKind,
    CodeState,
    change_code,
    code_state,
    hash_code,
    lock_code,
)
from merchant_agent.central.intake.attempts import note_wrong_code, require_attempt_left
from merchant_agent.central.intake.granting import (
    NewestEpoch,
    find_grant,
    find_granted,
    grant_next,
    grant_terminal,
    lock_newest,
)
from merchant_agent.central.merchants import find_merchant, told_of
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Code
from merchant_agent.errors import (
    FormatError,
    InvalidError,
    NotFoundError,
    StoreConflictError,
    StoreCorruptError,
    VerificationError,
)
from merchant_agent.evidence.enrolment import parse_code, verify_enrolment
from merchant_agent.evidence.fields import parse_kid
from merchant_agent.evidence.grant import decode_grant
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.store.credentials import audit
from merchant_agent.store.store import Reader, Writer

_KEY_BYTES = 32
_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """The grant's octets and what the terminal is told of its shop; `created` in the first answer alone."""

    grant: bytes
    merchant: Mapping[str, object]
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """This key claimed a sheet's code; an officer has yet to confirm it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """A code, by its hash, and a strong key that signed for it."""

    code_hash: bytes
    key: bytes
    continues: tuple[str, int] | None
    remote: str


class _WrongCodeError(Exception):
    """The code is unknown, over, refused, or another key's; nobody is told which."""


def enrol(  # noqa: PLR0913 -- a claim has these parts
    central: Central, *, code: str, key: str, signature: str, remote: str, continues: str | None = None
) -> Enrolled | Waiting:
    """The grant for `key`, or that it must wait; texts are as they came, `remote` is a network address.

    `continues` is the id of the terminal's newest epoch; None for a new terminal.

    Raises:
        RateLimitedError: too many wrong codes from that address.
        NotFoundError: "enrolment-code".
        InvalidError: "enrolment-key", weak or used before; "enrolment-signature"; "enrolment-continues",
            where that epoch is not the newest of a terminal of the code's merchant. The code stays good.
    """
    require_attempt_left(central, remote)
    try:
        return _settle(central, _read_claim(code, key, signature, remote, continues))
    except _WrongCodeError as error:
        note_wrong_code(central, remote)
        raise NotFoundError("enrolment-code", "the code is not known, was used, or is over") from error


def _read_claim(code: str, key: str, signature: str, remote: str, continues: str | None) -> _Claim:
    try:
        canonical = parse_code(code)
    except FormatError as error:
        raise _WrongCodeError from error
    try:
        octets = decode_b64u(key, length=_KEY_BYTES)
        VerifyingKey(octets)
    except FormatError as error:
        raise InvalidError("enrolment-key", str(error)) from error
    try:
        verify_enrolment(octets, canonical, decode_b64u(signature, length=_SIGNATURE_BYTES), continues)
        goes_on = None if continues is None else parse_kid(continues)
    except (FormatError, VerificationError) as error:
        raise InvalidError("enrolment-signature", str(error)) from error
    return _Claim(code_hash=hash_code(canonical), key=octets, continues=goes_on, remote=remote)


def _settle(central: Central, claim: _Claim) -> Enrolled | Waiting:
    """Decides in one transaction, with the code's row locked."""
    try:
        with central.store.write() as tx:
            row = lock_code(tx, claim.code_hash)
            if row is None or (row.claimed_key is not None and bytes(row.claimed_key) != claim.key):
                raise _WrongCodeError
            return _answer(central, tx, row, claim)
    except StoreConflictError as error:
        raise _key_taken() from error


def _answer(central: Central, tx: Writer, row: Code, claim: _Claim) -> Enrolled | Waiting:
    now = central.clock.now()
    match code_state(row, now):
        case CodeState.USED:
            return enrolled(tx, row.merchant, _granted(tx, claim), created=False)
        case CodeState.READY if row.kind == CodeKind.SHEET:
            _require_fresh_key(tx, claim.key)
            _find_newest(tx, row, claim)
            claimed = {"claimed_key": claim.key, "claimed_at": now, "claimed_from": claim.remote}
            change_code(tx, row, claimed)
            return Waiting()
        case CodeState.WAITING:
            return Waiting()
        case CodeState.READY | CodeState.CONFIRMED:
            _require_fresh_key(tx, claim.key)
            return _grant(central, tx, row, claim, now)
        case CodeState.EXPIRED | CodeState.REFUSED:
            raise _WrongCodeError


def _grant(central: Central, tx: Writer, row: Code, claim: _Claim, now: datetime) -> Enrolled:
    newest = _find_newest(tx, row, claim)
    if newest is None:
        octets = grant_terminal(central, tx, row.merchant, claim.key)
    else:
        octets = grant_next(central, tx, newest, claim.key)
    granted = decode_grant(decode_jws(octets, Typ.GRANT).payload)
    claimed = {"claimed_key": claim.key, "claimed_at": row.claimed_at or now}
    origin = row.claimed_from or claim.remote
    change_code(tx, row, {**claimed, "claimed_from": origin, "used_at": now, "issuer": granted.issuer})
    what = "terminal-enrolled" if newest is None else "terminal-enrolled-again"
    audit(tx, at=now, who=row.made_by, what=what, detail=f"{row.merchant} {granted.kid}")
    return enrolled(tx, row.merchant, octets, created=True)


def enrolled(reader: Reader, merchant: str, octets: bytes, *, created: bool) -> Enrolled:
    """A grant together with what its terminal is told of its shop.

    Raises:
        NotFoundError: "merchant".
    """
    return Enrolled(grant=octets, merchant=told_of(find_merchant(reader, merchant)), created=created)


def _find_newest(tx: Writer, row: Code, claim: _Claim) -> NewestEpoch | None:
    """The epoch that is gone on from; None for a new terminal."""
    if claim.continues is None:
        return None
    issuer, epoch = claim.continues
    newest = lock_newest(tx, row.merchant, issuer)
    if newest is None or newest.epoch != epoch:
        raise InvalidError("enrolment-continues", f"{issuer}.{epoch} is not the newest epoch of this shop's")
    return newest


def _granted(reader: Reader, claim: _Claim) -> bytes:
    place = find_granted(reader, claim.key)
    if place is None:
        raise StoreCorruptError("a used code's key was not granted")
    return find_grant(reader, *place)


def _require_fresh_key(reader: Reader, key: bytes) -> None:
    """One key for one epoch, anywhere: a second terminal with it would be a clone."""
    if find_granted(reader, key) is not None:
        raise _key_taken()


def _key_taken() -> InvalidError:
    return InvalidError("enrolment-key", "the key was granted before")
