"""Reading central's ledger: accepted records in their order, each with what is still disclosed of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import peewee

from merchant_agent.central.store.models import ChainHead, Disclosure, Grant, Quarantine, Record
from merchant_agent.errors import StoreCorruptError
from merchant_agent.evidence.grant import decode_grant
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.record import Totals, decode_record
from merchant_agent.store.store import Reader

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


def find_before(reader: Reader, merchant: str, issuer: str, epoch: int, seq: int) -> bytes:
    """What the record at `seq` has to follow: the record or rejected line before it, or the grant.

    Raises:
        StoreCorruptError: central has nothing there.
    """
    record, rejected = (
        table.select(octets).where(
            (table.merchant == merchant)
            & (table.issuer == issuer)
            & (table.epoch == epoch)
            & (table.seq == seq - 1)
        )
        for table, octets in ((Record, Record.octets), (Quarantine, Quarantine.line))
    )
    granted = (Grant.merchant == merchant) & (Grant.issuer == issuer) & (Grant.epoch == epoch)
    grant = Grant.select(Grant.octets).where(granted)
    for query in (record, rejected.where(Quarantine.placed == 1)) if seq else (grant,):
        octets = reader.scalar(query)
        if octets is not None:
            return bytes(octets)
    raise StoreCorruptError(f"nothing stands before seq {seq} of {issuer}.{epoch}")


def newest_totals(reader: Reader, merchant: str) -> Totals:
    """The totals of the last record of the merchant's newest terminal, which the next one goes on from.

    Those of its grant before its first record; all zero for a merchant's first terminal.
    """
    heads = ChainHead.select().where(ChainHead.merchant == merchant)
    head: ChainHead | None = reader.first(heads.order_by(ChainHead.granted_at.desc(), ChainHead.issuer))
    if head is None:
        return Totals.zero()
    chain = (Record.merchant == merchant) & (Record.issuer == head.issuer) & (Record.epoch == head.epoch)
    newest = Record.select(Record.octets).where(chain).order_by(Record.seq.desc()).limit(1)
    octets = reader.scalar(newest)
    if octets is not None:
        return decode_record(decode_jws(bytes(octets), Typ.RECORD).payload).totals
    granted = (Grant.merchant == merchant) & (Grant.issuer == head.issuer) & (Grant.epoch == head.epoch)
    grant = reader.scalar(Grant.select(Grant.octets).where(granted))
    return (
        Totals.zero() if grant is None else decode_grant(decode_jws(bytes(grant), Typ.GRANT).payload).totals
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
