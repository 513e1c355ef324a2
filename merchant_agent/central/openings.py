"""Which ratings' slips somebody opened: customers who looked after what they had said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import peewee

from merchant_agent.central.store.models import Complaint, Rating, Slip, Suggestion
from merchant_agent.store.store import Reader

_Place = tuple[str, str, int, int]
_Table = type[Complaint] | type[Slip] | type[Suggestion]


def with_opened_slip(reader: Reader, ratings: Sequence[Rating]) -> frozenset[_Place]:
    """Those of the ratings, by merchant, issuer, epoch and seq, whose visit's slip was opened.

    A slip is over the last record of a visit: the rating, or what was said about its prompt after it.
    """
    mine = {(row.merchant, row.issuer, row.epoch, row.seq): row for row in ratings}
    visits = {
        (*key[:3], row.prompt_epoch, row.prompt_seq): key
        for key, row in mine.items()
        if row.prompt_issuer == row.issuer
    }
    covered = {place: place for place in mine}
    for table in (Complaint, Suggestion):
        about = table.prompt_seq.in_([seq for *_, seq in visits]) & (table.prompt_issuer == table.issuer)
        asked = (table.prompt_epoch, table.prompt_seq)
        for merchant, issuer, epoch, seq, *prompt in reader.all(_near(table, mine, about, *asked).tuples()):
            key = visits.get((merchant, issuer, epoch, *prompt))
            if key is not None and seq > key[3]:
                covered[merchant, issuer, epoch, seq] = key
    opened = Slip.seq.in_([seq for *_, seq in covered]) & (Slip.state != "conflict")
    found = reader.all(_near(Slip, mine, opened).tuples())
    return frozenset(covered[place] for place in map(tuple, found) if place in covered)


def _near(
    table: _Table, places: Iterable[_Place], where: peewee.Expression, *more: peewee.Field[Any]
) -> peewee.ModelSelect[Any]:
    """Places in that table of the same merchants and issuers."""
    merchants, issuers = {place[0] for place in places}, {place[1] for place in places}
    same = table.merchant.in_(list(merchants)) & table.issuer.in_(list(issuers))
    return table.select(table.merchant, table.issuer, table.epoch, table.seq, *more).where(same & where)
