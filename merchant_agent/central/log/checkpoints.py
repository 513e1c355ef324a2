"""Published checkpoints: the newest, the first that holds a leaf, and which tiles they let one ask for.

Of each size the first and the newest one are kept: the first says by when its leaves were in
the log, the newest that nothing came since.
"""

from __future__ import annotations

from dataclasses import dataclass

from merchant_agent.central.log.silence import note_silence
from merchant_agent.central.store.models import LogCheckpoint
from merchant_agent.clock import Clock
from merchant_agent.evidence.checkpoint import decode_tree_head
from merchant_agent.evidence.fields import LogHead
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.tiles import HEIGHT, WIDTH, Tile
from merchant_agent.store.store import Reader, Store, Writer

_SELECT = "SELECT size, octets, time, renewed, renewed_time FROM log_checkpoint"
_NEWEST = f"{_SELECT} ORDER BY size DESC LIMIT 1"
_FROM = f"{_SELECT} WHERE size >= ? ORDER BY size LIMIT 1"
_OF = f"{_SELECT} WHERE size = ?"
_REMEMBERED_S = 1.0
_MAX_SIZE = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A checkpoint that is out: `octets` are its note, `time` its cosignature's (unix seconds)."""

    size: int
    root: bytes
    time: int
    octets: bytes

    @property
    def log_head(self) -> LogHead | None:
        """What an acknowledgement says of it; None for the empty log."""
        return LogHead(size=self.size, root=encode_b64u(self.root)) if self.size else None


def newest_checkpoint(reader: Reader) -> Published | None:
    """The newest one; None before the first."""
    rows = reader.rows(_NEWEST)
    return _newer(rows[0]) if rows else None


def first_checkpoint_with(reader: Reader, number: int) -> Published | None:
    """The first one in which the leaf of that number stood; None while none does."""
    rows = reader.rows(_FROM, number + 1)
    return _first(rows[0]) if rows else None


def checkpoint_of(reader: Reader, size: int) -> Published | None:
    """The newest one of exactly that size."""
    rows = reader.rows(_OF, size)
    return _newer(rows[0]) if rows else None


def is_published(reader: Reader, tile: Tile) -> bool:
    """Whether the tile is full in the newest tree, or was exactly that wide in one that was published."""
    step = 1 << HEIGHT * tile.level
    size = (tile.index * WIDTH + tile.width) * step
    rows = reader.rows(_FROM, size) if size <= _MAX_SIZE else []
    if not rows:
        return False
    return tile.width == WIDTH or bool(rows[0][0] < size + step)


def keep_published(tx: Writer, size: int, octets: bytes, time: int) -> None:
    """Publishes the checkpoint when `tx` is committed, unless it or a newer one of its size is out."""
    note_silence(tx, time)
    out = checkpoint_of(tx, size)
    if out is None:
        tx.copy_rows(LogCheckpoint, ("size", "octets", "time"), [(size, octets, time)])
    elif out.time < time:
        renewed = LogCheckpoint.update(renewed=octets, renewed_time=time)
        tx.execute(renewed.where(LogCheckpoint.size == size))


class NewestCheckpoint:
    """The newest checkpoint, looked up once a second at most; for all threads of a process."""

    def __init__(self) -> None:
        self._known: tuple[float, Published | None] | None = None

    def find(self, store: Store, clock: Clock) -> Published | None:
        """The newest one, or one that was it a second ago."""
        now, known = clock.mono(), self._known
        if known is not None and now - known[0] < _REMEMBERED_S:
            return known[1]
        with store.read() as reader:
            newest = newest_checkpoint(reader)
        self._known = (now, newest)
        return newest

    def forget(self) -> None:
        """Has the next one look it up: there is a newer one."""
        self._known = None


_Row = tuple[int, bytes, int, bytes | None, int | None]


def _first(row: _Row) -> Published:
    return _published(row[0], row[1], row[2])


def _newer(row: _Row) -> Published:
    size, octets, time, renewed, renewed_time = row
    if renewed is None or renewed_time is None:
        return _published(size, octets, time)
    return _published(size, renewed, renewed_time)


def _published(size: int, octets: bytes, time: int) -> Published:
    octets = bytes(octets)
    text, _, _ = octets.partition(b"\n\n")
    return Published(size=size, root=decode_tree_head(text.decode() + "\n").root, time=time, octets=octets)
