"""Findings about a shop as the public may know them: three working days after the shop was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import peewee

from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Rating, Remark
from merchant_agent.domain.working_days import after_working_days
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.query_code import query_code
from merchant_agent.store.store import Reader

TOLD_FOR_DAYS = 3
_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPromise:
    """A promise to a customer that was not kept in time; `arrived_at` is None while nothing has come.

    `query_code` is of the promised record. `explanation` is the shop's; None where it gave none.
    """

    query_code: str
    due_at: datetime | None
    found_at: datetime
    public_at: datetime
    arrived_at: datetime | None
    explanation: str | None


def broken_promises(central: Central, reader: Reader, merchant: str) -> list[BrokenPromise]:
    """The newest 50 that are public by now, the newest first."""
    now, zone = central.clock.now(), ZoneInfo(central.settings.zone)
    told = (Remark.merchant == merchant) & (Remark.kind == "finding")
    rows: list[Remark] = reader.all(Remark.select().where(told).order_by(Remark.received_at.desc()))
    late = {row.leaf: row.received_at for row in rows if row.code == "late"}
    found = [
        BrokenPromise(
            query_code=query_code(decode_b64u(row.leaf)),
            due_at=row.due_at,
            found_at=row.received_at,
            public_at=after_working_days(row.received_at, TOLD_FOR_DAYS, zone),
            arrived_at=late.get(row.leaf),
            explanation=None,
        )
        for row in rows
        if row.code == "broken_promise" and row.leaf is not None
    ]
    return [each for each in found if each.public_at <= now][:_SHOWN]


def unbound_ratings(reader: Reader, merchant: str, until: datetime | None) -> int:
    """How many ratings without a sale had come by the last daily release; they are no part of the score."""
    if until is None:
        return 0
    unbound = (Rating.merchant == merchant) & Rating.prompt_seq.is_null() & (Rating.received_at < until)
    return int(reader.scalar(Rating.select(peewee.fn.COUNT(Rating.seq)).where(unbound)) or 0)
