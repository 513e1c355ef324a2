r"""Sealed contacts: what only central can open, so that the shop's disk never holds a readable number.

HPKE in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305:

    info: "merchant-agent/contact/v1\n" | issuer, 11 characters | "\n" | the record's id, 36 characters
    sealed: encapsulated key 32 | ciphertext with its tag of 16

Source: RFC 9180; PROTOCOL.md, "Sealed contacts".
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from merchant_agent.errors import FormatError, VerificationError

MAX_CONTACT_BYTES = 512
MIN_SEALED_BYTES = 32 + 16 + 1
MAX_SEALED_BYTES = 32 + 16 + MAX_CONTACT_BYTES

_PUBLIC_BYTES = 32
_DOMAIN = b"merchant-agent/contact/v1\n"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


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
    if len(public) != _PUBLIC_BYTES:
        raise FormatError(f"sealing key: {len(public)} bytes")
    key = X25519PublicKey.from_public_bytes(public)
    try:
        return _SUITE.encrypt(octets, key, info=_info(issuer, record_id))
    except ValueError as error:
        raise FormatError("sealing key: of small order") from error


def open_contact(private: X25519PrivateKey, issuer: str, record_id: str, sealed: bytes) -> str:
    """The text that was sealed for the holder of this key in this record of this issuer.

    Raises:
        VerificationError: V10 where it was sealed for another key or another record, or changed.
    """
    if not MIN_SEALED_BYTES <= len(sealed) <= MAX_SEALED_BYTES:
        raise VerificationError("V10", f"contact: {len(sealed)} sealed bytes")
    try:
        return _SUITE.decrypt(sealed, private, info=_info(issuer, record_id)).decode("utf-8")
    except (InvalidTag, ValueError) as error:
        raise VerificationError("V10", "contact: not sealed for this key and record") from error


def _info(issuer: str, record_id: str) -> bytes:
    return b"%s%s\n%s" % (_DOMAIN, issuer.encode("ascii"), record_id.encode("ascii"))
