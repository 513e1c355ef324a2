"""Invitations: a signed pass to rate on one's own phone, small enough for a QR code.

    version 1 | issuer 8 | epoch 2 | seq of the prompt 4 | time 4 | days valid 1 | order tag 8 | signature 64

Source: PROTOCOL.md, "Invitation".
"""

from __future__ import annotations

import struct
from datetime import datetime

from merchant_agent.errors import FormatError
from merchant_agent.evidence.fields import MAX_EPOCH, MAX_SEQ, Place
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import decode_b64u, encode_b64u

_VERSION = 1
_LAYOUT = struct.Struct(">B8sHIIB8s")
_DOMAIN = b"merchant-agent/invitation/v1\n"
_TAG_BYTES = 8
_MAX_TIME = 2**32 - 1
_MAX_DAYS = 255


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


def invitation_url(central_url: str, octets: bytes) -> str:
    """Where the customer's phone goes."""
    return f"{central_url.rstrip('/')}/i/{encode_b64u(octets)}"
