"""Compact JWS with one pinned header: compared, never negotiated.

    {"alg":"Ed25519","kid":"<issuer>.<epoch>","typ":"record1+jws"}

Source: RFC 7515, section 7.1; RFC 9864, section 2.2 (`Ed25519`); PROTOCOL.md, "JWS".
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from functools import lru_cache

import msgspec

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.fields import MAX_EPOCH
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.octets import MAX_PAYLOAD_BYTES, decode_segment, encode_segment

_SIGNATURE_BYTES = 64
_MAX_HEADER_BYTES = 128
MAX_JWS_BYTES = 22_200
_HEADER = re.compile(
    rb'\{"alg":"Ed25519","kid":"([A-Za-z0-9_-]{10}[AEIMQUYcgkosw048])\.([1-9][0-9]{0,4})","typ":"([a-z0-9+]+)"\}'
)


class Typ(StrEnum):
    """What a JWS is; its version is part of its name."""

    RECORD = "record1+jws"
    GRANT = "grant1+jws"
    BATCH = "batch1+jws"
    ACK = "ack1+jws"
    EPOCH = "epoch1+jws"
    HEAD = "head1+jws"
    STUB = "stub1+jws"


_TYPS = {typ.value: typ for typ in Typ}


class Jws(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A JWS of the right form, its signature not yet verified.

    `signed` is what the signature covers; `octets` are the whole, exactly as they came.
    """

    issuer: str
    epoch: int
    payload: bytes
    signature: bytes
    signed: bytes
    octets: bytes

    @property
    def kid(self) -> str:
        """The key that it names."""
        return format_kid(self.issuer, self.epoch)


def format_kid(issuer: str, epoch: int) -> str:
    """The key id of an issuer's epoch."""
    return f"{issuer}.{epoch}"


def sign_jws(key: SigningKey, typ: Typ, issuer: str, epoch: int, payload: bytes) -> bytes:
    """The octets of a signed JWS over the payload.

    Raises:
        FormatError: the payload is longer than 16 KiB, or issuer or epoch are malformed.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise FormatError(f"JWS: a payload of {len(payload)} bytes")
    signed = _header_segment(typ, issuer, epoch) + b"." + encode_segment(payload)
    return signed + b"." + encode_segment(key.sign(signed))


def decode_jws(octets: bytes, typ: Typ) -> Jws:
    """The parts of a JWS of this type; the payload may still be anything.

    Raises:
        VerificationError: V1 where it is no compact JWS; V2 where its header is not the pinned one.
    """
    if len(octets) > MAX_JWS_BYTES:
        raise VerificationError("V1", f"JWS: {len(octets)} bytes")
    segments = octets.split(b".")
    if len(segments) != 3:  # noqa: PLR2004 -- header, payload, signature
        raise VerificationError("V1", f"JWS: {len(segments)} segments")
    issuer, epoch = _open_header(segments[0], typ)
    try:
        payload = decode_segment(segments[1])
        signature = decode_segment(segments[2])
    except FormatError as error:
        raise VerificationError("V1", f"JWS: {error}") from error
    if len(signature) != _SIGNATURE_BYTES or len(payload) > MAX_PAYLOAD_BYTES:
        raise VerificationError("V1", f"JWS: payload {len(payload)}, signature {len(signature)} bytes")
    return Jws(
        issuer=issuer,
        epoch=epoch,
        payload=payload,
        signature=signature,
        signed=octets[: -len(segments[2]) - 1],
        octets=octets,
    )


def decode_kid(octets: bytes, typ: Typ) -> tuple[str, int]:
    """Issuer and epoch that the header names, whatever follows it.

    Raises:
        VerificationError: V1 where it is no base64url; V2 where it is not the pinned header.
    """
    return _open_header(octets.split(b".", 1)[0], typ)


def decode_typ(octets: bytes) -> Typ | None:
    """What the header says that it is, whatever follows it; None where it is no pinned header."""
    return _typ_of(octets.split(b".", 1)[0])


def verify_jws(jws: Jws, key: VerifyingKey) -> None:
    """Returns when the signature is the key's.

    Raises:
        VerificationError: V3.
    """
    key.verify(jws.signature, jws.signed)


def leaf_hash(octets: bytes) -> bytes:
    """The 32-byte leaf of a JWS in a Merkle tree, and what its query code is made of.

    Source: RFC 6962, section 2.1.
    """
    return hashlib.sha256(b"\x00" + octets).digest()


def link_hash(octets: bytes) -> bytes:
    """The 32 bytes by which the next record names these octets."""
    return hashlib.sha256(octets).digest()


def link_of(octets: bytes) -> str:
    """`link_hash` as the 43 characters that stand in JSON."""
    return encode_segment(hashlib.sha256(octets).digest()).decode("ascii")


@lru_cache(maxsize=4096)
def _header_segment(typ: Typ, issuer: str, epoch: int) -> bytes:
    header = f'{{"alg":"Ed25519","kid":"{issuer}.{epoch}","typ":"{typ.value}"}}'.encode()
    if _parse_header(header) != (issuer, epoch, typ.value):
        raise FormatError(f"JWS: no key id for issuer {issuer!r}, epoch {epoch!r}")
    return encode_segment(header)


@lru_cache(maxsize=4096)
def _open_header(segment: bytes, typ: Typ) -> tuple[str, int]:
    if len(segment) > _MAX_HEADER_BYTES:
        raise VerificationError("V2", f"JWS: a header of {len(segment)} characters")
    try:
        header = decode_segment(segment)
    except FormatError as error:
        raise VerificationError("V1", f"JWS: {error}") from error
    parsed = _parse_header(header)
    if parsed is None:
        raise VerificationError("V2", "JWS: not the pinned header")
    issuer, epoch, found = parsed
    if found != typ.value:
        raise VerificationError("V2", f"JWS: {found} where {typ.value} is expected")
    return issuer, epoch


@lru_cache(maxsize=4096)
def _typ_of(segment: bytes) -> Typ | None:
    if len(segment) > _MAX_HEADER_BYTES:
        return None
    try:
        parsed = _parse_header(decode_segment(segment))
    except FormatError:
        return None
    return None if parsed is None else _TYPS.get(parsed[2])


def _parse_header(header: bytes) -> tuple[str, int, str] | None:
    match = _HEADER.fullmatch(header)
    if match is None or int(match[2]) > MAX_EPOCH:
        return None
    return match[1].decode("ascii"), int(match[2]), match[3].decode("ascii")
