"""Fetching tiles of central's log for one export."""

from __future__ import annotations

from merchant_agent.evidence.tiles import Tile, tile_path
from merchant_agent.terminal.upload.client import Client, NoAnswer

_OK = 200
# 160 MiB; what is fetched is kept, and the next export goes on from there.
_MOST_TILES = 20_000


class TileSource:
    """The log of the central at address `base`; asks nobody any more after a request without an answer.

    `unreachable` tells of that.
    """

    def __init__(self, client: Client, base: str) -> None:
        self._client = client
        self._base = base
        self._left = _MOST_TILES if base else 0
        self.unreachable = not base

    def __call__(self, tile: Tile) -> bytes | None:
        """The octets of a tile; None where it is not to be had."""
        if self.unreachable or self._left == 0:
            return None
        self._left -= 1
        answer = self._client.get(f"{self._base}/log/tile/{tile_path(tile)}")
        if isinstance(answer, NoAnswer):
            self.unreachable = True
            return None
        return answer.body if answer.status == _OK else None
