"""The device that comes with a slip: a key that it made, where its browser can make one, else a name.

A key shows that it is the same device again. A name is only what the device calls itself: over
plain HTTP browsers make no keys, and whoever listens there could take the name over.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from merchant_agent.errors import FormatError, InvalidError
from merchant_agent.evidence.octets import decode_b64u, encode_b64u

_DOMAIN = "merchant-agent/device/v1\n"
_NAME_BYTES = 16
_MAX_KEY_CHARS = 256
_HALF_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """`id` is the key's fingerprint or the device's own name; `key` its public key in DER, if it has one."""

    id: str
    key: bytes | None


def named_device(name: str) -> Device:
    """A device without a key.

    Raises:
        InvalidError: "device", when the name is not 16 bytes of base64url.
    """
    try:
        decode_b64u(name, length=_NAME_BYTES)
    except FormatError as error:
        raise InvalidError("device", str(error)) from error
    return Device(id=name, key=None)


def keyed_device(key: str, signature: str, slip: str, claim: str) -> Device:
    """The device that has signed slip and claim with the key that it sent (P-256, SHA-256).

    Raises:
        InvalidError: "device", when it is no such key, or the signature is not the key's.
    """
    message = f"{_DOMAIN}{slip}\n{claim}".encode()
    try:
        octets = decode_b64u(key[:_MAX_KEY_CHARS])
        halves = decode_b64u(signature, length=2 * _HALF_BYTES)
        r, s = (int.from_bytes(half, "big") for half in (halves[:_HALF_BYTES], halves[_HALF_BYTES:]))
        _p256(octets).verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
    except (FormatError, ValueError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise InvalidError("device", "the device did not sign this") from error
    return Device(id=encode_b64u(hashlib.sha256(octets).digest()), key=octets)


def _p256(octets: bytes) -> ec.EllipticCurvePublicKey:
    public = load_der_public_key(octets)
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise FormatError("device: no P-256 key")
    return public
