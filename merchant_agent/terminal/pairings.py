"""Pairing at the counter: a link as a QR code, and six digits for whoever cannot scan.

A million codes can be guessed, so guesses are few: with the fifth wrong one, from wherever they came,
all digits in force are void. The links beside them stay good: their 60 bits cannot be guessed.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.devices import hash_secret, make_pairing_link, use_pairing
from merchant_agent.terminal.store import models

DIGITS = 6
FREE_GUESSES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What pairs one tablet, once: the secret of an address or the digits."""

    secret: str
    digits: str


def offer_pairing(writer: Writer, *, at: datetime, till: str = "", tablet_id: str | None = None) -> Offer:
    """A pairing for five minutes, of a new tablet or of `tablet_id` again, which keeps its number and till.

    Raises:
        InvalidError: "till".
    """
    secret, link = make_pairing_link(writer, at=at, till=till), models.Pairing
    digits = _free_digits(writer)
    kept = {link.digits_hash: hash_secret(digits), link.device: tablet_id}
    writer.execute(link.update(kept).where(link.token_hash == hash_secret(secret)))
    return Offer(secret=secret, digits=digits)


def guess_digits(writer: Writer, digits: str, *, at: datetime) -> str | None:
    """Uses the pairing of these digits, once; the token of its tablet. None where they are wrong, which is counted.

    Raises:
        NotFoundError: "pairing-link", when the tablet that it would pair again was revoked.
    """
    link = models.Pairing
    in_force = (link.wrong < FREE_GUESSES) & (link.uses_left > 0) & (link.expires_at > at)
    found: models.Pairing | None = writer.first(
        link.select().where(in_force & (link.digits_hash == hash_secret(digits)))
    )
    if found is not None:
        return use_pairing(writer, found, at=at)
    writer.execute(link.update({link.wrong: link.wrong + 1}).where(in_force))
    return None


def is_void(reader: Reader, *, at: datetime) -> bool:
    """Whether all digits whose time is not over were guessed at too often, and there are some."""
    link = models.Pairing
    waiting = link.digits_hash.is_null(is_null=False) & (link.uses_left > 0) & (link.expires_at > at)
    guesses = [row.wrong for row in reader.all(link.select().where(waiting))]
    return bool(guesses) and min(guesses) >= FREE_GUESSES


def _free_digits(reader: Reader) -> str:
    link = models.Pairing
    while True:
        digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        if reader.first(link.select().where(link.digits_hash == hash_secret(digits))) is None:
            return digits
