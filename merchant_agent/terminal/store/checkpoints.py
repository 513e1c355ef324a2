"""The checkpoints of central's log that this terminal verified, and what contradicts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from merchant_agent.evidence.checkpoint import Checkpoint as Verified
from merchant_agent.evidence.fields import Anchor, LogHead
from merchant_agent.evidence.merkle import HASH_BYTES
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.store.models import Checkpoint, SplitView

# One pair proves it; a central that goes on lying must not fill the disk.
_MOST_SPLIT_VIEWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A kept checkpoint; `octets` are its note, `time` unix seconds."""

    size: int
    root: bytes
    time: int
    octets: bytes

    @property
    def log_head(self) -> LogHead:
        """As a batch names it."""
        return LogHead(size=self.size, root=encode_b64u(self.root))

    @property
    def anchor(self) -> Anchor:
        """As a record states it."""
        return Anchor(size=self.size, root=encode_b64u(self.root), time=self.time)


def newest_kept(reader: Reader) -> Kept | None:
    """The newest one, or None before the first."""
    row: Checkpoint | None = reader.first(Checkpoint.select().order_by(Checkpoint.size.desc()))
    if row is None:
        return None
    root = decode_b64u(row.root, length=HASH_BYTES)
    return Kept(size=row.size, root=root, time=row.time, octets=bytes(row.octets))


def newest_anchor(reader: Reader) -> Anchor | None:
    """What the next record states of the log, or None before the first checkpoint."""
    kept = newest_kept(reader)
    return None if kept is None else kept.anchor


def keep_checkpoint(writer: Writer, checkpoint: Verified, proof: Sequence[bytes]) -> Kept:
    """Makes it the newest one; `proof` leads to it from the one that was."""
    head = checkpoint.head
    kept = Kept(size=head.size, root=head.root, time=checkpoint.time, octets=checkpoint.octets)
    root, hashes = encode_b64u(kept.root), b"".join(proof)
    writer.execute(
        Checkpoint.insert(size=kept.size, root=root, time=kept.time, octets=kept.octets, proof=hashes)
    )
    return kept


def keep_split_view(writer: Writer, kept: Kept, shown: Verified, at: datetime) -> None:
    """Keeps two notes that contradict each other, each pair once."""
    row = {
        "kept_size": kept.size,
        "kept": kept.octets,
        "shown_size": shown.head.size,
        "shown": shown.octets,
        "at": at,
    }
    if count_split_views(writer) < _MOST_SPLIT_VIEWS:
        writer.execute(SplitView.insert(row).on_conflict_ignore())


def count_split_views(reader: Reader) -> int:
    """How many notes contradict what is kept."""
    return len(reader.all(SplitView.select(SplitView.number).tuples()))
