"""Who this terminal is: the grant in force, its shop, and the key that the grant names.

A key's file is named after the key, so that nothing has to be renamed when central
grants it: the key of an enrolment is the one that no grant names yet.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from merchant_agent.errors import FormatError, StartError, VerificationError
from merchant_agent.evidence.grant import Grant, open_grant
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.keys import SigningKey, fingerprint, load_key, save_key
from merchant_agent.evidence.octets import decode_b64u, decode_with, encode_b64u, encode_json
from merchant_agent.evidence.trust import Trust, encode_trust, load_trust
from merchant_agent.store.folder import write_file_atomic
from merchant_agent.store.store import Reader, Store, Writer
from merchant_agent.terminal.store.models import Epoch, UploadState
from merchant_agent.terminal.store.shop import Shop, read_shop

_log = logging.getLogger(__name__)

_TAG_KEY_BYTES = 32
_FINGERPRINT_CHARS = 16
_GRANT_SUFFIX = ".grant"


class _KeptGrant(msgspec.Struct, frozen=True, kw_only=True):
    """An identity outside the database: octets as base64url, the rest as it is."""

    grant: str
    merchant: dict[str, Any]
    trust: str
    tag_key: str
    central_url: str
    public_url: str


_KEPT_GRANT: msgspec.json.Decoder[_KeptGrant] = msgspec.json.Decoder(_KeptGrant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The epoch in force.

    `merchant` is what central said last of the shop. `tag_key` keys the tags of order numbers.
    `central_url` is where this terminal was enrolled, `public_url` where customers reach central;
    each may be empty.
    """

    issuer: str
    epoch: int
    merchant: Shop
    grant: Grant
    grant_octets: bytes
    trust: Trust
    tag_key: bytes
    central_url: str = ""
    public_url: str = ""


def key_path(keys: Path, public: bytes) -> Path:
    """Where the private key of this public one lies."""
    return keys / f"{fingerprint(public)[:_FINGERPRINT_CHARS]}.pem"


def load_identity(reader: Reader) -> Identity | None:
    """The newest epoch's identity, or None before the enrolment.

    Raises:
        StartError: what stands in the database is no grant of the roots that it came with.
    """
    row: Epoch | None = reader.first(Epoch.select().order_by(Epoch.epoch.desc()))
    return None if row is None else identity_of(row)


def load_identities(reader: Reader) -> tuple[Identity, ...]:
    """The identities of all epochs, oldest first.

    Raises:
        StartError: as `load_identity`.
    """
    return tuple(identity_of(row) for row in reader.all(Epoch.select().order_by(Epoch.epoch)))


def load_identity_key(keys: Path, identity: Identity) -> SigningKey:
    """The private key that the identity's grant names.

    Raises:
        StartError: its file is missing, unreadable, or holds another key.
    """
    public = decode_b64u(identity.grant.key, length=32)
    path = key_path(keys, public)
    try:
        key = load_key(path)
    except (OSError, FormatError) as error:
        raise StartError(f"The signing key {path} cannot be read.") from error
    if key.public != public:
        raise StartError(f"The signing key {path} is not the one that central granted.")
    return key


def enrolment_key(reader: Reader, keys: Path) -> SigningKey:
    """The key to enrol with: the one left by an enrolment that got no answer, else a new one on disk.

    Raises:
        StartError: the folder of keys cannot be read or written.
    """
    granted = {identity.grant.key for identity in load_identities(reader)}
    try:
        for path in sorted(keys.glob("*.pem")):
            key = _load_whole_key(path)
            if (
                key is not None
                and path == key_path(keys, key.public)
                and encode_b64u(key.public) not in granted
            ):
                return key
        key = SigningKey.generate()
        save_key(key_path(keys, key.public), key)
    except OSError as error:
        raise StartError(f"The folder of keys {keys} cannot be used: {error.strerror}.") from error
    return key


def record_grant(  # noqa: PLR0913 -- an enrolment has these parts
    writer: Writer,
    key: SigningKey,
    grant_octets: bytes,
    merchant: Shop,
    trust: Trust,
    *,
    central_url: str = "",
    public_url: str = "",
) -> Identity:
    """Makes the grant's epoch the one in force, with nothing of it uploaded yet.

    Raises:
        VerificationError: no grant of the trusted roots, of another key (V11), or of no later epoch
            of the same issuer (V11).
    """
    grant = open_grant(grant_octets, trust.root_keys())
    if grant.key != encode_b64u(key.public):
        raise VerificationError("V11", "the grant is of another key")
    newest: Epoch | None = writer.first(Epoch.select().order_by(Epoch.epoch.desc()))
    if newest is not None and grant.epoch <= newest.epoch:
        raise VerificationError("V11", f"a grant of epoch {grant.epoch} after {newest.epoch}")
    if newest is not None and grant.issuer != newest.issuer:
        raise VerificationError("V11", f"a grant of {grant.issuer} after one of {newest.issuer}")
    identity = Identity(
        issuer=grant.issuer,
        epoch=grant.epoch,
        merchant=merchant,
        grant=grant,
        grant_octets=grant_octets,
        trust=trust,
        tag_key=secrets.token_bytes(_TAG_KEY_BYTES),
        central_url=central_url,
        public_url=public_url,
    )
    insert_identity(writer, identity)
    return identity


def settle_keys(keys: Path, store: Store) -> None:
    """Keeps the grants beside the newest key, and deletes the private keys of all epochs before it.

    Only for an epoch that is in force and durable. A backup may be older than several epochs, whose
    records are taken back under their grants: those stay. What the disk refuses is left until the next time.

    Raises:
        StoreError: the database cannot be read.
    """
    with store.read() as reader:
        identities = load_identities(reader)
    if not identities:
        return
    try:
        for identity in identities:
            path = _grant_path(keys, identity)
            if not _is_kept(path):
                write_file_atomic(path, encode_kept_grant(identity))
        for identity in identities[:-1]:
            _path_of(keys, identity).unlink(missing_ok=True)
    except OSError as error:
        _log.warning("the keys of epoch %s cannot be settled: %s", identities[-1].epoch, error.strerror)


def adopt_grants(store: Store, keys: Path) -> bool:
    """Puts the epochs in force that only the folder of keys knows of: the database is older. Whether so.

    Raises:
        StartError: the grant in the database cannot be used.
        StoreError: nothing was stored.
    """
    with store.read() as reader:
        newest = load_identity(reader)
    later = [
        kept
        for kept in load_kept_grants(keys)
        if newest is not None and kept.issuer == newest.issuer and kept.epoch > newest.epoch
    ]
    if not later:
        return False
    with store.write() as writer:
        for identity in later:
            insert_identity(writer, identity)
    return True


def load_kept_grants(keys: Path) -> tuple[Identity, ...]:
    """The identities whose grants lie beside their keys, oldest first; what cannot be used is passed over."""
    found = []
    for path in keys.glob(f"*{_GRANT_SUFFIX}"):
        try:
            found.append(decode_kept_grant(path.read_bytes()))
        except (OSError, FormatError, VerificationError) as error:
            _log.warning("%s cannot be used: %s", path.name, error)
    return tuple(sorted(found, key=lambda identity: identity.epoch))


def encode_kept_grant(identity: Identity) -> bytes:
    """An identity as it is kept outside the database; it holds a secret."""
    return encode_json(
        _KeptGrant(
            grant=identity.grant_octets.decode("ascii"),
            merchant=msgspec.to_builtins(identity.merchant),
            trust=encode_trust(identity.trust).decode(),
            tag_key=encode_b64u(identity.tag_key),
            central_url=identity.central_url,
            public_url=identity.public_url,
        )
    )


def decode_kept_grant(octets: bytes) -> Identity:
    """The identity that `encode_kept_grant` wrote.

    Raises:
        FormatError: it is none.
        VerificationError: its grant is none of the roots that are kept with it.
    """
    kept = decode_with(_KEPT_GRANT, octets)
    trust = load_trust(kept.trust.encode())
    grant = open_grant(kept.grant.encode(), trust.root_keys())
    return Identity(
        issuer=grant.issuer,
        epoch=grant.epoch,
        merchant=read_shop(kept.merchant),
        grant=grant,
        grant_octets=kept.grant.encode(),
        trust=trust,
        tag_key=decode_b64u(kept.tag_key, length=_TAG_KEY_BYTES),
        central_url=kept.central_url,
        public_url=kept.public_url,
    )


def _is_kept(path: Path) -> bool:
    """Whether the file is there and whole."""
    try:
        decode_kept_grant(path.read_bytes())
    except (OSError, FormatError, VerificationError):
        return False
    return True


def _path_of(keys: Path, identity: Identity) -> Path:
    return key_path(keys, decode_b64u(identity.grant.key, length=32))


def _grant_path(keys: Path, identity: Identity) -> Path:
    return _path_of(keys, identity).with_suffix(_GRANT_SUFFIX)


def insert_identity(writer: Writer, identity: Identity) -> None:
    """Puts the epoch into the database, with nothing of it uploaded yet.

    Raises:
        StoreConflictError: it is there already.
    """
    writer.execute(
        Epoch.insert(
            epoch=identity.epoch,
            issuer=identity.issuer,
            grant=identity.grant_octets,
            merchant=msgspec.to_builtins(identity.merchant),
            trust=encode_trust(identity.trust).decode(),
            tag_key=identity.tag_key,
            central_url=identity.central_url,
            public_url=identity.public_url,
        )
    )
    writer.execute(
        UploadState.insert(
            epoch=identity.epoch,
            acked_seq=-1,
            acked_link=link_of(identity.grant_octets),
            nonce=identity.grant.nonce,
        )
    )


def identity_of(row: Epoch) -> Identity:
    """The identity that stands in a row.

    Raises:
        StartError: its grant is none of the roots that it came with, or its shop is none.
    """
    try:
        trust = load_trust(row.trust.encode())
        grant = open_grant(row.grant, trust.root_keys())
        shop = read_shop(row.merchant)
    except (FormatError, VerificationError) as error:
        raise StartError(f"The grant in the database cannot be used: {error}") from error
    return Identity(
        issuer=row.issuer,
        epoch=row.epoch,
        merchant=shop,
        grant=grant,
        grant_octets=row.grant,
        trust=trust,
        tag_key=row.tag_key,
        central_url=row.central_url,
        public_url=row.public_url,
    )


def _load_whole_key(path: Path) -> SigningKey | None:
    """None for a file that a crash cut short: nobody was told of that key, as it was not yet on disk."""
    try:
        return load_key(path)
    except FormatError:
        _log.warning("%s holds no whole key and is passed over", path.name)
        return None
