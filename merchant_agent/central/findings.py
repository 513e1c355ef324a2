"""Findings about a shop: officers see all at once; the public, three working days after the shop was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import peewee

from merchant_agent.central.overview import Page, read_page, shop_names
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Rating, Remark, Reply
from merchant_agent.domain.findings import public_at
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.query_code import query_code
from merchant_agent.store.store import Reader

_SHOWN = 50
_FINDING = "finding"

Which = Literal["open", "settled", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What the shop said of a finding, and when it reached central; `text` is None once erased."""

    text: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A finding of central's chain, which stands at `place`; `told_of` is what it is about, None for no one record.

    `query_code` is of the promised record. `arrived_at` is when it came after all, None while nothing
    has come. `explanations` are all that the shop gave, the oldest first.
    """

    merchant: str
    shop_name: str
    place: Place
    code: str
    told_of: Place | None
    query_code: str | None
    due_at: datetime | None
    found_at: datetime
    public_at: datetime
    arrived_at: datetime | None
    explanations: tuple[Explanation, ...]

    @property
    def explanation(self) -> Explanation | None:
        """The one that counts: the first."""
        return self.explanations[0] if self.explanations else None

    @property
    def is_open(self) -> bool:
        """Whether something is still missing: the promised record, or the shop's word."""
        if self.code == "broken_promise":
            return self.arrived_at is None
        return self.code != "late" and not self.explanations


def broken_promises(central: Central, reader: Reader, merchant: str) -> list[Finding]:
    """The newest 50 promises to customers not kept in time that are public by now, the newest first."""
    now = central.clock.now()
    broken = (Remark.merchant == merchant) & (Remark.kind == _FINDING) & (Remark.code == "broken_promise")
    rows: list[Remark] = reader.all(Remark.select().where(broken).order_by(Remark.received_at.desc()))
    public = [row for row in rows if public_at(row.received_at, _zone(central)) <= now]
    return _findings(central, reader, public[:_SHOWN])


def findings_of_leaf(central: Central, reader: Reader, merchant: str, leaf: str) -> list[Finding]:
    """What was found about the promise of that leaf, the oldest first."""
    of_leaf = (Remark.merchant == merchant) & (Remark.kind == _FINDING) & (Remark.leaf == leaf)
    return _findings(central, reader, reader.all(Remark.select().where(of_leaf).order_by(Remark.seq)))


def list_findings(
    central: Central, *, which: Which = "open", merchant: str | None = None, page: int = 1
) -> Page[Finding]:
    """Findings for officers, the newest first; what came late is told with its broken promise."""
    query = Remark.select().where((Remark.kind == _FINDING) & ~_is_told_elsewhere())
    if which != "all":
        query = query.where(_is_open() if which == "open" else ~_is_open())
    if merchant is not None:
        query = query.where(Remark.merchant == merchant)
    order = (Remark.received_at.desc(), Remark.issuer, Remark.epoch, Remark.seq.desc())
    with central.store.read() as reader:
        rows: Page[Remark] = read_page(reader, query.order_by(*order), page)
        items = tuple(_findings(central, reader, rows.items))
    return Page(items=items, number=rows.number, more=rows.more)


def unbound_ratings(reader: Reader, merchant: str, until: datetime | None) -> int:
    """How many ratings without a sale had come by the last daily release; they are no part of the score."""
    if until is None:
        return 0
    unbound = (Rating.merchant == merchant) & Rating.prompt_seq.is_null() & (Rating.received_at < until)
    return int(reader.scalar(Rating.select(peewee.fn.COUNT(Rating.seq)).where(unbound)) or 0)


def _is_open() -> peewee.Expression:
    """As `Finding.is_open`."""
    explained = Reply.select(Reply.seq).where(
        (Reply.merchant == Remark.merchant)
        & (Reply.to_issuer == Remark.issuer)
        & (Reply.to_epoch == Remark.epoch)
        & (Reply.to_seq == Remark.seq)
    )
    broken = (Remark.code == "broken_promise") & ~peewee.fn.EXISTS(_same_leaf("late"))
    other = Remark.code.not_in(["broken_promise", "late"]) & ~peewee.fn.EXISTS(explained)
    is_open: peewee.Expression = broken | other
    return is_open


def _is_told_elsewhere() -> peewee.Expression:
    late: peewee.Expression = (Remark.code == "late") & peewee.fn.EXISTS(_same_leaf("broken_promise"))
    return late


def _same_leaf(code: str) -> peewee.ModelSelect[Remark]:
    other = Remark.alias()
    return other.select(other.seq).where(
        (other.merchant == Remark.merchant)
        & (other.kind == _FINDING)
        & (other.code == code)
        & (other.leaf == Remark.leaf)
    )


def _findings(central: Central, reader: Reader, rows: Sequence[Remark]) -> list[Finding]:
    merchants = {row.merchant for row in rows}
    names = shop_names(reader, merchants)
    late = _late(reader, rows)
    explanations = _explanations(reader, rows)
    return [
        Finding(
            merchant=row.merchant,
            shop_name=names.get(row.merchant, ""),
            place=_place(row),
            code=row.code,
            told_of=_told_of(row),
            query_code=None if row.leaf is None else query_code(decode_b64u(row.leaf)),
            due_at=row.due_at,
            found_at=row.received_at,
            public_at=public_at(row.received_at, _zone(central)),
            arrived_at=row.received_at if row.code == "late" else late.get((row.merchant, row.leaf)),
            explanations=tuple(explanations.get((row.merchant, _place(row)), ())),
        )
        for row in rows
    ]


def _late(reader: Reader, rows: Sequence[Remark]) -> dict[tuple[str, str | None], datetime]:
    leaves = {row.leaf for row in rows if row.leaf is not None}
    late = (Remark.kind == _FINDING) & (Remark.code == "late") & Remark.leaf.in_(list(leaves))
    here = Remark.merchant.in_(list({row.merchant for row in rows}))
    found = reader.all(Remark.select().where(here & late)) if leaves else []
    return {(row.merchant, row.leaf): row.received_at for row in found}


def _explanations(
    reader: Reader, rows: Sequence[Remark]
) -> Mapping[tuple[str, Place], Sequence[Explanation]]:
    merchants, seqs = {row.merchant for row in rows}, {row.seq for row in rows}
    query = Reply.select().where(Reply.merchant.in_(list(merchants)) & Reply.to_seq.in_(list(seqs)))
    found: dict[tuple[str, Place], list[Explanation]] = {}
    for row in reader.all(query.order_by(Reply.received_at, Reply.seq)) if rows else ():
        to = Place(issuer=row.to_issuer, epoch=row.to_epoch, seq=row.to_seq)
        explanation = Explanation(text=row.comment, at=row.received_at)
        found.setdefault((row.merchant, to), []).append(explanation)
    return found


def _place(row: Remark) -> Place:
    return Place(issuer=row.issuer, epoch=row.epoch, seq=row.seq)


def _told_of(row: Remark) -> Place | None:
    if row.told_issuer is None or row.told_epoch is None or row.told_seq is None:
        return None
    return Place(issuer=row.told_issuer, epoch=row.told_epoch, seq=row.told_seq)


def _zone(central: Central) -> ZoneInfo:
    return ZoneInfo(central.settings.zone)
