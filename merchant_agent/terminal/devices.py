"""Who may talk to this terminal without a person's password: paired tablets, and tills.

A tablet opens a link that works once and keeps a cookie; a till sends a bearer token. Only
SHA-256 of links, cookies and tokens is stored: whoever reads the database can use none.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import peewee

from merchant_agent.domain.sales import TILL_MAX_CHARS
from merchant_agent.domain.text import check_line
from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.record import new_id
from merchant_agent.store.lookup import Lookup
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.store import models

LINK_VALID_S = 300
SEEN_EVERY_S = 30

# Without letters that are mistaken for digits: the link may have to be typed on a tablet. 60 bits.
_LINK_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LINK_CHARS = 12
_TOKEN_BYTES = 32
_ID_CHARS = 16

_DEVICE = Lookup(models.Device, "token_hash = ? AND revoked_at IS NULL")
_POS_TOKEN = Lookup(models.PosToken, "token_hash = ? AND revoked_at IS NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """A paired tablet as the counter lists it; `seen_at` is None before its first look."""

    id: str
    number: int
    till: str
    paired_at: datetime
    seen_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PosToken:
    """A till's token without the token; an empty `till` reports sales of any. `id` only names it."""

    id: str
    till: str
    created_at: datetime


def make_pairing_link(
    writer: Writer, *, at: datetime, till: str = "", uses: int = 1, valid_s: int = LINK_VALID_S
) -> str:
    """A secret for the address `/kiosk/pair/<secret>` that pairs `uses` tablets; 12 characters.

    Links that are over are forgotten. `till` empty: the tablet asks for the sales of every till.

    Raises:
        InvalidError: "till".
    """
    link = models.Pairing
    secret = "".join(secrets.choice(_LINK_ALPHABET) for _ in range(_LINK_CHARS))
    writer.execute(link.delete().where(link.expires_at <= at))
    writer.execute(
        link.insert(
            token_hash=_hash(secret),
            till=_check_till(till),
            uses_left=uses,
            expires_at=at + timedelta(seconds=valid_s),
        )
    )
    return secret


def pair(writer: Writer, secret: str, *, at: datetime) -> str:
    """Uses a pairing link once; the token that the new tablet keeps as its cookie.

    Raises:
        NotFoundError: "pairing-link", when it is unknown, used up or over.
    """
    link = models.Pairing
    usable = (link.token_hash == _hash(secret.lower())) & (link.uses_left > 0) & (link.expires_at > at)
    row: models.Pairing | None = writer.first(link.select().where(usable))
    if row is None:
        raise NotFoundError("pairing-link", "no such pairing link, or it was used or is over")
    writer.execute(link.update({link.uses_left: link.uses_left - 1}).where(usable))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    number = writer.scalar(models.Device.select(peewee.fn.COUNT(models.Device.device_id)))
    writer.execute(
        models.Device.insert(
            device_id=new_id(at),
            token_hash=_hash(token),
            name=str((number or 0) + 1),
            till=row.till,
            paired_at=at,
        )
    )
    return token


def find_tablet(reader: Reader, token: str) -> Tablet | None:
    """The paired tablet with that cookie, unless it was revoked."""
    return find_tablet_seen(reader, token)[0]


def find_tablet_seen(reader: Reader, token: str) -> tuple[Tablet | None, datetime | None]:
    """`find_tablet`, and when `note_seen` last noted it; None before the first time."""
    row = _DEVICE.first(reader, _hash(token))
    return (None, None) if row is None else (Tablet(id=row.device_id, till=row.till), row.seen_at)


def is_seen_lately(seen_at: datetime | None, *, at: datetime) -> bool:
    """Whether `note_seen` may be left out: it was noted within `SEEN_EVERY_S`."""
    return seen_at is not None and abs(at - seen_at) < timedelta(seconds=SEEN_EVERY_S)


def note_seen(writer: Writer, token: str, *, at: datetime) -> None:
    """Keeps when the tablet was last heard of."""
    writer.execute(
        models.Device.update({models.Device.seen_at: at}).where(models.Device.token_hash == _hash(token))
    )


def revoke_tablet(writer: Writer, tablet_id: str, *, at: datetime) -> None:
    """Ends a pairing at once; what the tablet still shows cannot be sent any more.

    Raises:
        NotFoundError: "tablet", when no such tablet is paired.
    """
    device = models.Device
    paired = (device.device_id == tablet_id) & device.revoked_at.is_null()
    if writer.execute(device.update({device.revoked_at: at}).where(paired)) == 0:
        raise NotFoundError("tablet", "no such tablet is paired")


def list_tablets(reader: Reader) -> tuple[Paired, ...]:
    """The paired tablets, oldest first."""
    device = models.Device
    rows = reader.all(device.select().where(device.revoked_at.is_null()).order_by(device.paired_at))
    return tuple(
        Paired(
            id=row.device_id,
            number=int(row.name),
            till=row.till,
            paired_at=row.paired_at,
            seen_at=row.seen_at,
        )
        for row in rows
    )


def make_pos_token(writer: Writer, till: str, *, at: datetime) -> str:
    """A new bearer token for a till's POS, shown this once; 43 characters. Empty: for any till.

    Raises:
        InvalidError: "till".
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    writer.execute(models.PosToken.insert(token_hash=_hash(token), till=_check_till(till), created_at=at))
    return token


def find_pos_token(reader: Reader, token: str) -> PosToken | None:
    """The token's till, unless the token is unknown or was revoked."""
    found = _POS_TOKEN.first(reader, _hash(token))
    return None if found is None else _pos_token(found)


def revoke_pos_token(writer: Writer, token_id: str, *, at: datetime) -> None:
    """Ends a POS token at once.

    Raises:
        NotFoundError: "pos-token", when there is no such token in force.
    """
    row = models.PosToken
    for found in writer.all(row.select().where(row.revoked_at.is_null())):
        if _pos_token(found).id == token_id:
            writer.execute(row.update({row.revoked_at: at}).where(row.token_hash == found.token_hash))
            return
    raise NotFoundError("pos-token", "no such POS token is in force")


def list_pos_tokens(reader: Reader) -> tuple[PosToken, ...]:
    """The POS tokens in force, oldest first."""
    row = models.PosToken
    rows = reader.all(row.select().where(row.revoked_at.is_null()).order_by(row.created_at))
    return tuple(_pos_token(found) for found in rows)


def _pos_token(row: models.PosToken) -> PosToken:
    return PosToken(id=bytes(row.token_hash).hex()[:_ID_CHARS], till=row.till, created_at=row.created_at)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _check_till(till: str) -> str:
    return check_line(till, code="till", max_chars=TILL_MAX_CHARS)
