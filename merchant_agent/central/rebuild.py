"""Making the pages' tables again from central's ledger, and proving that they are what they were."""

from __future__ import annotations

from dataclasses import dataclass

from merchant_agent.central.store.ledger import Entry, read_ledger
from merchant_agent.central.store.models import PROJECTIONS, ChainHead
from merchant_agent.central.store.projections import ProjectionRows
from merchant_agent.domain.projections import project
from merchant_agent.errors import FormatError, StoreCorruptError, VerificationError
from merchant_agent.evidence.disclosure import check_disclosures
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.record import decode_record
from merchant_agent.store.copies import Difference, copy_of, differences, replace_rows
from merchant_agent.store.fields import to_ms
from merchant_agent.store.store import Store, Writer
from merchant_agent.store.table import Table

_KEPT_PER_TABLE = 100
_ROWS_AT_ONCE = 1000
_COPY_OF: dict[type[Table], type[Table]] = {live: copy_of(live) for live in PROJECTIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What became of a rebuild.

    `records` is how many the ledger has; `count` is how many rows differed from what the ledger
    says and were put right; `differences` has the first 100 of each table.
    """

    records: int
    count: int
    differences: tuple[Difference, ...]


def rebuild(store: Store) -> Rebuilt:
    """Makes the projections from the ledger; where the live tables differ they are replaced.

    One transaction, in flat memory: readers see the old tables or the new ones, and uploads
    are held off meanwhile.

    Raises:
        StoreCorruptError: a record in the ledger cannot be read; no table was changed.
        StoreError: the database did not do it, or the disk is full; no table was changed.
    """
    copies = list(_COPY_OF.values())
    kept: list[Difference] = []
    count = 0
    with store.write() as writer:
        # Every upload has to move a head: who holds them all has the ledger to himself.
        writer.execute(ChainHead.update({ChainHead.state: ChainHead.state}))
        writer.create_tables(copies)
        records = _fill(writer)
        for live in PROJECTIONS:
            found = _compare(writer, live, kept)
            if found:
                replace_rows(writer, live, _COPY_OF[live])
            count += found
        writer.drop_tables(copies)
    return Rebuilt(records=records, count=count, differences=tuple(kept))


def _fill(writer: Writer) -> int:
    """Writes the whole ledger's projections to the copies; the number of its records."""
    rows = ProjectionRows()
    records = 0
    for entry in read_ledger(writer):
        _add(rows, entry)
        records += 1
        if records % _ROWS_AT_ONCE == 0:
            writer.copy_tables(rows.take(_COPY_OF))
    writer.copy_tables(rows.take(_COPY_OF))
    return records


def _add(rows: ProjectionRows, entry: Entry) -> None:
    try:
        record = decode_record(decode_jws(entry.octets, Typ.RECORD).payload)
        disclosed = check_disclosures(record, entry.disclosures)
    except (FormatError, VerificationError) as error:
        raise StoreCorruptError(f"a record of merchant {entry.merchant}: {error}") from error
    rows.add(entry.merchant, to_ms(entry.received_at), project(record, disclosed))


def _compare(writer: Writer, live: type[Table], kept: list[Difference]) -> int:
    """How many rows differ; the first of them go to `kept`."""
    found = 0
    for difference in differences(writer, live, _COPY_OF[live]):
        if found < _KEPT_PER_TABLE:
            kept.append(difference)
        found += 1
    return found
