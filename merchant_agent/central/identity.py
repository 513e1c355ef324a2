"""Central's own keys: one signs grants, one acknowledgements, one opens what is sealed for it.

They are made once, in `<data>/keys`, readable by their owner alone, and are never replaced
here: whoever holds a grant was told them. A copy of this folder belongs in a safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from merchant_agent.errors import FormatError, StartError
from merchant_agent.evidence.exchange import Ack, sign_ack
from merchant_agent.evidence.fields import Id8
from merchant_agent.evidence.grant import Grant, NamedKey, new_issuer_id, sign_grant
from merchant_agent.evidence.jws import format_kid
from merchant_agent.evidence.keys import SigningKey, load_key, save_key
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.trust import Trust
from merchant_agent.store.folder import write_file_atomic

_EPOCH = 1


class _Names(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The issuer ids under which the two signing keys are known; the file `identity.json`."""

    root: Id8
    acknowledging: Id8


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The keys of one central and the ids under which others know them."""

    root_issuer: str
    root: SigningKey
    acknowledging_issuer: str
    acknowledging: SigningKey
    sealing: X25519PrivateKey

    @property
    def root_kid(self) -> str:
        """The id of the key that signs grants."""
        return format_kid(self.root_issuer, _EPOCH)

    @property
    def acknowledging_key(self) -> NamedKey:
        """The public key that acknowledgements are checked with, as grants list it."""
        kid = format_kid(self.acknowledging_issuer, _EPOCH)
        return NamedKey(kid=kid, key=encode_b64u(self.acknowledging.public))

    @property
    def sealing_key(self) -> str:
        """The public X25519 key to seal contacts for, 43 characters of base64url."""
        return encode_b64u(self.sealing.public_key().public_bytes_raw())

    def trust(self) -> Trust:
        """What a verifier has to believe beforehand."""
        return Trust(root=(NamedKey(kid=self.root_kid, key=encode_b64u(self.root.public)),), log=())

    def sign_grant(self, grant: Grant) -> bytes:
        """The grant's octets."""
        return sign_grant(self.root, self.root_issuer, _EPOCH, grant)

    def sign_ack(self, ack: Ack) -> bytes:
        """The acknowledgement's octets."""
        return sign_ack(self.acknowledging, self.acknowledging_issuer, _EPOCH, ack)


def load_identity(folder: Path) -> Identity:
    """The keys in `folder` (mode 0700), made there where they are missing.

    Raises:
        StartError: a file cannot be read or written, or is not what was once written there.
    """
    try:
        names = _load_names(folder / "identity.json")
        return Identity(
            root_issuer=names.root,
            root=_load_or_make(folder / "root.pem"),
            acknowledging_issuer=names.acknowledging,
            acknowledging=_load_or_make(folder / "acknowledging.pem"),
            sealing=_load_or_make_sealing(folder / "sealing.pem"),
        )
    except OSError as error:
        raise StartError(f"The keys in {folder} cannot be used: {error.strerror}.") from error
    except (FormatError, ValueError, TypeError) as error:
        raise StartError(f"The keys in {folder} are damaged: {error}.") from error


def _load_names(path: Path) -> _Names:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Names)
    except FileNotFoundError:
        names = _Names(root=new_issuer_id(), acknowledging=new_issuer_id())
        write_file_atomic(path, msgspec.json.encode(names) + b"\n")
        return names


def _load_or_make(path: Path) -> SigningKey:
    if not path.exists():
        save_key(path, SigningKey.generate())
    return load_key(path)


def _load_or_make_sealing(path: Path) -> X25519PrivateKey:
    if not path.exists():
        fresh = X25519PrivateKey.generate()
        pem = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_file_atomic(path, pem)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, X25519PrivateKey):
        raise FormatError(f"{path.name} holds no X25519 key")
    return key
