"""Photos of complaints: cleaned, counted into the record by their hashes, kept encrypted in central's database.

They lie under no path that a server serves. Whoever has the database or a backup of it, without central's
sealing key, sees nothing; they are erased with the words that they came with.

Source: PROTOCOL.md, "Disclosures".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec

import peewee
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from merchant_agent.central.own_chain import OwnRecord
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Photo
from merchant_agent.errors import InvalidError, NotFoundError, StoreCorruptError
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.store.credentials import audit
from merchant_agent.store.store import Reader, Writer

MOST_PHOTOS = 3
MAX_PHOTO_BYTES = 12 * 1024 * 1024

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_DOMAIN = b"merchant-agent/photo/v1\n"


def takes_photos() -> bool:
    """Whether Pillow is installed, as the extra `central` has it."""
    return find_spec("PIL") is not None


def read_photos(uploaded: Sequence[bytes]) -> tuple[bytes, ...]:
    """The pictures as they are kept; empty ones are left out: a form sends one where none was chosen.

    Raises:
        InvalidError: "photos" (more than three, or none are taken here), "photo-bytes" (a file is too
            large), "photo" or "photo-size".
    """
    chosen = [octets for octets in uploaded if octets]
    if len(chosen) > MOST_PHOTOS or (chosen and not takes_photos()):
        raise InvalidError("photos", f"at most {MOST_PHOTOS} are taken")
    if any(len(octets) > MAX_PHOTO_BYTES for octets in chosen):
        raise InvalidError("photo-bytes", f"at most {MAX_PHOTO_BYTES} bytes")
    if not chosen:
        return ()
    from merchant_agent.central.pictures import clean_picture  # noqa: PLC0415 -- Pillow is an extra

    return tuple(clean_picture(octets) for octets in chosen)


def photo_hashes(photos: Sequence[bytes]) -> str:
    """The record's member `photos`; empty without any."""
    return " ".join(encode_b64u(hashlib.sha256(octets).digest()) for octets in photos)


def keep_photos(central: Central, tx: Writer, merchant: str, own: OwnRecord, photos: Sequence[bytes]) -> None:
    """Stores the photos of a record, in the transaction that signed it."""
    public = X25519PublicKey.from_public_bytes(decode_b64u(central.identity.sealing_key))
    place = own.place
    for number, octets in enumerate(photos):
        digest = hashlib.sha256(octets).digest()
        tx.execute(
            Photo.insert(
                merchant=merchant,
                issuer=place.issuer,
                epoch=place.epoch,
                seq=place.seq,
                number=number,
                digest=digest,
                sealed=_SUITE.encrypt(octets, public, info=_info(merchant, digest)),
            )
        )


def open_photo(central: Central, reader: Reader, merchant: str, place: Place, number: int) -> bytes:
    """One photo of the record at `place`, as JPEG.

    Raises:
        NotFoundError: "photo", where there is none, or none any more.
        StoreCorruptError: what is kept is not what the record holds.
    """
    row: Photo | None = None
    if number < MOST_PHOTOS:
        row = reader.first(Photo.select().where(_at(merchant, place) & (Photo.number == number)))
    if row is None:
        raise NotFoundError("photo", "there is no such photo")
    return _opened(central, row)


def count_photos(reader: Reader, merchant: str, place: Place) -> int:
    """How many photos of the record at `place` are kept."""
    counted = reader.scalar(Photo.select(peewee.fn.COUNT(Photo.number)).where(_at(merchant, place)))
    return int(counted or 0)


def look_at_photos(central: Central, merchant: str, place: Place, *, who: str) -> tuple[bytes, ...]:
    """All photos of the record at `place`, for an officer; the look is stored before this returns.

    Raises:
        NotFoundError: "photo", where there are none, or none any more.
        StoreCorruptError: what is kept is not what the record holds.
        StoreError: the look could not be stored.
    """
    with central.store.write() as tx:
        rows: list[Photo] = tx.all(Photo.select().where(_at(merchant, place)).order_by(Photo.number))
        if not rows:
            raise NotFoundError("photo", "the record has no photos")
        detail = f"{merchant} {place.issuer}.{place.epoch} {place.seq}"
        audit(tx, at=central.clock.now(), who=who, what="photos-looked-at", detail=detail)
    return tuple(_opened(central, row) for row in rows)


def _opened(central: Central, row: Photo) -> bytes:
    digest = bytes(row.digest)
    try:
        octets = _SUITE.decrypt(bytes(row.sealed), central.identity.sealing, info=_info(row.merchant, digest))
    except (InvalidTag, ValueError) as error:
        raise StoreCorruptError("a photo was not sealed for this central") from error
    if hashlib.sha256(octets).digest() != digest:
        raise StoreCorruptError("a photo is not the one that its record holds")
    return octets


def _info(merchant: str, digest: bytes) -> bytes:
    return b"%s%s\n%s" % (_DOMAIN, merchant.encode("ascii"), digest)


def _at(merchant: str, place: Place) -> peewee.Expression:
    return (
        (Photo.merchant == merchant)
        & (Photo.issuer == place.issuer)
        & (Photo.epoch == place.epoch)
        & (Photo.seq == place.seq)
    )
