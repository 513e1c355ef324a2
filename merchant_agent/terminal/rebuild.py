"""Making the pages' tables again from the ledger, and proving that they are what they were."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from merchant_agent.domain.projections import project
from merchant_agent.errors import StoreCorruptError, VerificationError
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.disclosure import open_disclosure
from merchant_agent.store.copies import Difference, copy_of, differences, replace_rows
from merchant_agent.store.folder import DataFolder
from merchant_agent.store.store import Store, Writer
from merchant_agent.store.table import Table
from merchant_agent.terminal.store.identity import load_identities
from merchant_agent.terminal.store.ledger import Entry, read_ledger
from merchant_agent.terminal.store.models import (
    PROJECTIONS,
    Complaint,
    Erasure,
    Prompt,
    Rating,
    Reply,
    Suggestion,
)
from merchant_agent.terminal.store.opening import find_database, open_existing
from merchant_agent.terminal.store.projections import Tables, apply

_KEPT_PER_TABLE = 100

_COPIES = Tables(
    prompt=copy_of(Prompt),
    rating=copy_of(Rating),
    suggestion=copy_of(Suggestion),
    complaint=copy_of(Complaint),
    erasure=copy_of(Erasure),
    reply=copy_of(Reply),
)
_COPY_OF: dict[type[Table], type[Table]] = {
    Prompt: _COPIES.prompt,
    Rating: _COPIES.rating,
    Suggestion: _COPIES.suggestion,
    Complaint: _COPIES.complaint,
    Erasure: _COPIES.erasure,
    Reply: _COPIES.reply,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What became of a rebuild.

    `records` is how many the ledger has, every one verified; `count` is how many rows differed
    from what the ledger says and were put right; `differences` has the first 100 of each table.
    """

    records: int
    count: int
    differences: tuple[Difference, ...]


def rebuild_folder(data: Path) -> Rebuilt:
    """`rebuild` for the data folder of a terminal that is not running.

    Raises:
        StartError: there is no terminal's database, the terminal runs, or another version wrote it.
        StoreError: as `rebuild`.
    """
    find_database(data)
    with DataFolder(data):
        store = open_existing(data, read_only=False)
        try:
            return rebuild(store)
        finally:
            store.close()


def rebuild(store: Store) -> Rebuilt:
    """Makes the projections from the ledger; where the live tables differ they are replaced.

    One transaction, in flat memory: readers see the old tables or the new ones.

    Raises:
        StoreCorruptError: the ledger itself breaks a rule; no table was changed.
        StoreError: the database did not do it, or the disk is full; no table was changed.
    """
    copies = list(_COPY_OF.values())
    kept: list[Difference] = []
    count = 0
    with store.write() as writer:
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
    """Applies the whole ledger to the copies; the number of its records."""
    identities = {identity.epoch: identity for identity in load_identities(writer)}
    chain: Chain | None = None
    records = 0
    for entry in read_ledger(writer):
        if chain is None or chain.epoch != entry.epoch:
            identity = identities.get(entry.epoch)
            if identity is None:
                raise StoreCorruptError(f"the ledger has records of epoch {entry.epoch} and no grant of it")
            chain = Chain.begin(identity.grant_octets, identity.grant)
        _apply(writer, chain, entry)
        records += 1
    return records


def _apply(writer: Writer, chain: Chain, entry: Entry) -> None:
    try:
        record = chain.accept(entry.octets, entry.disclosures)
    except VerificationError as error:
        detail = f"the record in epoch {entry.epoch}, seq {entry.seq} breaks {error.rule}: {error.detail}"
        raise StoreCorruptError(detail) from error
    opened = (open_disclosure(text) for text in entry.disclosures)
    apply(writer, project(record, {item.name: item.value for item in opened}), _COPIES)


def _compare(writer: Writer, live: type[Table], kept: list[Difference]) -> int:
    """How many rows differ; the first of them go to `kept`."""
    found = 0
    for difference in differences(writer, live, _COPY_OF[live]):
        if found < _KEPT_PER_TABLE:
            kept.append(difference)
        found += 1
    return found
