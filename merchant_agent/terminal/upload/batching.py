"""What to send next: the oldest records that central has not confirmed, as one signed batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from merchant_agent import __version__
from merchant_agent.clock import Reading, format_at
from merchant_agent.errors import StoreCorruptError
from merchant_agent.evidence.exchange import (
    MAX_BATCH_RECORDS,
    Batch,
    Newest,
    digest_lines,
    encode_upload,
    sign_batch,
)
from merchant_agent.evidence.fields import Head, LogHead
from merchant_agent.evidence.grant import new_nonce
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.store.store import Reader
from merchant_agent.terminal.store.ledger import Entry, newest_record, read_ledger
from merchant_agent.terminal.upload.rejected import next_rejected
from merchant_agent.terminal.upload.stubs import next_stubbed, stubs_between

SOFTWARE = f"merchant-agent {__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Places `first` to `last` of an epoch, both included, and the ledger's newest in the same snapshot.

    `is_whole` where a record that went as a stub goes itself.
    """

    epoch: int
    first: int
    last: int
    newest: Newest
    is_whole: bool = False


def next_span(  # noqa: PLR0913 -- a span has these bounds
    reader: Reader,
    epoch: int,
    *,
    head: Head | None,
    acked_seq: int,
    now: datetime,
    max_bytes: int,
    max_records: int,
    min_records: int = 1,
) -> Span | None:
    """A record that goes once more, else the oldest after the acknowledged one; None where none wait.

    `head` is the journal's, None for an epoch that is over. `max_bytes` bounds their lines before compression; `min_records` go,
    where there are so many, whatever the bounds.

    Raises:
        StoreCorruptError: the newest record is not the one that was signed; nothing may be announced.
    """
    newest = _newest(reader, epoch, head)
    if newest is None:
        return None
    again = next_rejected(reader, epoch, acked_seq)
    if again is not None:
        return Span(epoch=epoch, first=again, last=again, newest=newest)
    whole = next_stubbed(reader, epoch, acked_seq, now)
    if whole is not None:
        return Span(epoch=epoch, first=whole, last=whole, newest=newest, is_whole=True)
    if newest.seq <= acked_seq:
        return None
    first = acked_seq + 1
    bound = min(newest.seq, acked_seq + min(max(max_records, min_records), MAX_BATCH_RECORDS))
    last, size = first, 0
    for entry, line in _lines(reader, epoch, first, bound):
        size += len(line) + 1
        if size > max_bytes and entry.seq >= first + min_records:
            break
        last = entry.seq
    return Span(epoch=epoch, first=first, last=last, newest=newest)


def _newest(reader: Reader, epoch: int, head: Head | None) -> Newest | None:
    """The newest record as a batch announces it: a link of other octets would freeze the chain."""
    row = newest_record(reader, epoch)
    if row is None:
        return None
    link = link_of(row.octets)
    if link != row.link or (head is not None and row.seq == head.seq and link != head.link):
        raise StoreCorruptError(f"the newest record, seq {row.seq}, is not the one that was signed")
    return Newest(seq=row.seq, link=link)


def record_lines(reader: Reader, epoch: int, first: int, last: int, *, is_whole: bool = False) -> list[bytes]:
    """The records of those places as they travel, with what is still disclosed of them.

    Stubs stand for those that were too large, unless they go `is_whole`.
    """
    if is_whole:
        return [entry.line() for entry in read_ledger(reader, epoch=epoch, first_seq=first, last_seq=last)]
    return [line for _, line in _lines(reader, epoch, first, last)]


def _lines(reader: Reader, epoch: int, first: int, last: int) -> Iterator[tuple[Entry, bytes]]:
    stubs = stubs_between(reader, epoch, first, last)
    for entry in read_ledger(reader, epoch=epoch, first_seq=first, last_seq=last):
        yield entry, stubs.get(entry.seq) or entry.line()


def make_batch(  # noqa: PLR0913 -- a batch has these parts
    key: SigningKey,
    signer: int,
    issuer: str,
    span: Span,
    lines: Sequence[bytes],
    *,
    nonce: str,
    reading: Reading,
    checkpoint: LogHead | None,
) -> tuple[Batch, bytes]:
    """The batch over the span with a fresh `client_nonce`, and its signed octets.

    `signer` is the key's epoch, `nonce` central's for the records' epoch, `checkpoint` the newest one that this terminal verified.
    """
    batch = Batch(
        issuer=issuer,
        epoch=span.epoch,
        from_=span.first,
        to=span.last,
        newest=span.newest,
        lines=digest_lines(lines),
        nonce=nonce,
        client_nonce=new_nonce(),
        at=format_at(reading.at),
        boot=reading.boot,
        uptime_ms=reading.uptime_ms,
        checkpoint=checkpoint,
        software=SOFTWARE,
    )
    return batch, sign_batch(key, batch, signer)


def upload_body(batch: Batch, octets: bytes, lines: Sequence[bytes]) -> bytes | None:
    """The body of the batch's request; None where the lines are no longer those that it was signed over."""
    return encode_upload(octets, lines) if digest_lines(lines) == batch.lines else None
