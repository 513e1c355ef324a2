"""The log's tree in the database: its size, its hashes, and how it grows.

Nothing of it is kept in memory between transactions: what a transaction that failed had in
mind can never find its way into a root.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import peewee

from merchant_agent.central.log.waiting import Waiting
from merchant_agent.central.store.models import LogLeaf, LogTile
from merchant_agent.errors import FormatError, StoreCorruptError
from merchant_agent.evidence.merkle import HASH_BYTES, Frontier, ReadNode
from merchant_agent.evidence.tiles import HEIGHT, WIDTH, node_reader
from merchant_agent.store.store import Reader, Writer

_LEAF_COLUMNS = ("number", "leaf", "kind", "merchant", "issuer", "epoch", "seq")
_LAST = "SELECT MAX(number) FROM log_leaf"
_TILE = "SELECT octets FROM log_tile WHERE level = ? AND number = ?"


def tree_size(reader: Reader) -> int:
    """How many leaves were taken up, published or not."""
    [(last,)] = reader.rows(_LAST)
    return 0 if last is None else int(last) + 1


def read_tile(reader: Reader, level: int, number: int) -> bytes:
    """The tile as far as it is filled, which may be further than was published.

    Raises:
        StoreCorruptError: there is none.
    """
    rows = reader.rows(_TILE, level, number)
    if not rows:
        raise StoreCorruptError(f"log: the tile {level}/{number} is missing")
    return bytes(rows[0][0])


def root_of(reader: Reader, size: int) -> bytes:
    """The root over the first `size` leaves.

    Raises:
        StoreCorruptError: the tree is not that large, or has lost a tile.
    """
    with reading_nodes(reader) as nodes:
        return Frontier.load(size, nodes).root()


@contextmanager
def reading_nodes(reader: Reader) -> Iterator[ReadNode]:
    """Reads nodes of the tree in the block, for one root or proof.

    Raises:
        StoreCorruptError: a tile is missing, or shorter than the tree needs it.
    """
    try:
        yield node_reader(lambda level, number: read_tile(reader, level, number))
    except (LookupError, FormatError) as error:
        raise StoreCorruptError(f"log: {error}") from error


def extend(tx: Writer, leaves: Sequence[Waiting]) -> None:
    """Takes the leaves into the tree, in this order, behind those that it has.

    Raises:
        StoreCorruptError: a tile at the right edge is missing, or not filled as it should be.
        StoreConflictError: somebody else extended the tree at once.
    """
    size = tree_size(tx)
    with reading_nodes(tx) as nodes:
        frontier = Frontier.load(size, nodes)
    tiles = _Tiles(tx)
    for each in leaves:
        for level, index, node in frontier.append(each.leaf):
            if level % HEIGHT == 0:
                tiles.put(level // HEIGHT, index, node)
    tx.copy_rows(
        LogLeaf,
        _LEAF_COLUMNS,
        [
            (number, each.leaf, each.kind, each.merchant, each.issuer, each.epoch, each.seq)
            for number, each in enumerate(leaves, size)
        ],
    )
    tiles.save()


class _Tiles:
    """The tiles that an extension touches, each begun with what is stored of it."""

    def __init__(self, tx: Writer) -> None:
        self._tx = tx
        self._touched: dict[tuple[int, int], bytearray] = {}

    def put(self, level: int, index: int, node: bytes) -> None:
        """Adds the node `(8 * level, index)`, which is the next one of its level."""
        number, filled = divmod(index, WIDTH)
        tile = self._touched.get((level, number))
        if tile is None:
            tile = bytearray(read_tile(self._tx, level, number) if filled else b"")
            self._touched[level, number] = tile
        if len(tile) != filled * HASH_BYTES:
            raise StoreCorruptError(f"log: the tile {level}/{number} has {len(tile)} bytes before {index}")
        tile += node

    def save(self) -> None:
        """Writes them all."""
        rows = [
            {"level": level, "number": number, "octets": bytes(octets)}
            for (level, number), octets in self._touched.items()
        ]
        if rows:
            insert = LogTile.insert_many(rows)
            place = [LogTile.level, LogTile.number]
            filled = {LogTile.octets: peewee.EXCLUDED.octets}
            self._tx.execute(insert.on_conflict(conflict_target=place, update=filled))
