"""Reading the ledger: signed records in their order, each with what is still disclosed of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import peewee

from merchant_agent.errors import FormatError, StoreCorruptError, VerificationError
from merchant_agent.evidence.bodies import Kind
from merchant_agent.evidence.disclosure import encode_line
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.record import Record, decode_record
from merchant_agent.store.lookup import Lookup
from merchant_agent.store.store import Reader
from merchant_agent.terminal.store.models import LedgerDisclosure, LedgerRecord

_NEWEST = Lookup(LedgerRecord, "epoch = ? ORDER BY seq DESC LIMIT 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A record's octets at its place, and its disclosures as they travel, ordered by name."""

    epoch: int
    seq: int
    octets: bytes
    disclosures: tuple[str, ...]

    def line(self) -> bytes:
        """The record as one line of an upload."""
        return encode_line(self.octets, self.disclosures)


def read_ledger(
    reader: Reader, *, epoch: int | None = None, first_seq: int = 0, last_seq: int | None = None
) -> Iterator[Entry]:
    """Entries oldest first in flat memory, of one epoch or of all; `last_seq` is included.

    To be used up, or closed, inside the reader's block.
    """
    query = _joined().where(LedgerRecord.seq >= first_seq)
    if epoch is not None:
        query = query.where(LedgerRecord.epoch == epoch)
    if last_seq is not None:
        query = query.where(LedgerRecord.seq <= last_seq)
    for place, rows in groupby(reader.iterate(query), key=itemgetter(0, 1)):
        disclosures = []
        octets = b""
        for _, _, octets, text in rows:  # noqa: B007  # the same octets stand in each row of a place
            if text is not None:
                disclosures.append(text)
        yield Entry(epoch=place[0], seq=place[1], octets=octets, disclosures=tuple(disclosures))


def find_entry(reader: Reader, epoch: int, seq: int) -> Entry | None:
    """The entry at one place, or None."""
    return next(read_ledger(reader, epoch=epoch, first_seq=seq, last_seq=seq), None)


def newest_record(reader: Reader, epoch: int) -> LedgerRecord | None:
    """The last record of an epoch, or None while it has none."""
    return _NEWEST.first(reader, epoch)


def newest_of(reader: Reader, kind: Kind) -> Record | None:
    """The last record of a kind over all epochs, or None where there is none.

    Raises:
        StoreCorruptError: what stands there is no record.
    """
    row = LedgerRecord
    query = row.select(row.octets).where(row.kind == kind.value).order_by(row.epoch.desc(), row.seq.desc())
    found = reader.first(query.tuples())
    if found is None:
        return None
    try:
        return decode_record(decode_jws(bytes(found[0]), Typ.RECORD).payload)
    except (FormatError, VerificationError) as error:
        raise StoreCorruptError(f"the newest {kind} record: {error}") from error


def first_at(reader: Reader) -> datetime | None:
    """When the first record of all was signed, or None while there is none."""
    query = LedgerRecord.select().order_by(LedgerRecord.epoch, LedgerRecord.seq)
    found: LedgerRecord | None = reader.first(query)
    return None if found is None else found.at


def _joined() -> peewee.ModelSelect[LedgerRecord]:
    """Rows (epoch, seq, octets, disclosure or None); both primary keys give the order, so nothing is sorted."""
    same = (LedgerDisclosure.epoch == LedgerRecord.epoch) & (LedgerDisclosure.seq == LedgerRecord.seq)
    columns = (LedgerRecord.epoch, LedgerRecord.seq, LedgerRecord.octets, LedgerDisclosure.text)
    return (
        LedgerRecord.select(*columns)
        .join(LedgerDisclosure, peewee.JOIN.LEFT_OUTER, on=same)
        .order_by(LedgerRecord.epoch, LedgerRecord.seq, LedgerDisclosure.name)
        .tuples()
    )
