"""What customers told about the staff: "they asked me for a good rating"; for the authority alone.

It enters no chain and no log, since a shop reads from those when something was said. It names no
customer, and says nothing about which sale it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from merchant_agent.central.answers import check_codes, check_comment
from merchant_agent.central.overview import Page, read_page, shop_names
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import MerchantEntry, Urging
from merchant_agent.errors import InvalidError, NotFoundError
from merchant_agent.evidence.record import new_id
from merchant_agent.store.store import Writer

WAYS = ("asked", "reward", "watched", "tapped", "changed", "pressed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What somebody told, as officers read it; `comment` is None where there is none, or none any more."""

    merchant: str
    shop_name: str
    at: datetime
    ways: tuple[str, ...]
    comment: str | None


def tell(central: Central, merchant: str, ways: Sequence[str], comment: str) -> None:
    """Stores it.

    Raises:
        InvalidError: "way", "comment", or "urging", when nothing is told.
        NotFoundError: "merchant".
    """
    check_codes(ways, _require_way, "way")
    words = check_comment(comment)
    if not ways and not words:
        raise InvalidError("urging", "a way or some words are expected")
    now = central.clock.now()
    with central.store.write() as tx:
        if tx.first(MerchantEntry.select().where(MerchantEntry.id == merchant)) is None:
            raise NotFoundError("merchant", "there is no such merchant")
        tx.execute(
            Urging.insert(merchant=merchant, id=new_id(now), at=now, ways=list(ways), comment=words or None)
        )


def list_urgings(central: Central, *, merchant: str | None = None, page: int = 1) -> Page[Told]:
    """The newest first; of one merchant or of all."""
    query = Urging.select().order_by(Urging.at.desc(), Urging.id.desc())
    if merchant is not None:
        query = query.where(Urging.merchant == merchant)
    with central.store.read() as reader:
        rows: Page[Urging] = read_page(reader, query, page)
        names = shop_names(reader, {row.merchant for row in rows.items})
    items = tuple(
        Told(
            merchant=row.merchant,
            shop_name=names.get(row.merchant, ""),
            at=row.at,
            ways=tuple(row.ways),
            comment=row.comment,
        )
        for row in rows.items
    )
    return Page(items=items, number=rows.number, more=rows.more)


def forget_old_urgings(tx: Writer, before: datetime) -> int:
    """Erases the words of those from before that moment; of how many."""
    old = (Urging.at < before) & Urging.comment.is_null(is_null=False)
    return tx.execute(Urging.update({Urging.comment: None}).where(old))


def _require_way(code: str) -> None:
    if code not in WAYS:
        raise InvalidError("way", f"one of {', '.join(WAYS)} is expected")
