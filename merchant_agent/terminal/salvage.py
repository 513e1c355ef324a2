"""Salvaging a damaged database into a new one: whatever verifies, from the file and from the newest backup.

Grants come from both and from the folder of keys; records in the order of their chain until one is
found nowhere, each verified as it enters; the rest of this machine's own rows where they can be
read. Words that were erased since a backup stay erased. The new database is on hold: another
epoch must be granted before anything is signed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from merchant_agent.clock import Clock
from merchant_agent.errors import StartError
from merchant_agent.store.remains import Remains
from merchant_agent.store.store import Store, Writer
from merchant_agent.terminal.collect.kept import begin_outage
from merchant_agent.terminal.salvaged_chain import SalvagedChain
from merchant_agent.terminal.salvaged_rows import copy_rows, fill_all, fill_brought
from merchant_agent.terminal.store import models
from merchant_agent.terminal.store.holds import Hold, Reason, save_hold
from merchant_agent.terminal.store.identity import (
    Identity,
    identity_of,
    insert_identity,
    load_identities,
    load_kept_grants,
)
from merchant_agent.terminal.store.journal import Journal

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """How much of the chain is there again."""

    epochs: int
    records: int


def salvage(store: Store, sources: Sequence[Remains], keys: Path, clock: Clock) -> Salvaged:
    """Fills a new, empty store from the sources, the damaged file first; it is on hold where anything was granted.

    Raises:
        StartError: the salvaged grants cannot be used.
        StoreError: the new database could not be written.
    """
    with store.write() as writer:
        _fill_epochs(writer, sources, keys)
        identities = load_identities(writer)
        if identities:
            _put_on_hold(writer, sources, clock.now())
    journal = Journal(store, clock, keys)
    records = sum(SalvagedChain(journal, store, sources, identity).fill() for identity in identities)
    with store.write() as writer:
        fill_all(writer, sources, identities)
    _log.warning("salvaged %d records of %d epochs", records, len(identities))
    return Salvaged(epochs=len(identities), records=records)


def bring_over(store: Store, source: Remains, keys: Path, clock: Clock) -> int:
    """Adds to a store, which has a grant, what another of the same terminal signed or kept after it.

    That is the records that go on from its chain, with their slips, sales and batches, what was kept unsigned,
    and answers that were begun. How many records.

    Raises:
        StartError: a grant cannot be used.
        StoreError: the store could not be written.
    """
    journal = Journal(store, clock, keys)
    with store.read() as reader:
        identities = load_identities(reader)
    chains = [SalvagedChain(journal, store, [source], identity) for identity in identities]
    before = sum(chain.count() for chain in chains)
    after = sum(chain.fill() for chain in chains)
    with store.write() as writer:
        fill_brought(writer, source, identities)
    return after - before


def _fill_epochs(writer: Writer, sources: Sequence[Remains], keys: Path) -> None:
    """Those of one issuer: a grant beside the keys may be another terminal's, one in the database hardly."""
    granted, kept = list(_granted(sources)), load_kept_grants(keys)
    if not granted and not kept:
        return
    issuer = max(granted or kept, key=lambda identity: identity.epoch).issuer
    found = {identity.epoch: identity for identity in (*granted, *kept) if identity.issuer == issuer}
    for identity in found.values():
        insert_identity(writer, identity)


def _granted(sources: Sequence[Remains]) -> Iterator[Identity]:
    columns = tuple(models.Epoch._meta.columns)  # noqa: SLF001  # peewee's name for it
    fields = models.Epoch._meta.columns  # noqa: SLF001  # likewise
    for source in reversed(sources):
        for row in source.rows("epoch", columns):
            try:
                values = {
                    name: fields[name].python_value(value) for name, value in zip(columns, row, strict=True)
                }
                yield identity_of(models.Epoch(**values))
            except (StartError, ValueError, TypeError, AttributeError) as error:
                _log.warning("a grant cannot be used: %s", type(error).__name__)


def _put_on_hold(writer: Writer, sources: Sequence[Remains], at: datetime) -> None:
    """A terminal that ended stays so."""
    ended = [row for source in sources[:1] for row in source.rows("hold", ("reason",)) if row == ("ended",)]
    reason: Reason = "ended" if ended else "damage"
    save_hold(writer, Hold(reason=reason, detail="salvaged", at=at))
    copy_rows(writer, models.Outage, sources[:1])  # one that lasts already keeps its beginning
    begin_outage(writer, reason, at)
