"""Slips: the promise that a customer leaves with, small enough for a QR code.

    version 1 | issuer 8 | epoch 2 | seq 4 | time 4 | flags 1 | deadline in hours 1 | leaf 32 | signature 64

"I promise that this leaf stands at this place in the log within the deadline." The flags are
the overall level (high nibble, 0 without a rating) and, from the lowest bit on, complaint,
contact and suggestion.

Source: PROTOCOL.md, "Slip".
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from dataclasses import dataclass

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.fields import MAX_EPOCH, MAX_SEQ, Place
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.octets import decode_b64u, encode_b64u

SLIP_BYTES = 117
CLAIM_BYTES = 10
# With it the whole address fits QR version 10 at level M.
MAX_CENTRAL_CHARS = 39

_VERSION = 1
_LAYOUT = struct.Struct(">B8sHIIBB32s")
_DOMAIN = b"merchant-agent/slip/v1\n"
_CLAIM_DOMAIN = b"merchant-agent/claim/v1\n"
_COMPLAINT, _CONTACT, _SUGGESTION = 1, 2, 4
_FLAGS = _COMPLAINT | _CONTACT | _SUGGESTION
_MAX_LEVEL = 5
_MAX_TIME = 2**32 - 1
_MAX_HOURS = 255
_LEAF_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """The promise over a visit's last record.

    `time` is in unix seconds; `level` is 0 where the visit has no rating. The other flags say
    what else the customer left at this visit.
    """

    place: Place
    time: int
    level: int
    complaint: bool
    contact: bool
    suggestion: bool
    deadline_hours: int
    leaf: bytes


def sign_slip(key: SigningKey, slip: Slip) -> bytes:
    """The 117 octets of the promise.

    Raises:
        FormatError: a member does not fit its field.
    """
    signed = _pack(slip)
    return signed + key.sign(_DOMAIN + signed)


def decode_slip(octets: bytes) -> Slip:
    """What a slip states, whoever signed it.

    Raises:
        FormatError: no slip.
    """
    if len(octets) != SLIP_BYTES:
        raise FormatError(f"slip: {len(octets)} bytes")
    version, issuer, epoch, seq, time, flags, hours, leaf = _LAYOUT.unpack_from(octets)
    level, rest = flags >> 4, flags & 0x0F
    if version != _VERSION or rest & ~_FLAGS:
        raise FormatError("slip: an unknown version or flag")
    slip = Slip(
        place=Place(issuer=encode_b64u(issuer), epoch=epoch, seq=seq),
        time=time,
        level=level,
        complaint=bool(rest & _COMPLAINT),
        contact=bool(rest & _CONTACT),
        suggestion=bool(rest & _SUGGESTION),
        deadline_hours=hours,
        leaf=leaf,
    )
    _require_sense(slip)
    return slip


def open_slip(octets: bytes, key: VerifyingKey) -> Slip:
    """The promise, signed by the key of the epoch that it names.

    Raises:
        VerificationError: V12.
    """
    try:
        slip = decode_slip(octets)
        key.verify(octets[_LAYOUT.size :], _DOMAIN + octets[: _LAYOUT.size])
    except FormatError as error:
        raise VerificationError("V12", str(error)) from error
    except VerificationError as error:
        raise VerificationError(
            "V12", "slip: the signature is not of this key", seq=slip.place.seq
        ) from error
    return slip


def slip_url(central_url: str, octets: bytes, claim: bytes | None = None) -> str:
    """What the QR code on the tablet holds; the claim stands after `#`, which reaches no server's log."""
    address = f"{central_url.rstrip('/')}/s/{encode_b64u(octets)}"
    return address if claim is None else f"{address}#{encode_b64u(claim)}"


def parse_slip(text: str) -> bytes:
    """The slip's octets out of the last part of its address.

    Raises:
        FormatError: no slip.
    """
    octets = decode_b64u(text, length=SLIP_BYTES)
    decode_slip(octets)
    return octets


def new_claim() -> bytes:
    """80 random bits, which the customer alone takes along."""
    return secrets.token_bytes(CLAIM_BYTES)


def claim_hash(claim: bytes) -> str:
    """What stands in the record for a claim: 43 characters."""
    return encode_b64u(hashlib.sha256(_CLAIM_DOMAIN + claim).digest())


def _pack(slip: Slip) -> bytes:
    _require_sense(slip)
    flags = slip.level << 4
    flags |= _COMPLAINT * slip.complaint | _CONTACT * slip.contact | _SUGGESTION * slip.suggestion
    return _LAYOUT.pack(
        _VERSION,
        decode_b64u(slip.place.issuer, length=8),
        slip.place.epoch,
        slip.place.seq,
        min(max(slip.time, 0), _MAX_TIME),
        flags,
        slip.deadline_hours,
        slip.leaf,
    )


def _require_sense(slip: Slip) -> None:
    place = slip.place
    if not (1 <= place.epoch <= MAX_EPOCH and 0 <= place.seq <= MAX_SEQ):
        raise FormatError("slip: no such place")
    if not 0 <= slip.level <= _MAX_LEVEL or not 1 <= slip.deadline_hours <= _MAX_HOURS:
        raise FormatError(f"slip: level {slip.level}, {slip.deadline_hours} hours")
    if len(slip.leaf) != _LEAF_BYTES:
        raise FormatError(f"slip: a leaf of {len(slip.leaf)} bytes")
    if not (slip.level or slip.complaint or slip.suggestion):
        raise FormatError("slip: about nothing")
