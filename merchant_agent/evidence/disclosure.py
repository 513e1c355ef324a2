"""Erasable members: kept beside a record, bound to it by a salted digest.

Deleting a disclosure deletes the words; every proof over the record still holds.
Source: RFC 9901 (SD-JWT), sections 4.2.1, 4.2.3 and 4 (compact form).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Container, Iterable

import msgspec

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.bodies import erasable_of
from merchant_agent.evidence.octets import (
    MAX_PAYLOAD_BYTES,
    decode_b64u,
    decode_with,
    encode_b64u,
    encode_json,
    encode_segment,
    require_encoding,
)
from merchant_agent.evidence.record import Record
from merchant_agent.evidence.seal import COMPLAINT_BYTES, CONTACT_BYTES

_SALT_BYTES = 16
_MAX_SALT_BYTES = 64
_HASH = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
_PHOTOS = re.compile(f"{_HASH}( {_HASH}){{0,2}}")
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})? [A-Z]{3}")
_SEALED_BYTES = {"contact": CONTACT_BYTES, "sealed": COMPLAINT_BYTES}
_MEMBERS: msgspec.json.Decoder[tuple[str, str, str]] = msgspec.json.Decoder(tuple[str, str, str])


class Disclosure(msgspec.Struct, frozen=True, kw_only=True):
    """An erasable member in clear."""

    salt: str
    name: str
    value: str


def make_disclosure(name: str, value: str) -> str:
    """A disclosure with a fresh salt of 128 bits, as base64url of `[salt, name, value]`.

    Raises:
        FormatError: longer than 16 KiB, or the text is no valid Unicode.
    """
    octets = encode_json([encode_b64u(secrets.token_bytes(_SALT_BYTES)), name, value])
    if len(octets) > MAX_PAYLOAD_BYTES:
        raise FormatError(f"disclosure: {len(octets)} bytes")
    return encode_b64u(octets)


def digest(disclosure: str) -> str:
    """What stands in the record for it: SHA-256 over its base64url text, 43 characters."""
    return encode_segment(hashlib.sha256(disclosure.encode("ascii")).digest()).decode("ascii")


def open_disclosure(text: str) -> Disclosure:
    """What a disclosure says.

    Raises:
        FormatError: not as `make_disclosure` writes it.
    """
    octets = decode_b64u(text)
    if len(octets) > MAX_PAYLOAD_BYTES:
        raise FormatError(f"disclosure: {len(octets)} bytes")
    members = decode_with(_MEMBERS, octets)
    require_encoding(members, octets)
    salt, name, value = members
    if not _SALT_BYTES <= len(decode_b64u(salt)) <= _MAX_SALT_BYTES:
        raise FormatError("disclosure: a salt of the wrong length")
    return Disclosure(salt=salt, name=name, value=value)


def check_disclosures(record: Record, disclosures: Iterable[str]) -> dict[str, str]:
    """The values of the erasable members that are disclosed, by name; erased ones are absent.

    Raises:
        VerificationError: V10 where one is malformed, not the record's, not of its kind or twice.
    """
    values: dict[str, str] = {}
    for text in disclosures:
        try:
            opened = open_disclosure(text)
        except FormatError as error:
            raise VerificationError("V10", str(error), seq=record.seq) from error
        if digest(text) not in record.sd:
            raise VerificationError("V10", "the record holds no such digest", seq=record.seq)
        if opened.name not in erasable_of(record.kind, record.body) or opened.name in values:
            raise VerificationError("V10", "a member not of its kind, or twice", seq=record.seq)
        if opened.name == "amount" and _AMOUNT.fullmatch(opened.value) is None:
            raise VerificationError("V10", "an amount that is no decimal and currency", seq=record.seq)
        if opened.name in _SEALED_BYTES and not _is_sealed(opened.value, _SEALED_BYTES[opened.name]):
            raise VerificationError("V10", f"{opened.name}: not sealed", seq=record.seq)
        if opened.name == "photos" and _PHOTOS.fullmatch(opened.value) is None:
            raise VerificationError("V10", "photos that are no hashes", seq=record.seq)
        values[opened.name] = opened.value
    return values


def _is_sealed(value: str, lengths: Container[int]) -> bool:
    try:
        return len(decode_b64u(value)) in lengths
    except FormatError:
        return False


def encode_line(octets: bytes, disclosures: Iterable[str]) -> bytes:
    """A record as it travels: `JWS~D1~D2~`, with none of them `JWS~`."""
    return b"~".join([octets, *(text.encode("ascii") for text in disclosures), b""])
