r"""What only central can open: contacts and whole complaints, so that the shop's disk never holds a readable word.

HPKE in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305:

    info: domain | "\n" | issuer, 11 characters | "\n" | the record's id, 36 characters
    sealed: encapsulated key 32 | ciphertext with its tag of 16

Source: RFC 9180; PROTOCOL.md, "Sealed contacts" and "Complaints for the station alone".
"""

from __future__ import annotations

from typing import Annotated

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from msgspec import Meta

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.bodies import Codes, Consent
from merchant_agent.evidence.fields import Code, Wire
from merchant_agent.evidence.octets import decode_json, encode_json

MAX_CONTACT_BYTES = 512

_OVERHEAD = 32 + 16
_STEP = 1024
_MAX_COMPLAINT_BYTES = 8 * _STEP
CONTACT_BYTES = range(_OVERHEAD + 1, _OVERHEAD + MAX_CONTACT_BYTES + 1)
COMPLAINT_BYTES = range(_OVERHEAD + _STEP, _OVERHEAD + _MAX_COMPLAINT_BYTES + 1, _STEP)

_PUBLIC_BYTES = 32
_CONTACT = b"merchant-agent/contact/v1"
_COMPLAINT = b"merchant-agent/complaint/v1"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class Confided(Wire, frozen=True, kw_only=True):
    """All that a complaint for the station alone says; texts are empty where nothing was said."""

    categories: Codes
    remedies: Codes
    comment: str
    order: str
    occurred_at: str
    amount: str
    contact: str
    consents: Annotated[tuple[Consent, ...], Meta(max_length=2)]
    notice: Code | None

    def __repr__(self) -> str:
        """Without what was said."""
        return "Confided()"


def seal_contact(public: bytes, issuer: str, record_id: str, text: str) -> bytes:
    """The sealed text of a record's member `contact`; each call seals anew.

    `public` is the `sealing_key` of the issuer's grant, 32 octets.

    Raises:
        FormatError: no text, no Unicode, more than 512 bytes, or a public key with which nothing is secret.
    """
    try:
        octets = text.encode()
    except UnicodeEncodeError as error:
        raise FormatError(f"contact: {error.reason}") from error
    if not 0 < len(octets) <= MAX_CONTACT_BYTES:
        raise FormatError(f"contact: {len(octets)} bytes")
    return _seal(public, _info(_CONTACT, issuer, record_id), octets)


def open_contact(private: X25519PrivateKey, issuer: str, record_id: str, sealed: bytes) -> str:
    """The text that was sealed for the holder of this key in this record of this issuer.

    Raises:
        VerificationError: V10 where it was sealed for another key or another record, or changed.
    """
    if len(sealed) not in CONTACT_BYTES:
        raise VerificationError("V10", f"contact: {len(sealed)} sealed bytes")
    try:
        return _SUITE.decrypt(sealed, private, info=_info(_CONTACT, issuer, record_id)).decode("utf-8")
    except (InvalidTag, ValueError) as error:
        raise VerificationError("V10", "contact: not sealed for this key and record") from error


def seal_complaint(public: bytes, issuer: str, record_id: str, confided: Confided) -> bytes:
    """The sealed text of a complaint's member `sealed`; its length says little of what is in it.

    Raises:
        FormatError: more than 8 KiB, no Unicode, or a public key with which nothing is secret.
    """
    octets = encode_json(confided)
    octets += b" " * (-len(octets) % _STEP)
    if len(octets) > _MAX_COMPLAINT_BYTES:
        raise FormatError(f"complaint: {len(octets)} bytes")
    return _seal(public, _info(_COMPLAINT, issuer, record_id), octets)


def open_complaint(private: X25519PrivateKey, issuer: str, record_id: str, sealed: bytes) -> Confided:
    """What was sealed for the holder of this key in this record of this issuer.

    Raises:
        VerificationError: V10 where it was sealed for another key or record, or changed, or is no complaint.
    """
    if len(sealed) not in COMPLAINT_BYTES:
        raise VerificationError("V10", f"complaint: {len(sealed)} sealed bytes")
    try:
        octets = _SUITE.decrypt(sealed, private, info=_info(_COMPLAINT, issuer, record_id))
        return decode_json(octets.rstrip(b" "), Confided)
    except (InvalidTag, ValueError, FormatError) as error:
        raise VerificationError("V10", "complaint: not sealed for this key and record") from error


def _seal(public: bytes, info: bytes, octets: bytes) -> bytes:
    if len(public) != _PUBLIC_BYTES:
        raise FormatError(f"sealing key: {len(public)} bytes")
    key = X25519PublicKey.from_public_bytes(public)
    try:
        return _SUITE.encrypt(octets, key, info=info)
    except ValueError as error:
        raise FormatError("sealing key: of small order") from error


def _info(domain: bytes, issuer: str, record_id: str) -> bytes:
    return b"%s\n%s\n%s" % (domain, issuer.encode("ascii"), record_id.encode("ascii"))
