"""Tiles of central's log, kept in the data folder as they were fetched.

Nobody vouches for them: what is made of them is compared with a root that the log signed, and what
does not lead there is forgotten.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from merchant_agent.evidence.merkle import HASH_BYTES
from merchant_agent.evidence.tiles import HEIGHT, WIDTH, Tile, tile_path

_log = logging.getLogger(__name__)

TILES = "tiles"

# In memory, 8 KiB each.
_MOST_OPEN = 64

FetchTile = Callable[[Tile], bytes | None]
"""The octets of that tile as somebody has them; None where nobody can be asked."""


class MissingTileError(Exception):
    """A tile is neither kept nor to be had."""


class TileCache:
    """The tiles of a tree of `size` leaves: those kept in `folder`, and what `fetch` adds to them.

    `missed` tells whether one was to be had nowhere, `fetched` how many were fetched.
    """

    def __init__(self, folder: Path, size: int, fetch: FetchTile) -> None:
        self._folder = folder
        self._size = size
        self._fetch = fetch
        self._open: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self.missed = False
        self.fetched = 0

    def read(self, level: int, index: int) -> bytes:
        """The octets of a tile as wide as it is in the tree.

        Raises:
            MissingTileError: it is not to be had.
        """
        place = (level, index)
        if place in self._open:
            self._open.move_to_end(place)
            return self._open[place]
        octets = self._open[place] = self._load(self._tile(level, index))
        if len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)
        return octets

    def forget(self, places: Iterable[tuple[int, int]]) -> None:
        """Has these tiles be fetched anew the next time."""
        for level, index in places:
            self._open.pop((level, index), None)
            self._path(self._tile(level, index)).unlink(missing_ok=True)

    def _load(self, tile: Tile) -> bytes:
        path, length = self._path(tile), tile.width * HASH_BYTES
        if path.is_file():
            octets = path.read_bytes()
            if len(octets) == length:
                return octets
        fetched = self._fetch(tile)
        if fetched is None or len(fetched) != length:
            self.missed = True
            raise MissingTileError(tile_path(tile))
        self.fetched += 1
        self._keep(path, fetched)
        return fetched

    def _keep(self, path: Path, octets: bytes) -> None:
        """Not brought to the disk at once: what a power cut damages is fetched anew."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = path.with_name(f"{path.name}.new")
            draft.write_bytes(octets)
            draft.replace(path)
        except OSError as error:
            _log.warning("log: a tile was not kept: %s", error.strerror)

    def _tile(self, level: int, index: int) -> Tile:
        width = min(WIDTH, (self._size >> HEIGHT * level) - index * WIDTH)
        return Tile(level=level, index=index, width=width)

    def _path(self, tile: Tile) -> Path:
        return self._folder / tile_path(tile)
