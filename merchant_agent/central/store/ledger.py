"""Reading central's ledger: accepted records in their order, each with what is still disclosed of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import peewee

from merchant_agent.central.store.issuers import Granted
from merchant_agent.central.store.models import (
    Batch,
    ChainHead,
    Disclosure,
    EpochAsked,
    Grant,
    Quarantine,
    Record,
)
from merchant_agent.errors import StoreCorruptError
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.grant import decode_grant
from merchant_agent.evidence.jws import Typ, decode_jws, link_of
from merchant_agent.evidence.record import Totals, decode_record
from merchant_agent.store.store import Reader

_Chained = type[Batch] | type[EpochAsked] | type[Grant] | type[Quarantine] | type[Record]

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
    """The first batch, or else granted epoch request, that committed to another link for that place.

    Raises:
        StoreCorruptError: neither did.
    """
    octets = reader.scalar(_announced(granted, seq, other_than=other_than))
    if octets is None:
        octets = reader.scalar(_asked(granted, seq, other_than=other_than))
    if octets is None:
        raise StoreCorruptError(f"no batch spoke of seq {seq} of {granted.issuer}")
    return bytes(octets)


def find_other(reader: Reader, granted: Granted, newest: Head) -> bytes | None:
    """What the issuer signed that cannot be true if this is its newest record; None where there is nothing.

    That is another record at that place, or a batch that committed to another one there.
    """
    record = reader.scalar(_of(Record.select(Record.octets), Record, granted).where(Record.seq == newest.seq))
    if record is not None:
        return None if link_of(bytes(record)) == newest.link else bytes(record)
    aside = (Quarantine.seq == newest.seq) & (Quarantine.placed == 1) & (Quarantine.vouched == 1)
    other = aside & (Quarantine.link != newest.link)
    line = reader.scalar(_of(Quarantine.select(Quarantine.line), Quarantine, granted).where(other))
    if line is not None:
        return bytes(line)
    announced = _announced(granted, newest.seq, other_than=newest.link)
    batch = reader.scalar(announced)
    return None if batch is None else bytes(batch)


def newest_totals(reader: Reader, merchant: str) -> Totals:
    """The totals of the last record of the merchant's newest terminal, which the next one goes on from.

    Those of its grant before its first record; all zero for a merchant's first terminal.
    """
    own = (ChainHead.merchant == merchant) & (ChainHead.role == "central")
    of_central = ChainHead.select(ChainHead.issuer).where(own)
    grants = Grant.select().where((Grant.merchant == merchant) & Grant.issuer.not_in(of_central))
    newest: Grant | None = reader.first(grants.order_by(Grant.at.desc(), Grant.issuer, Grant.epoch.desc()))
    return Totals.zero() if newest is None else _last_record(reader, newest)[1]


def closing(reader: Reader, merchant: str, issuer: str, epoch: int) -> tuple[Head, Totals]:
    """The newest accepted record of an epoch, at which the next one closes it, and its totals.

    Before the first record, place and totals of the grant. A record that was set aside is passed
    over: what it states of the totals is not known.

    Raises:
        StoreCorruptError: the epoch was not granted.
    """
    here = (Grant.merchant == merchant) & (Grant.issuer == issuer) & (Grant.epoch == epoch)
    grant: Grant | None = reader.first(Grant.select().where(here))
    if grant is None:
        raise StoreCorruptError(f"the grant of {issuer}.{epoch} is missing")
    return _last_record(reader, grant)


def _last_record(reader: Reader, grant: Grant) -> tuple[Head, Totals]:
    chain = (
        (Record.merchant == grant.merchant) & (Record.issuer == grant.issuer) & (Record.epoch == grant.epoch)
    )
    octets = reader.scalar(Record.select(Record.octets).where(chain).order_by(Record.seq.desc()).limit(1))
    if octets is None:
        granted = decode_grant(decode_jws(bytes(grant.octets), Typ.GRANT).payload)
        return Head(epoch=grant.epoch, seq=-1, link=link_of(bytes(grant.octets))), granted.totals
    record = decode_record(decode_jws(bytes(octets), Typ.RECORD).payload)
    return Head(epoch=grant.epoch, seq=record.seq, link=link_of(bytes(octets))), record.totals


def _announced(granted: Granted, seq: int, *, other_than: str) -> peewee.Query:
    named = (Batch.newest_seq == seq) & (Batch.newest_link != other_than) & (Batch.outcome != "refused")
    query = _of(Batch.select(Batch.octets), Batch, granted).where(named)
    return query.order_by(Batch.received_at).limit(1)


def _asked(granted: Granted, seq: int, *, other_than: str) -> peewee.Query:
    named = (EpochAsked.newest_seq == seq) & (EpochAsked.newest_link != other_than)
    query = _of(EpochAsked.select(EpochAsked.octets), EpochAsked, granted)
    return query.where(named & (EpochAsked.outcome == "granted")).limit(1)


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
