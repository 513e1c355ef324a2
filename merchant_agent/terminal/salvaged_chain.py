"""The records of one epoch as damaged files have them: in their tables, and in bare octets where no table has one.

Each must be signed by the epoch's key and follow the one before it; so it ends at the first that is found nowhere.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from merchant_agent.errors import FormatError, StoreConflictError, VerificationError
from merchant_agent.evidence.disclosure import digest
from merchant_agent.evidence.jws import Jws, Typ, decode_jws, link_of, verify_jws
from merchant_agent.evidence.record import decode_record, peek_record
from merchant_agent.store.remains import Remains, find_in_octets
from merchant_agent.store.store import Store
from merchant_agent.terminal.store import models
from merchant_agent.terminal.store.identity import Identity
from merchant_agent.terminal.store.journal import Journal
from merchant_agent.terminal.store.ledger import newest_record

_log = logging.getLogger(__name__)

_TOGETHER = 200
_RECORD = re.compile(rb"eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoi[\w-]{20,200}\.[\w-]{100,22000}\.[\w-]{86}")
_DISCLOSURE = re.compile(rb"WyI[\w-]{30,22000}")
_OVERRUN = 4


class SalvagedChain:
    """One epoch's records, taken from the first of `sources` that has each."""

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
