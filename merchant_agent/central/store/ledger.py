"""Reading central's ledger: accepted records in their order, each with what is still disclosed of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import peewee

from merchant_agent.central.store.issuers import Granted
from merchant_agent.central.store.models import Batch, ChainHead, Disclosure, Grant, Quarantine, Record
from merchant_agent.errors import StoreCorruptError
from merchant_agent.evidence.grant import decode_grant
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.record import Totals, decode_record
from merchant_agent.store.store import Reader

_Chained = type[Batch] | type[Grant] | type[Quarantine] | type[Record]

_PLACE = ("merchant", "issuer", "epoch", "seq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An accepted record's octets and its disclosures as they travelled."""

    merchant: str
    received_at: datetime
    octets: bytes
    disclosures: tuple[str, ...]


def read_ledger(reader: Reader) -> Iterator[Entry]:
    """Every accepted record, by merchant, issuer, epoch and seq, in flat memory.

    To be used up, or closed, inside the reader's block.
    """
    for place, rows in groupby(reader.iterate(_joined()), key=itemgetter(0, 1, 2, 3)):
        disclosures = []
        for *_, received_at, octets, text in rows:  # noqa: B007  # the same stand in each row of a place
            if text is not None:
                disclosures.append(text)
        yield Entry(
            merchant=place[0],
            received_at=received_at,
            octets=bytes(octets),
            disclosures=tuple(disclosures),
        )


def find_before(reader: Reader, granted: Granted, seq: int) -> bytes:
    """What the record at `seq` has to follow: the record or rejected line before it, or the grant.

    Raises:
        StoreCorruptError: central has nothing there.
    """
    if seq == 0:
        queries = [_of(Grant.select(Grant.octets), Grant, granted)]
    else:
        rejected = _of(Quarantine.select(Quarantine.line), Quarantine, granted)
        queries = [
            _of(Record.select(Record.octets), Record, granted).where(Record.seq == seq - 1),
            rejected.where((Quarantine.seq == seq - 1) & (Quarantine.placed == 1)),
        ]
    for query in queries:
        octets = reader.scalar(query)
        if octets is not None:
            return bytes(octets)
    raise StoreCorruptError(f"nothing stands before seq {seq} of {granted.issuer}")


def find_announcement(reader: Reader, granted: Granted, seq: int, *, other_than: str) -> bytes:
    """The first batch that committed to another link than this one for that place.

    Raises:
        StoreCorruptError: no batch did.
    """
    named = (Batch.newest_seq == seq) & (Batch.newest_link != other_than) & (Batch.outcome != "refused")
    query = _of(Batch.select(Batch.octets), Batch, granted).where(named)
    octets = reader.scalar(query.order_by(Batch.received_at).limit(1))
    if octets is None:
        raise StoreCorruptError(f"no batch spoke of seq {seq} of {granted.issuer}")
    return bytes(octets)


def newest_totals(reader: Reader, merchant: str) -> Totals:
    """The totals of the last record of the merchant's newest terminal, which the next one goes on from.

    Those of its grant before its first record; all zero for a merchant's first terminal.
    """
    own = (ChainHead.merchant == merchant) & (ChainHead.role == "central")
    of_central = ChainHead.select(ChainHead.issuer).where(own)
    grants = Grant.select().where((Grant.merchant == merchant) & Grant.issuer.not_in(of_central))
    newest: Grant | None = reader.first(grants.order_by(Grant.at.desc(), Grant.issuer))
    if newest is None:
        return Totals.zero()
    chain = (Record.merchant == merchant) & (Record.issuer == newest.issuer) & (Record.epoch == newest.epoch)
    last = Record.select(Record.octets).where(chain).order_by(Record.seq.desc()).limit(1)
    octets = reader.scalar(last)
    if octets is not None:
        return decode_record(decode_jws(bytes(octets), Typ.RECORD).payload).totals
    return decode_grant(decode_jws(bytes(newest.octets), Typ.GRANT).payload).totals


def _of(query: peewee.Query, table: _Chained, granted: Granted) -> peewee.Query:
    """The rows of one issuer's epoch."""
    return query.where(
        (table.merchant == granted.merchant)
        & (table.issuer == granted.issuer)
        & (table.epoch == granted.epoch)
    )


def _joined() -> peewee.ModelSelect[Record]:
    """Rows (place of four columns, received, octets, disclosure or None) in the order of both primary keys."""
    same = [getattr(Disclosure, name) == getattr(Record, name) for name in _PLACE]
    place = [getattr(Record, name) for name in _PLACE]
    return (
        Record.select(*place, Record.received_at, Record.octets, Disclosure.octets)
        .join(Disclosure, peewee.JOIN.LEFT_OUTER, on=(same[0] & same[1] & same[2] & same[3]))
        .order_by(*place, Disclosure.name)
        .tuples()
    )
