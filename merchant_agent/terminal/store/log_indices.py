"""Where this terminal's records stand in central's log, by central's word; a proof shows whether that is so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import peewee

from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.store.models import LedgerRecord, LogIndex, Slip


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A record's octets, and the number of its leaf."""

    epoch: int
    seq: int
    octets: bytes
    number: int


def newest_seq(reader: Reader, epoch: int) -> int:
    """The newest seq of the epoch's ledger; -1 before the first."""
    newest = reader.scalar(
        LedgerRecord.select(peewee.fn.MAX(LedgerRecord.seq)).where(LedgerRecord.epoch == epoch)
    )
    return -1 if newest is None else int(newest)


def newest_index(reader: Reader, epoch: int) -> int:
    """The newest seq of the epoch whose number is kept; -1 before the first."""
    newest = reader.scalar(LogIndex.select(peewee.fn.MAX(LogIndex.seq)).where(LogIndex.epoch == epoch))
    return -1 if newest is None else int(newest)


def keep_indices(writer: Writer, epoch: int, numbers: Sequence[tuple[int, int]]) -> None:
    """Keeps the numbers of these seqs."""
    rows = [{"epoch": epoch, "seq": seq, "number": number} for seq, number in numbers]
    writer.execute(LogIndex.insert_many(rows).on_conflict_replace())


def logged_records(reader: Reader, size: int) -> Iterator[Logged]:
    """The newest record of each epoch that stands among the first `size` leaves, and every one there with a slip.

    In the order of their places, one by one in flat memory.
    """
    place = (LogIndex.epoch, LogIndex.seq)
    wanted = Slip.seq.is_null(is_null=False)
    for epoch, seq in _newest(reader, size):
        wanted |= (LogIndex.epoch == epoch) & (LogIndex.seq == seq)
    query = (
        LedgerRecord.select(*place, LedgerRecord.octets, LogIndex.number)
        .join(LogIndex, on=_same(LogIndex))
        .join(Slip, peewee.JOIN.LEFT_OUTER, on=_same(Slip))
        .where((LogIndex.number < size) & wanted)
        .order_by(*place)
    )
    for epoch, seq, octets, number in reader.iterate(query.tuples()):
        yield Logged(epoch=epoch, seq=seq, octets=bytes(octets), number=number)


def _newest(reader: Reader, size: int) -> Iterable[tuple[int, int]]:
    query = (
        LogIndex.select(LogIndex.epoch, peewee.fn.MAX(LogIndex.seq))
        .where(LogIndex.number < size)
        .group_by(LogIndex.epoch)
    )
    return [(int(epoch), int(seq)) for epoch, seq in reader.all(query.tuples())]


def _same(table: type[LogIndex | Slip]) -> peewee.Expression:
    return (table.epoch == LedgerRecord.epoch) & (table.seq == LedgerRecord.seq)
