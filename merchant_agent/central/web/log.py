"""The log as everybody may read it: its newest checkpoint and the tiles of its hashes.

Records themselves are not served: hashes say nothing of what was said.
Source: C2SP tlog-tiles, without entry bundles.
"""

from __future__ import annotations

from flask import Blueprint, Response

from merchant_agent.central.log.checkpoints import is_published
from merchant_agent.central.log.tree import read_tile
from merchant_agent.central.services import Central
from merchant_agent.errors import FormatError, NotFoundError
from merchant_agent.evidence.merkle import HASH_BYTES
from merchant_agent.evidence.tiles import Tile, parse_tile_path

_FRESH = "public, max-age=1"
_FOR_EVER = "public, max-age=31536000, immutable"


def log_api(central: Central) -> Blueprint:
    """`/log/checkpoint` and `/log/tile/<level>/<number>[.p/<width>]`."""
    api = Blueprint("log_api", __name__, url_prefix="/log")

    @api.get("/checkpoint")
    def checkpoint() -> Response:
        newest = central.newest.find(central.store, central.clock)
        if newest is None:
            raise NotFoundError("log", "no checkpoint was published yet")
        return _answer(newest.octets, "text/plain; charset=utf-8", _FRESH)

    @api.get("/tile/<path:path>")
    def tile(path: str) -> Response:
        octets = _find_tile(central, _parse(path))
        return _answer(octets, "application/octet-stream", _FOR_EVER)

    return api


def _parse(path: str) -> Tile:
    try:
        return parse_tile_path(path)
    except FormatError as error:
        raise NotFoundError("tile", str(error)) from error


def _find_tile(central: Central, tile: Tile) -> bytes:
    """What was published of it: the tree may have grown since, or grow further before the next checkpoint."""
    with central.store.read() as reader:
        if not is_published(reader, tile):
            raise NotFoundError("tile", "no published tree has this tile")
        return read_tile(reader, tile.level, tile.index)[: tile.width * HASH_BYTES]


def _answer(octets: bytes, kind: str, caching: str) -> Response:
    answer = Response(octets, content_type=kind)
    answer.headers["Cache-Control"] = caching
    return answer
