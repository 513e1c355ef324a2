"""Central's own keys: one signs grants, one acknowledgements, one opens what is sealed for it.

Two more belong to the log: one signs its checkpoints, one cosigns them with the time. From a seed
come the keys of central's own chains, one for each merchant.

They are made once, in `<data>/keys`, readable by their owner alone, and are never replaced
here: whoever holds a grant was told them. A copy of this folder belongs in a safe.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from merchant_agent.errors import FormatError, StartError
from merchant_agent.evidence.checkpoint import TreeHead, sign_checkpoint
from merchant_agent.evidence.epochs import HeadAnswer, sign_head
from merchant_agent.evidence.exchange import Ack, sign_ack
from merchant_agent.evidence.fields import Id8
from merchant_agent.evidence.grant import Grant, NamedKey, new_issuer_id, sign_grant
from merchant_agent.evidence.jws import format_kid
from merchant_agent.evidence.keys import SigningKey, VerifyingKey, load_key, save_key
from merchant_agent.evidence.note import Algorithm, NoteKey, format_vkey
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.trust import Trust
from merchant_agent.store.folder import write_file_atomic

_EPOCH = 1
_SEED_BYTES = 32


class _Names(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The issuer ids of two signing keys, and the log's name; the file `identity.json`."""

    root: Id8
    acknowledging: Id8
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The keys of one central and the ids under which others know them; `origin` is the log's name."""

    root_issuer: str
    root: SigningKey
    acknowledging_issuer: str
    acknowledging: SigningKey
    sealing: X25519PrivateKey
    origin: str
    log: SigningKey
    cosigning: SigningKey
    chains: bytes

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
        root = NamedKey(kid=self.root_kid, key=encode_b64u(self.root.public))
        return Trust(root=(root,), log=tuple(format_vkey(key) for key in self.log_keys))

    @property
    def log_keys(self) -> tuple[NoteKey, NoteKey]:
        """What the log's checkpoints are checked with: its signature's key, its cosignature's."""
        signing, cosigning = VerifyingKey(self.log.public), VerifyingKey(self.cosigning.public)
        return (
            NoteKey(name=self.origin, algorithm=Algorithm.ED25519, key=signing),
            NoteKey(name=self.origin, algorithm=Algorithm.COSIGNATURE, key=cosigning),
        )

    def sign_checkpoint(self, size: int, root: bytes, time: int) -> bytes:
        """The checkpoint of the log at that size, cosigned at `time` (unix seconds).

        Only for what can never be contradicted: see `log.sequencer`.
        """
        head = TreeHead(origin=self.origin, size=size, root=root)
        return sign_checkpoint(head, self.log, self.cosigning, time)

    def chain_key(self, issuer: str, epoch: int) -> SigningKey:
        """The key of an epoch of one of central's own chains.

        Source: RFC 5869, with SHA-256 and no salt.
        """
        info = b"merchant-agent/central-chain/v1\n" + format_kid(issuer, epoch).encode("ascii")
        return SigningKey(HKDF(hashes.SHA256(), _SEED_BYTES, None, info).derive(self.chains))

    def sign_grant(self, grant: Grant) -> bytes:
        """The grant's octets."""
        return sign_grant(self.root, self.root_issuer, _EPOCH, grant)

    def sign_ack(self, ack: Ack) -> bytes:
        """The acknowledgement's octets."""
        return sign_ack(self.acknowledging, self.acknowledging_issuer, _EPOCH, ack)

    def sign_head(self, answer: HeadAnswer) -> bytes:
        """The octets of the answer how far an epoch is known."""
        return sign_head(self.acknowledging, self.acknowledging_issuer, _EPOCH, answer)


def load_identity(folder: Path, *, origin: str = "") -> Identity:
    """The keys in `folder` (mode 0700), made there where they are missing.

    `origin` is what the log is to be called; empty leaves it to what stands there, or makes one.

    Raises:
        StartError: a file cannot be read or written, or is not what was once written there.
    """
    try:
        names = _load_names(folder / "identity.json", origin)
        return Identity(
            root_issuer=names.root,
            root=_load_or_make(folder / "root.pem"),
            acknowledging_issuer=names.acknowledging,
            acknowledging=_load_or_make(folder / "acknowledging.pem"),
            sealing=_load_or_make_sealing(folder / "sealing.pem"),
            origin=names.log,
            log=_load_or_make(folder / "log.pem"),
            cosigning=_load_or_make(folder / "log-cosigning.pem"),
            chains=_load_or_make_seed(folder / "chains.seed"),
        )
    except OSError as error:
        raise StartError(f"The keys in {folder} cannot be used: {error.strerror}.") from error
    except (FormatError, ValueError, TypeError) as error:
        raise StartError(f"The keys in {folder} are damaged: {error}.") from error


def _load_names(path: Path, origin: str) -> _Names:
    try:
        names = msgspec.json.decode(path.read_bytes(), type=_Names)
    except FileNotFoundError:
        root = new_issuer_id()
        names = _Names(root=root, acknowledging=new_issuer_id(), log=origin or f"merchant-agent/{root}")
        write_file_atomic(path, msgspec.json.encode(names) + b"\n")
    if origin and names.log != origin:
        raise StartError(f"The log of this central is called {names.log}; set log_origin to that, or not.")
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


def _load_or_make_seed(path: Path) -> bytes:
    if not path.exists():
        write_file_atomic(path, secrets.token_bytes(_SEED_BYTES))
    seed = path.read_bytes()
    if len(seed) != _SEED_BYTES:
        raise FormatError(f"{path.name} has {len(seed)} bytes")
    return seed
