"""Salvaging a damaged database into a new one: whatever verifies, from the file and from the newest backup.

Grants come from both and from the folder of keys; records in the order of their chain until one is
found nowhere, each verified as it enters; the rest of this machine's own rows where they can be
read. Words that were erased since a backup stay erased. The new database is on hold: another
epoch must be granted before anything is signed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import peewee

from merchant_agent.clock import Clock
from merchant_agent.errors import FormatError, StartError, StoreConflictError, VerificationError
from merchant_agent.evidence.disclosure import digest
from merchant_agent.evidence.jws import Jws, Typ, decode_jws, leaf_hash, link_of, verify_jws
from merchant_agent.evidence.record import decode_record, peek_record
from merchant_agent.evidence.slip import open_slip
from merchant_agent.store.remains import Remains, find_in_octets
from merchant_agent.store.store import Store, Writer
from merchant_agent.store.table import Table
from merchant_agent.terminal.collect.kept import begin_outage
from merchant_agent.terminal.store import models
from merchant_agent.terminal.store.holds import Hold, save_hold
from merchant_agent.terminal.store.identity import (
    Identity,
    identity_of,
    insert_identity,
    load_identities,
    load_kept_grants,
)
from merchant_agent.terminal.store.journal import Journal
from merchant_agent.terminal.store.ledger import find_entry, newest_record

_log = logging.getLogger(__name__)

_TOGETHER = 200
_RECORD = re.compile(rb"eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoi[\w-]{20,200}\.[\w-]{100,22000}\.[\w-]{86}")
_DISCLOSURE = re.compile(rb"WyI[\w-]{30,22000}")
_OVERRUN = 4
_TYPES = {"TEXT": str, "BLOB": bytes, "INT": int, "BIGINT": int, "AUTO": int, "BOOL": int}

# Made anew from the chain, or over with the program that wrote it.
_NOT_COPIED: frozenset[type[Table]] = frozenset(
    {
        *(
            models.Epoch,
            models.LedgerRecord,
            models.LedgerDisclosure,
            models.Slip,
            models.Hold,
            models.Outage,
        ),
        *models.PROJECTIONS,
        models.OrderlyStop,
    }
)
# The new epoch's row is there already; the one of then says more.
_REPLACED: frozenset[type[Table]] = frozenset({models.UploadState})
# What a backup still has of these is over.
_OF_NOW: frozenset[type[Table]] = frozenset({models.Draft, models.Alarm, *_REPLACED})

# What customers and their tills brought since, and how far the upload came with it.
_BROUGHT_OVER = (models.Sale, models.Kept, models.Draft, models.SentBatch, models.UploadState)

_LOST_SALES = (
    "DELETE FROM sale WHERE prompt_id NOT IN (SELECT prompt_id FROM prompt)"
    " AND prompt_id NOT IN (SELECT item_id FROM kept)"
)
_ENDED_DRAFTS = (
    "DELETE FROM draft WHERE prompt_id IN (SELECT prompt_id FROM prompt WHERE outcome IS NOT NULL)"
)
_FORGOTTEN_BATCHES = (
    "DELETE FROM batch WHERE ack IS NULL"
    " AND client_nonce NOT IN (SELECT client_nonce FROM upload_state WHERE client_nonce IS NOT NULL)"
)
_ERASED = (
    "DELETE FROM disclosure WHERE EXISTS (SELECT 1 FROM erasure e, json_each(e.members) m"
    " WHERE e.told_epoch = disclosure.epoch AND e.told_seq = disclosure.seq AND m.value = disclosure.name)"
)
_TIDYING = (_ERASED, _LOST_SALES, _ENDED_DRAFTS, _FORGOTTEN_BATCHES)


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
    records = sum(_Chain(journal, store, sources, identity).fill() for identity in identities)
    with store.write() as writer:
        for model in models.MODELS:
            if model not in _NOT_COPIED:
                _copy(writer, model, sources[:1] if model in _OF_NOW else sources)
        for identity in identities:
            _fill_slips(writer, sources, identity)
        for text in _TIDYING:
            writer.rows(text)
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
    chains = [_Chain(journal, store, [source], identity) for identity in identities]
    before = sum(chain.count() for chain in chains)
    after = sum(chain.fill() for chain in chains)
    with store.write() as writer:
        for model in _BROUGHT_OVER:
            _copy(writer, model, [source])
        for identity in identities:
            _fill_slips(writer, [source], identity)
        for text in _TIDYING:
            writer.rows(text)
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
    reason = "ended" if ended else "damage"
    save_hold(writer, Hold(reason="ended" if ended else "damage", detail="salvaged", at=at))
    _copy(writer, models.Outage, sources[:1])  # one that lasts already keeps its beginning
    begin_outage(writer, reason, at)


class _Chain:
    """One epoch's records, looked for in every source, and in bare octets where no table has one."""

    def __init__(
        self, journal: Journal, store: Store, sources: Sequence[Remains], identity: Identity
    ) -> None:
        self._journal = journal
        self._store = store
        self._sources = sources
        self._identity = identity
        self._key = identity.grant.verifying_key()
        self._bare: dict[int, list[bytes]] | None = None
        self._bare_texts: dict[str, str] = {}
        self._seq = 0
        self._link = link_of(identity.grant_octets)
        newest = self._newest()
        if newest is not None:
            self._seq, self._link = newest.seq + 1, newest.link

    def fill(self) -> int:
        """Has the journal take them back until one is found nowhere; how many there are then."""
        while True:
            chunk = list(self._next())
            try:
                self._journal.take_back(self._identity, chunk)
            except (VerificationError, FormatError, StoreConflictError):
                self._take_singly(chunk)
                return self.count()
            if len(chunk) < _TOGETHER:
                return self.count()

    def _take_singly(self, chunk: Sequence[tuple[bytes, Sequence[str]]]) -> None:
        for item in chunk:
            try:
                self._journal.take_back(self._identity, [item])
            except (VerificationError, FormatError, StoreConflictError) as error:
                _log.warning("the chain of epoch %d breaks: %s", self._identity.epoch, error.code)
                return

    def count(self) -> int:
        """How many records of the epoch the store has."""
        newest = self._newest()
        return 0 if newest is None else newest.seq + 1

    def _newest(self) -> models.LedgerRecord | None:
        with self._store.read() as reader:
            return newest_record(reader, self._identity.epoch)

    def _next(self) -> Iterator[tuple[bytes, Sequence[str]]]:
        for _ in range(_TOGETHER):
            octets = self._find()
            if octets is None:
                return
            yield octets, self._disclosures(octets)
            self._seq += 1
            self._link = link_of(octets)

    def _find(self) -> bytes | None:
        """The record that comes next, signed, from the first source that has it."""
        query = "SELECT octets FROM record WHERE epoch = ? AND seq = ?"
        for source in self._sources:
            for (octets,) in source.find(query, self._identity.epoch, self._seq):
                if isinstance(octets, bytes) and self._fits(octets):
                    return octets
        return next((octets for octets in self._in_octets() if self._fits(octets)), None)

    def _fits(self, octets: bytes) -> bool:
        jws = _opened(octets)
        if jws is None:
            return False
        try:
            peek = peek_record(jws.payload)
            verify_jws(jws, self._key)
        except (FormatError, VerificationError):
            return False
        place = (peek.issuer, peek.epoch, peek.seq, peek.prev)
        return place == (self._identity.issuer, self._identity.epoch, self._seq, self._link)

    def _in_octets(self) -> list[bytes]:
        """What stands somewhere in the files, whatever their tables say; they are searched once."""
        if self._bare is None:
            self._bare = {}
            paths = [path for source in self._sources for path in (source.path, _wal_of(source.path))]
            for octets in find_in_octets(paths, _RECORD):
                seq = self._seq_of(octets)
                if seq is not None and seq >= self._seq:
                    self._bare.setdefault(seq, []).append(octets)
            if self._bare:
                for run in find_in_octets(paths, _DISCLOSURE):
                    texts = [run[: len(run) - over].decode("ascii") for over in range(_OVERRUN)]
                    self._bare_texts |= {digest(text): text for text in texts}
        return self._bare.get(self._seq, [])

    def _seq_of(self, octets: bytes) -> int | None:
        jws = _opened(octets)
        if jws is None or (jws.issuer, jws.epoch) != (self._identity.issuer, self._identity.epoch):
            return None
        try:
            return peek_record(jws.payload).seq
        except FormatError:
            return None

    def _disclosures(self, octets: bytes) -> Sequence[str]:
        """What is still disclosed of the record; another's, or a changed one, is left out."""
        try:
            wanted = set(decode_record(decode_jws(octets, Typ.RECORD).payload).sd)
        except FormatError:
            return ()
        query = "SELECT text FROM disclosure WHERE epoch = ? AND seq = ?"
        found: dict[str, str] = {}
        for source in self._sources if wanted else ():
            for (text,) in source.find(query, self._identity.epoch, self._seq):
                if isinstance(text, str) and text.isascii():
                    found[digest(text)] = text
        found |= {each: self._bare_texts[each] for each in wanted - set(found) if each in self._bare_texts}
        return tuple(text for each, text in found.items() if each in wanted)


def _opened(octets: bytes) -> Jws | None:
    try:
        return decode_jws(octets, Typ.RECORD)
    except VerificationError:
        return None


def _wal_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _fill_slips(writer: Writer, sources: Sequence[Remains], identity: Identity) -> None:
    """The slips that the key in force cannot make again, as far as they are the records' own."""
    key, columns = identity.grant.verifying_key(), ("epoch", "seq", "octets", "prompt_epoch", "prompt_seq")
    for source in sources:
        for epoch, seq, octets, *visit in source.rows("slip", columns):
            if epoch != identity.epoch or not isinstance(seq, int) or not isinstance(octets, bytes):
                continue
            entry = find_entry(writer, identity.epoch, seq)
            try:
                leaf = open_slip(octets, key).leaf
            except (FormatError, VerificationError):
                continue
            if entry is not None and leaf == leaf_hash(entry.octets):
                row = dict(zip(columns, (epoch, seq, octets, *visit), strict=True))
                writer.execute(models.Slip.insert(row).on_conflict_ignore())


def _copy(writer: Writer, model: type[Table], sources: Sequence[Remains]) -> None:
    """The rows of this machine's own, from the first source that has each."""
    meta = model._meta  # noqa: SLF001  # peewee's name for it
    for source in sources:
        there = set(source.columns(meta.table_name))
        fields = [field for name, field in meta.columns.items() if name in there]
        if not fields:
            continue
        names = [field.column_name for field in fields]
        quoted, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
        which = "REPLACE" if model in _REPLACED else "IGNORE"
        text = f'INSERT OR {which} INTO "{meta.table_name}" ({quoted}) VALUES ({marks})'  # noqa: S608 -- the model's names
        for row in source.rows(meta.table_name, names):
            if all(_holds(field, value) for field, value in zip(fields, row, strict=True)):
                writer.rows(text, *row)


def _holds(field: peewee.Field[object], value: object) -> bool:
    if value is None:
        return bool(field.null)
    return type(value) is _TYPES[field.field_type]
