"""Ed25519 keys: made, kept in files that only their owner reads, refused where weak."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from merchant_agent.errors import FormatError, VerificationError

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_ORDER_8_Y = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _ORDER_8_Y, _P - _ORDER_8_Y})
_SEED_BYTES = 32
_PUBLIC_BYTES = 32


class SigningKey:
    """A private key; made of its 32-byte seed, or by `generate`."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != _SEED_BYTES:
            raise FormatError(f"key: a seed of {len(seed)} bytes")
        self._seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public: bytes = self._private.public_key().public_bytes_raw()

    @classmethod
    def generate(cls) -> Self:
        """A new key from the system's random numbers."""
        return cls(os.urandom(_SEED_BYTES))

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over the message.

        Source: RFC 8032, section 5.1.6.
        """
        return self._private.sign(message)

    def pem(self) -> bytes:
        """PKCS #8, unencrypted, as `openssl pkey` reads it."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class VerifyingKey:
    """A public key fit to hold somebody to their word; make one for each key and keep it.

    Small-order keys would let their owner disown every signature; non-canonical ones have
    two spellings. Both are refused although the library loads them.

    Raises:
        FormatError: not 32 octets, not canonical, not on the curve, or of small order.
    """

    __slots__ = ("_key", "octets")

    def __init__(self, octets: bytes) -> None:
        _require_strong(octets)
        self.octets = octets
        self._key = Ed25519PublicKey.from_public_bytes(octets)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Returns when the signature is this key's over the message.

        Raises:
            VerificationError: V3.
        """
        try:
            self._key.verify(signature, message)
        except InvalidSignature as error:
            raise VerificationError("V3", "the signature is not of this key") from error


def fingerprint(public: bytes) -> str:
    """SHA-256 of the 32 octets in lower-case hex, for people to compare."""
    return hashlib.sha256(public).hexdigest()


def save_key(path: Path, key: SigningKey) -> None:
    """Writes a new file that only its owner can read, on disk when this returns.

    Raises:
        FileExistsError: there is a file already; a key is never overwritten.
        OSError: it could not be written.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key.pem())
        file.flush()
        os.fsync(file.fileno())
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def load_key(path: Path) -> SigningKey:
    """The key that `save_key` wrote.

    Raises:
        FormatError: the file holds no unencrypted Ed25519 key.
        OSError: it could not be read.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise FormatError(f"key: {path.name} holds no key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise FormatError(f"key: {path.name} holds no Ed25519 key")
    return SigningKey(key.private_bytes_raw())


def _require_strong(octets: bytes) -> None:
    """Source: RFC 8032, sections 5.1.3 and 8.9; draft-irtf-cfrg-ed25519 small-order list."""
    if len(octets) != _PUBLIC_BYTES:
        raise FormatError(f"key: a public key of {len(octets)} bytes")
    y = int.from_bytes(octets, "little") & (2**255 - 1)
    if y >= _P:
        raise FormatError("key: not the canonical encoding of its point")
    if y in _SMALL_ORDER_Y:
        raise FormatError("key: of small order")
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    if pow(u * v, (_P - 1) // 2, _P) != 1:
        raise FormatError("key: not a point of the curve")
