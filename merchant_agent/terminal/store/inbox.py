"""What central says about this shop, as it was verified: its chain, the records that are told, contradictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from merchant_agent.evidence.bodies import Kind
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.fields import Head, Place
from merchant_agent.evidence.grant import Grant, decode_grant
from merchant_agent.evidence.jws import Typ, decode_jws, link_of
from merchant_agent.evidence.record import Record, decode_record
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.store.models import InboxChain, InboxContradiction, InboxRecord

# One proves it; a central that goes on lying must not fill the disk.
_MOST_CONTRADICTIONS = 100
_TO_DO = frozenset({Kind.ERASE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A record that central told, with its octets."""

    record: Record
    octets: bytes


def kept_grant(reader: Reader) -> bytes | None:
    """The grant of central's chain about this shop, as its root key signed it; None before the first record."""
    octets = reader.scalar(InboxChain.select(InboxChain.grant))
    return None if octets is None else bytes(octets)


def resume_chain(reader: Reader, grant_octets: bytes) -> Chain:
    """Central's chain at the newest record that is kept."""
    grant = _grant(grant_octets)
    newest: InboxRecord | None = reader.first(InboxRecord.select().order_by(InboxRecord.seq.desc()))
    if newest is None:
        return Chain.begin(grant_octets, grant)
    octets = bytes(newest.octets)
    record = decode_record(decode_jws(octets, Typ.RECORD).payload)
    head = Head(epoch=record.epoch, seq=record.seq, link=link_of(octets))
    return Chain.resume(
        *(grant.issuer, grant.epoch, grant.verifying_key(), head, record.totals),
        role=grant.role,
        anchor=record.anchor,
    )


def keep_told(writer: Writer, grant_octets: bytes, told: Sequence[Told], at: datetime) -> None:
    """Keeps the records, which follow those that are kept, and the grant that their chain begins with."""
    grant = _grant(grant_octets)
    chain = {"issuer": grant.issuer, "epoch": grant.epoch, "grant": grant_octets}
    writer.execute(InboxChain.insert(chain).on_conflict_ignore())
    for one in told:
        row = {
            "epoch": one.record.epoch,
            "seq": one.record.seq,
            "kind": one.record.kind.value,
            "octets": one.octets,
            "received_at": at,
            "done": one.record.kind not in _TO_DO,
        }
        writer.execute(InboxRecord.insert(row))


def keep_contradiction(writer: Writer, octets: bytes, rule: str, at: datetime) -> None:
    """Keeps what central signed and what cannot be true beside what is kept, each once."""
    if len(writer.all(InboxContradiction.select(InboxContradiction.number).tuples())) < _MOST_CONTRADICTIONS:
        row = {"octets": octets, "rule": rule, "at": at}
        writer.execute(InboxContradiction.insert(row).on_conflict_ignore())


def newest_told(reader: Reader, kinds: Sequence[Kind], *, most: int) -> list[Told]:
    """The kept records of these kinds, the newest first."""
    named = InboxRecord.kind.in_([kind.value for kind in kinds])
    rows = reader.all(InboxRecord.select().where(named).order_by(InboxRecord.seq.desc()).limit(most))
    return [_told(bytes(row.octets)) for row in rows]


def find_told(reader: Reader, seq: int) -> Told | None:
    """The kept record at this seq of central's chain."""
    octets = reader.scalar(InboxRecord.select(InboxRecord.octets).where(InboxRecord.seq == seq))
    return None if octets is None else _told(bytes(octets))


def to_do(reader: Reader) -> list[Told]:
    """The records that ask this machine to do something which is not done yet, the oldest first."""
    waits = InboxRecord.done == False  # noqa: E712 -- SQL
    rows = reader.all(InboxRecord.select().where(waits).order_by(InboxRecord.seq))
    return [_told(bytes(row.octets)) for row in rows]


def mark_done(writer: Writer, place: Place) -> None:
    """What that record asks for was done."""
    here = (InboxRecord.epoch == place.epoch) & (InboxRecord.seq == place.seq)
    writer.execute(InboxRecord.update({InboxRecord.done: True}).where(here))


def _told(octets: bytes) -> Told:
    return Told(record=decode_record(decode_jws(octets, Typ.RECORD).payload), octets=octets)


def _grant(octets: bytes) -> Grant:
    return decode_grant(decode_jws(octets, Typ.GRANT).payload)
