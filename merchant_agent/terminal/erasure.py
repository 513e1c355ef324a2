"""Erasing what customers wrote: the words go, the records and all that is proven of them stay.

The disclosures and their copies in the pages' tables go in the transaction that signs the `erase`
record; the database overwrites what it deletes. Nightly backups have them for as many nights as
backups are kept.

Source: PROTOCOL.md, "Disclosures".
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import peewee

from merchant_agent.errors import (
    ConflictError,
    FormatError,
    InvalidError,
    NotFoundError,
    StoreLockedError,
)
from merchant_agent.evidence.bodies import EraseBody, Kind
from merchant_agent.evidence.exchange import decode_ack
from merchant_agent.evidence.fields import Place, parse_at
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash
from merchant_agent.evidence.query_code import parse_query_code, query_code
from merchant_agent.evidence.record import decode_record
from merchant_agent.store.credentials import audit
from merchant_agent.store.fields import to_ms
from merchant_agent.store.store import Reader
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.appending import JournalWriter
from merchant_agent.terminal.store.identity import load_identities
from merchant_agent.terminal.store.ledger import read_ledger
from merchant_agent.terminal.store.models import Erasure, LedgerDisclosure, LedgerRecord, SentBatch

_log = logging.getLogger(__name__)

Reason = Literal["request", "retention"]

_TOGETHER = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was erased of the record at `place`, by name; `query_code` is that record's."""

    place: Place
    query_code: str
    members: tuple[str, ...]


def find_by_code(terminal: Terminal, text: str) -> Place:
    """The record that has words or a contact and this query code, as people type it.

    Raises:
        ConflictError: "query-code", when several records share it.
        InvalidError: "query-code", when it is mistyped.
        NotFoundError: "query-code": no record has it, or nothing is left of its words.
        StartError: the terminal is not enrolled.
    """
    try:
        code = parse_query_code(text)
    except FormatError as error:
        raise InvalidError("query-code", str(error)) from error
    issuer = terminal.journal.identity.issuer
    with terminal.store.read() as reader:
        found = [
            Place(issuer=issuer, epoch=epoch, seq=seq)
            for epoch, seq, octets in reader.iterate(_disclosed().tuples())
            if query_code(leaf_hash(octets)) == code
        ]
    if not found:
        raise NotFoundError("query-code", "no record with words has that code")
    if len(found) > 1:
        raise ConflictError("query-code", "several records have that code")
    return found[0]


def erase(
    terminal: Terminal,
    place: Place,
    *,
    who: str,
    members: Collection[str] | None = None,
    reason: Reason = "request",
) -> Erased:
    """Erases these members of the record at `place`, all of them unless named; gone for good on return.

    Raises:
        NotFoundError: "record", where nothing of that is there.
        StartError: the terminal is not enrolled.
        StoreError: nothing was erased.
    """
    with terminal.journal.write() as writer:
        erased = _erase_in(writer, place, members, reason)
        detail = f"{place.epoch}.{place.seq} {' '.join(erased.members)}"
        audit(writer, at=terminal.clock.now(), who=who, what="erased", detail=detail)
    _scrub(terminal)
    return erased


def erase_old(terminal: Terminal) -> int:
    """Erases what is older than the setting `retention_days`; of how many records.

    The clock of a till may stand anywhere: it is now what central last said, if that is earlier,
    and nothing is older than its grant or than the checkpoint that it is anchored to.

    Raises:
        StoreError: the rest is left for the next time.
    """
    if not terminal.journal.enrolled:
        return 0
    with terminal.store.read() as reader:
        heard = heard_at(reader)
        due = [] if heard is None else list(_due(terminal, reader, min(heard, terminal.clock.now())))
    for start in range(0, len(due), _TOGETHER):
        with terminal.journal.write() as writer:
            for place in due[start : start + _TOGETHER]:
                _erase_in(writer, place, None, "retention")
    if due:
        _log.info("erased the words of %d records that are older than retention_days", len(due))
        _scrub(terminal)
    return len(due)


def erased_members(reader: Reader, epoch: int, seq: int) -> frozenset[str]:
    """What was ever erased of the record at that place, by name."""
    told = (Erasure.told_epoch == epoch) & (Erasure.told_seq == seq)
    rows = reader.all(Erasure.select(Erasure.members).where(told).tuples())
    return frozenset(name for (members,) in rows for name in members)


def _erase_in(writer: JournalWriter, place: Place, members: Collection[str] | None, reason: Reason) -> Erased:
    row = LedgerDisclosure
    here = (row.epoch == place.epoch) & (row.seq == place.seq)
    names = [name for (name,) in writer.all(row.select(row.name).where(here).order_by(row.name).tuples())]
    erased = tuple(name for name in names if members is None or name in members)
    if not erased:
        raise NotFoundError("record", "nothing that could be erased stands there")
    writer.execute(row.delete().where(here & row.name.in_(erased)))
    writer.append(Kind.ERASE, EraseBody(place=place, members=erased, reason=reason))
    entry = next(read_ledger(writer, epoch=place.epoch, first_seq=place.seq, last_seq=place.seq))
    return Erased(place=place, query_code=query_code(leaf_hash(entry.octets)), members=erased)


def _scrub(terminal: Terminal) -> None:
    """Brings it out of the write-ahead log too; where readers hold it up, the schedule does that soon."""
    try:
        terminal.store.checkpoint(truncate=True)
    except StoreLockedError:
        _log.info("erased words leave the write-ahead log with the next checkpoint")


def _due(terminal: Terminal, reader: Reader, now: datetime) -> Iterator[Place]:
    before = now - timedelta(days=terminal.settings.retention_days)
    issuer = terminal.journal.identity.issuer
    granted = {each.epoch: parse_at(each.grant.at) for each in load_identities(reader)}
    # A record from the future bears the time of a wrong clock.
    candidates = _disclosed().where((LedgerRecord.at < before) | (LedgerRecord.at > now))
    for epoch, seq, octets in reader.iterate(candidates.tuples()):
        if _is_before(octets, before, now, granted[epoch]):
            yield Place(issuer=issuer, epoch=epoch, seq=seq)


def _is_before(octets: bytes, before: datetime, now: datetime, granted_at: datetime) -> bool:
    """Whether the record was surely signed before that."""
    record = decode_record(decode_jws(octets, Typ.RECORD).payload)
    at = parse_at(record.at)
    known = [granted_at] if at > now else [granted_at, at]
    anchored_ms = 0 if record.anchor is None else record.anchor.time * 1000
    return max(*map(to_ms, known), anchored_ms) < to_ms(before)


def heard_at(reader: Reader) -> datetime | None:
    """The time by central's clock when it last answered; None before it did."""
    answered = SentBatch.ack.is_null(is_null=False)
    octets = reader.scalar(
        SentBatch.select(SentBatch.ack).where(answered).order_by(SentBatch.number.desc()).limit(1)
    )
    return None if octets is None else parse_at(decode_ack(decode_jws(octets, Typ.ACK).payload).now)


def _disclosed() -> peewee.ModelSelect[LedgerRecord]:
    """Rows (epoch, seq, octets) of the records that something is still disclosed of, in their order."""
    same = (LedgerDisclosure.epoch == LedgerRecord.epoch) & (LedgerDisclosure.seq == LedgerRecord.seq)
    return (
        LedgerRecord.select(LedgerRecord.epoch, LedgerRecord.seq, LedgerRecord.octets)
        .join(LedgerDisclosure, on=same)
        .order_by(LedgerRecord.epoch, LedgerRecord.seq)
        .distinct()
    )
