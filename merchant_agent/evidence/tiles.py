"""Tiles: the log's hashes in files of 256, from which anybody can compute any proof.

The tile `(level, index)` holds the nodes `(8 * level, 256 * index + i)` of the tree.

Source: C2SP tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from merchant_agent.errors import FormatError
from merchant_agent.evidence.merkle import HASH_BYTES, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
_MAX_LEVEL = 7  # 2^64 leaves
_MAX_INDEX_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Which tile, and how many of its hashes: `width` is 256 for a full one."""

    level: int
    index: int
    width: int


ReadTile = Callable[[int, int], bytes]
"""The octets of the tile `(level, index)` as far as it is filled."""


def tile_path(tile: Tile) -> str:
    """Where a tile is served, below `tile/`: as `0/x001/x234/067` or `1/000.p/17`."""
    digits = str(tile.index).zfill(3)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    partial = "" if tile.width == WIDTH else f".p/{tile.width}"
    return f"{tile.level}/{name}{partial}"


def parse_tile_path(path: str) -> Tile:
    """The tile that a path names.

    Raises:
        FormatError: no path that `tile_path` makes.
    """
    level, _, rest = path.partition("/")
    name, _, width = rest.partition(".p/")
    digits = name.replace("/", "").replace("x", "")
    for text in (level, digits, width or "0"):
        if not (text.isascii() and text.isdigit() and len(text) <= _MAX_INDEX_DIGITS):
            raise FormatError("tile: not the path of a tile")
    tile = Tile(level=int(level), index=int(digits), width=int(width) if width else WIDTH)
    if tile.level > _MAX_LEVEL or not 1 <= tile.width <= WIDTH or tile_path(tile) != path:
        raise FormatError("tile: not the path of a tile")
    return tile


def tiles_of(size: int, *, after: int = 0) -> Iterator[Tile]:
    """The tiles, partial ones included, that a tree of `size` leaves has and one of `after` has not."""
    level = 0
    while size >> HEIGHT * level:
        now, before = size >> HEIGHT * level, after >> HEIGHT * level
        if now != before:
            for index in range(before >> HEIGHT, (now - 1 >> HEIGHT) + 1):
                yield Tile(level=level, index=index, width=min(WIDTH, now - (index << HEIGHT)))
        level += 1


def node_reader(read_tile: ReadTile) -> Callable[[int, int], bytes]:
    """Reads nodes of the tree out of tiles; to be used for one proof, since it keeps the tiles it read."""
    kept: dict[tuple[int, int], bytes] = {}

    def read_node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, HEIGHT)
        first = index << height
        place = (tile_level, first >> HEIGHT)
        if place not in kept:
            kept[place] = read_tile(*place)
        start = first % WIDTH
        return _subtree(kept[place], start, 1 << height)

    return read_node


def _subtree(octets: bytes, start: int, count: int) -> bytes:
    """The root over `count` (a power of two) hashes of a tile."""
    hashes = split_tile(octets)[start : start + count]
    if len(hashes) != count:
        raise LookupError("the tile is not filled that far")
    while len(hashes) > 1:
        hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def split_tile(octets: bytes) -> list[bytes]:
    """The hashes of a tile.

    Raises:
        FormatError: no whole number of hashes, or more than 256.
    """
    count, rest = divmod(len(octets), HASH_BYTES)
    if rest or count > WIDTH:
        raise FormatError(f"tile: {len(octets)} bytes")
    return [octets[start : start + HASH_BYTES] for start in range(0, len(octets), HASH_BYTES)]
