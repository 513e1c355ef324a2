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
    """A paired tablet as the counter lists it; `seen_at` is None before its first look.

    `address` is its own in the network, `reached` the host under which it knows this terminal, each
    None while that is unknown; `tried_at` is when somebody saw it wake, None if nobody did.
    """

    id: str
    number: int
    till: str
    paired_at: datetime
    seen_at: datetime | None
    address: str | None
    reached: str | None
    tried_at: datetime | None


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
            token_hash=hash_secret(secret),
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
    row: models.Pairing | None = writer.first(
        link.select().where(
            (link.token_hash == hash_secret(secret.lower())) & (link.uses_left > 0) & (link.expires_at > at)
        )
    )
    if row is None:
        raise NotFoundError("pairing-link", "no such pairing link, or it was used or is over")
    return use_pairing(writer, row, at=at)


def use_pairing(writer: Writer, row: models.Pairing, *, at: datetime) -> str:
    """Takes one use of a pairing that is in force; the token of its tablet, a new one or the same again.

    Raises:
        NotFoundError: "pairing-link", when the tablet that it would pair again was revoked.
    """
    link = models.Pairing
    writer.execute(link.update({link.uses_left: link.uses_left - 1}).where(link.token_hash == row.token_hash))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    if row.device is None:
        _add_tablet(writer, token, row.till, at=at)
    else:
        _pair_again(writer, token, row.device, at=at)
    return token


def _add_tablet(writer: Writer, token: str, till: str, *, at: datetime) -> None:
    number = writer.scalar(models.Device.select(peewee.fn.COUNT(models.Device.device_id)))
    writer.execute(
        models.Device.insert(
            device_id=new_id(at),
            token_hash=hash_secret(token),
            name=str((number or 0) + 1),
            till=till,
            paired_at=at,
        )
    )


def _pair_again(writer: Writer, token: str, tablet_id: str, *, at: datetime) -> None:
    """Gives the tablet another token: the one that it had works no longer, its number and till stay."""
    device = models.Device
    changed = {
        device.token_hash: hash_secret(token),
        device.paired_at: at,
        device.seen_at: None,
        device.reached: None,
    }
    if writer.execute(device.update(changed).where(_is_paired(tablet_id))) == 0:
        raise NotFoundError("pairing-link", "the tablet that it pairs again was revoked")


def find_tablet(reader: Reader, token: str) -> Tablet | None:
    """The paired tablet with that cookie, unless it was revoked."""
    return find_tablet_seen(reader, token)[0]


def find_tablet_seen(reader: Reader, token: str) -> tuple[Tablet | None, datetime | None]:
    """`find_tablet`, and when `note_seen` last noted it; None before the first time."""
    row = _DEVICE.first(reader, hash_secret(token))
    return (None, None) if row is None else (Tablet(id=row.device_id, till=row.till), row.seen_at)


def is_seen_lately(seen_at: datetime | None, *, at: datetime) -> bool:
    """Whether `note_seen` may be left out: it was noted within `SEEN_EVERY_S`."""
    return seen_at is not None and abs(at - seen_at) < timedelta(seconds=SEEN_EVERY_S)


def note_seen(
    writer: Writer, token: str, *, at: datetime, address: str | None = None, reached: str | None = None
) -> None:
    """Keeps when the tablet was last heard of, from which address, and as what host it knows this terminal."""
    device = models.Device
    seen = {device.seen_at: at, device.address: address, device.reached: reached}
    writer.execute(device.update(seen).where(device.token_hash == hash_secret(token)))


def note_tried(writer: Writer, tablet_id: str, *, at: datetime) -> None:
    """Keeps that somebody saw the tablet wake, and tapped."""
    writer.execute(models.Device.update({models.Device.tried_at: at}).where(_is_paired(tablet_id)))


def change_till(writer: Writer, tablet_id: str, till: str) -> None:
    """Has the tablet ask about the sales of another till; empty: of every till.

    Raises:
        InvalidError: "till".
        NotFoundError: "tablet", when no such tablet is paired.
    """
    changed = models.Device.update({models.Device.till: _check_till(till)}).where(_is_paired(tablet_id))
    if writer.execute(changed) == 0:
        raise NotFoundError("tablet", "no such tablet is paired")


def find_paired(reader: Reader, tablet_id: str) -> Paired | None:
    """The paired tablet of that id."""
    row: models.Device | None = reader.first(models.Device.select().where(_is_paired(tablet_id)))
    return None if row is None else _paired(row)


def revoke_tablet(writer: Writer, tablet_id: str, *, at: datetime) -> None:
    """Ends a pairing at once; what the tablet still shows cannot be sent any more.

    Raises:
        NotFoundError: "tablet", when no such tablet is paired.
    """
    device = models.Device
    if writer.execute(device.update({device.revoked_at: at}).where(_is_paired(tablet_id))) == 0:
        raise NotFoundError("tablet", "no such tablet is paired")


def list_tablets(reader: Reader) -> tuple[Paired, ...]:
    """The paired tablets, oldest first."""
    device = models.Device
    rows = reader.all(device.select().where(device.revoked_at.is_null()).order_by(device.paired_at))
    return tuple(_paired(row) for row in rows)


def make_pos_token(writer: Writer, till: str, *, at: datetime) -> str:
    """A new bearer token for a till's POS, shown this once; 43 characters. Empty: for any till.

    Raises:
        InvalidError: "till".
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    writer.execute(
        models.PosToken.insert(token_hash=hash_secret(token), till=_check_till(till), created_at=at)
    )
    return token


def find_pos_token(reader: Reader, token: str) -> PosToken | None:
    """The token's till, unless the token is unknown or was revoked."""
    found = _POS_TOKEN.first(reader, hash_secret(token))
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


def _is_paired(tablet_id: str) -> peewee.Expression:
    device = models.Device
    return (device.device_id == tablet_id) & device.revoked_at.is_null()


def _paired(row: models.Device) -> Paired:
    return Paired(
        id=row.device_id,
        number=int(row.name),
        till=row.till,
        paired_at=row.paired_at,
        seen_at=row.seen_at,
        address=row.address,
        reached=row.reached,
        tried_at=row.tried_at,
    )


def _pos_token(row: models.PosToken) -> PosToken:
    return PosToken(id=bytes(row.token_hash).hex()[:_ID_CHARS], till=row.till, created_at=row.created_at)


def hash_secret(secret: str) -> bytes:
    """What is kept of a link, of digits or of a token; 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()


def _check_till(till: str) -> str:
    return check_line(till, code="till", max_chars=TILL_MAX_CHARS)
