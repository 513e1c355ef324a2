"""What a rating with its prompt costs on the way to central, in uploads of 100 records as a terminal makes them."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path

from merchant_agent.clock import SystemClock
from merchant_agent.evidence.exchange import encode_upload
from merchant_agent.store.store import Reader
from merchant_agent.terminal.upload.batching import make_batch, next_span, record_lines
from tests.bench.report import Figure, Scale
from tests.bench.reviews import real_reviews, where_from
from tests.enrolled import EnrolledJournal, ask, enrolled_journal, rate

_RECORDS = 100
_BAR_BYTES = 700


def measure(scale: Scale) -> list[Figure]:
    """Sales that are all rated, with words as customers write them."""
    customers = 5_000 if scale.full else 1_000
    with (
        tempfile.TemporaryDirectory(prefix="merchant-agent-bench-") as folder,
        enrolled_journal(Path(folder), SystemClock()) as terminal,
    ):
        for review in real_reviews(customers):
            rate(terminal.journal, ask(terminal.journal), level=review.level, comment=review.comment)
        with terminal.store.read() as reader:
            bodies = list(_bodies(terminal, reader))
    packed = sum(len(gzip.compress(body, mtime=0)) for body in bodies) / customers
    plain = sum(len(body) for body in bodies) / customers
    return [
        Figure(
            what=f"bytes a rating with its prompt, gzip, {_RECORDS} records an upload",
            measured=f"{packed:.0f}",
            reference=f"{plain:.0f} before compression; {where_from()}",
            bar=f"at most {_BAR_BYTES}",
            met=packed <= _BAR_BYTES,
        )
    ]


def _bodies(terminal: EnrolledJournal, reader: Reader) -> Iterator[bytes]:
    identity = terminal.journal.identity
    head = terminal.journal.head
    assert head is not None
    acked = -1
    while span := next_span(
        reader,
        identity.epoch,
        head=head,
        acked_seq=acked,
        now=terminal.clock.now(),
        max_bytes=1 << 20,
        max_records=_RECORDS,
    ):
        lines = record_lines(reader, span.epoch, span.first, span.last)
        reading = terminal.clock.read()
        _, octets = make_batch(
            terminal.journal.key,
            identity.epoch,
            identity.issuer,
            span,
            lines,
            nonce=identity.grant.nonce,
            reading=reading,
            checkpoint=None,
        )
        yield encode_upload(octets, lines)
        acked = span.last
