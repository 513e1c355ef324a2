"""Grants: central's signed permission for one issuer, one epoch and one key.

Source: PROTOCOL.md, "Grant".
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.bodies import Role
from merchant_agent.evidence.fields import Epoch, Head, Id8, Kid, Octets16, Octets32, Wire, parse_at
from merchant_agent.evidence.jws import Typ, decode_jws, format_kid, sign_jws, verify_jws
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.octets import decode_b64u, decode_json, encode_b64u, encode_json
from merchant_agent.evidence.record import Totals


class Policy(Wire, frozen=True, kw_only=True):
    """What the bureau sets for this issuer: who asks, the tablet or only the receipt."""

    ask: Literal["tablet", "receipt"]


class NamedKey(Wire, frozen=True, kw_only=True):
    """A public key, 32 octets in base64url, and the id by which signatures name it."""

    kid: Kid
    key: Octets32


class Grant(Wire, frozen=True, kw_only=True):
    """One key, one epoch, one chain, and what it goes on from."""

    issuer: Id8
    epoch: Epoch
    merchant: Id8
    role: Role
    key: Octets32
    nonce: Octets16
    totals: Totals
    deadline_hours: Annotated[int, Meta(ge=1, le=255)]
    policy: Policy
    sealing_key: Octets32
    central: Annotated[tuple[NamedKey, ...], Meta(min_length=1, max_length=16)]
    closes: Head | None
    at: str

    @property
    def kid(self) -> str:
        """The id of the granted key."""
        return format_kid(self.issuer, self.epoch)

    def verifying_key(self) -> VerifyingKey:
        """The granted key.

        Raises:
            VerificationError: V3 where it is weak.
        """
        return _strong(self.key)

    def central_keys(self) -> dict[str, VerifyingKey]:
        """The keys that may sign acknowledgements, by id.

        Raises:
            VerificationError: V3 where one is weak.
        """
        return {named.kid: _strong(named.key) for named in self.central}


def new_issuer_id() -> str:
    """A fresh id for an issuer or a merchant: 8 random bytes, 11 characters."""
    return encode_b64u(secrets.token_bytes(8))


def new_nonce() -> str:
    """A fresh nonce: 16 random bytes, 22 characters."""
    return encode_b64u(secrets.token_bytes(16))


def sign_grant(root_key: SigningKey, root_issuer: str, root_epoch: int, grant: Grant) -> bytes:
    """The grant's octets, signed by central's root key.

    Raises:
        FormatError: no reader would take it.
        VerificationError: V3 where one of its keys is weak.
    """
    payload = encode_json(grant)
    decode_grant(payload)
    return sign_jws(root_key, Typ.GRANT, root_issuer, root_epoch, payload)


def open_grant(octets: bytes, root_keys: Mapping[str, VerifyingKey]) -> Grant:
    """The grant, signed by one of the root keys that the caller trusts, given by kid.

    Raises:
        VerificationError: V1, V2, V3; V11 where no such root key is known.
    """
    jws = decode_jws(octets, Typ.GRANT)
    key = root_keys.get(jws.kid)
    if key is None:
        raise VerificationError("V11", f"grant: signed by {jws.kid}, which is no known root key")
    verify_jws(jws, key)
    try:
        return decode_grant(jws.payload)
    except FormatError as error:
        raise VerificationError("V1", f"grant: {error}") from error


def decode_grant(payload: bytes) -> Grant:
    """What a grant's payload states, whoever signed it.

    Raises:
        FormatError: not exactly as PROTOCOL.md has it.
        VerificationError: V3 where one of its keys is weak.
    """
    grant = decode_json(payload, Grant)
    parse_at(grant.at)
    grant.verifying_key()
    grant.central_keys()
    return grant


def _strong(text: str) -> VerifyingKey:
    try:
        return VerifyingKey(decode_b64u(text, length=32))
    except FormatError as error:
        raise VerificationError("V3", str(error)) from error
