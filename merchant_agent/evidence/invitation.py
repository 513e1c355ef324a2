"""Invitations: a signed pass to rate on one's own phone, small enough for a QR code.

    version 1 | issuer 8 | epoch 2 | seq of the prompt 4 | time 4 | days valid 1 | order tag 8 | signature 64

Whoever holds it can use it, and the shop can make any: it gives an answer its sale, no authority.

Source: PROTOCOL.md, "Invitation".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.fields import MAX_EPOCH, MAX_SEQ, Place
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.octets import decode_b64u, encode_b64u

INVITATION_BYTES = 92

_VERSION = 1
_LAYOUT = struct.Struct(">B8sHIIB8s")
_DOMAIN = b"merchant-agent/invitation/v1\n"
_TAG_BYTES = 8
_MAX_TIME = 2**32 - 1
_MAX_DAYS = 255
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A pass to answer the prompt at `place`; `time` is in unix seconds, `tag` the prompt's 8 bytes."""

    place: Place
    time: int
    days: int
    tag: bytes

    @property
    def ends(self) -> int:
        """The unix second from which on it is no longer taken."""
        return self.time + self.days * _DAY_SECONDS


def sign_invitation(key: SigningKey, place: Place, issued_at: datetime, days: int, tag: bytes) -> bytes:
    """The 92 octets of an invitation to answer the prompt at this place.

    `tag` are the 8 bytes of the prompt's order tag. A clock outside 1970 to 2106 is clamped:
    it is a claim, and no reason to refuse a customer.

    Raises:
        FormatError: tag, place or days (1 to 255) do not fit their fields.
    """
    if len(tag) != _TAG_BYTES or not 1 <= days <= _MAX_DAYS:
        raise FormatError(f"invitation: a tag of {len(tag)} bytes, {days} days")
    if not (1 <= place.epoch <= MAX_EPOCH and 0 <= place.seq <= MAX_SEQ):
        raise FormatError("invitation: no such place")
    time = min(max(int(issued_at.timestamp()), 0), _MAX_TIME)
    issuer = decode_b64u(place.issuer, length=8)
    signed = _LAYOUT.pack(_VERSION, issuer, place.epoch, place.seq, time, days, tag)
    return signed + key.sign(_DOMAIN + signed)


def decode_invitation(octets: bytes) -> Invitation:
    """What an invitation states, whoever signed it.

    Raises:
        FormatError: no invitation.
    """
    if len(octets) != INVITATION_BYTES:
        raise FormatError(f"invitation: {len(octets)} bytes")
    version, issuer, epoch, seq, time, days, tag = _LAYOUT.unpack_from(octets)
    if version != _VERSION or epoch < 1 or days < 1:
        raise FormatError("invitation: an unknown version, or no such place or days")
    place = Place(issuer=encode_b64u(issuer), epoch=epoch, seq=seq)
    return Invitation(place=place, time=time, days=days, tag=tag)


def open_invitation(octets: bytes, key: VerifyingKey) -> Invitation:
    """The invitation, signed by the key of the epoch that it names; whether it has ended is not asked.

    Raises:
        VerificationError: V12.
    """
    try:
        invitation = decode_invitation(octets)
        key.verify(octets[_LAYOUT.size :], _DOMAIN + octets[: _LAYOUT.size])
    except FormatError as error:
        raise VerificationError("V12", str(error)) from error
    except VerificationError as error:
        seq = invitation.place.seq
        raise VerificationError("V12", "invitation: the signature is not of this key", seq=seq) from error
    return invitation


def parse_invitation(text: str) -> bytes:
    """The invitation's octets out of the last part of its address.

    Raises:
        FormatError: no invitation.
    """
    octets = decode_b64u(text, length=INVITATION_BYTES)
    decode_invitation(octets)
    return octets


def invitation_url(central_url: str, octets: bytes) -> str:
    """Where the customer's phone goes."""
    return f"{central_url.rstrip('/')}/i/{encode_b64u(octets)}"
