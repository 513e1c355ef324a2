"""What to send next: the oldest records that central has not confirmed, as one signed batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from merchant_agent.terminal.store.ledger import newest_record, read_ledger
from merchant_agent.terminal.upload.rejected import next_rejected

SOFTWARE = f"merchant-agent {__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Places `first` to `last` of an epoch, both included, and the ledger's newest in the same snapshot."""

    epoch: int
    first: int
    last: int
    newest: Newest


def next_span(  # noqa: PLR0913 -- a span has these bounds
    reader: Reader, *, head: Head, acked_seq: int, max_bytes: int, max_records: int, min_records: int = 1
) -> Span | None:
    """A rejected record that goes once more, else the oldest after the acknowledged one; None where none wait.

    `head` is the journal's. `max_bytes` bounds their lines before compression; `min_records` go,
    where there are so many, whatever the bounds.

    Raises:
        StoreCorruptError: the newest record is not the one that was signed; nothing may be announced.
    """
    epoch = head.epoch
    newest = _newest(reader, head)
    if newest is None:
        return None
    again = next_rejected(reader, epoch, acked_seq)
    if again is not None:
        return Span(epoch=epoch, first=again, last=again, newest=newest)
    if newest.seq <= acked_seq:
        return None
    first = acked_seq + 1
    bound = min(newest.seq, acked_seq + min(max(max_records, min_records), MAX_BATCH_RECORDS))
    last, size = first, 0
    for entry in read_ledger(reader, epoch=epoch, first_seq=first, last_seq=bound):
        size += len(entry.line()) + 1
        if size > max_bytes and entry.seq >= first + min_records:
            break
        last = entry.seq
    return Span(epoch=epoch, first=first, last=last, newest=newest)


def _newest(reader: Reader, head: Head) -> Newest | None:
    """The newest record as a batch announces it: a link of other octets would freeze the chain."""
    row = newest_record(reader, head.epoch)
    if row is None:
        return None
    link = link_of(row.octets)
    if link != row.link or (row.seq == head.seq and link != head.link):
        raise StoreCorruptError(f"the newest record, seq {row.seq}, is not the one that was signed")
    return Newest(seq=row.seq, link=link)


def record_lines(reader: Reader, epoch: int, first: int, last: int) -> list[bytes]:
    """The records of those places as they travel, with what is still disclosed of them."""
    return [entry.line() for entry in read_ledger(reader, epoch=epoch, first_seq=first, last_seq=last)]


def make_batch(  # noqa: PLR0913 -- a batch has these parts
    key: SigningKey,
    issuer: str,
    span: Span,
    lines: Sequence[bytes],
    *,
    nonce: str,
    reading: Reading,
    checkpoint: LogHead | None,
) -> tuple[Batch, bytes]:
    """The batch over the span with a fresh `client_nonce`, and its signed octets.

    `nonce` is central's, `checkpoint` the newest one that this terminal verified.
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
    return batch, sign_batch(key, batch)


def upload_body(batch: Batch, octets: bytes, lines: Sequence[bytes]) -> bytes | None:
    """The body of the batch's request; None where the lines are no longer those that it was signed over."""
    return encode_upload(octets, lines) if digest_lines(lines) == batch.lines else None
