"""Comparing two checkpoints of one log, by hashes that nobody vouches for.

The tiles come from central, or from whoever stands where it should be: they prove something
only where they lead to the root of the larger tree, which the log signed. If they do and do
not begin with the smaller one, the log signed two histories.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.merkle import HASH_BYTES, Frontier, prove_consistency, verify_consistency
from merchant_agent.evidence.tiles import HEIGHT, WIDTH, Tile, node_reader

# Two edges of a tree of 2^64 leaves take fewer.
_MOST_TILES = 32

FetchTile = Callable[[Tile], bytes]
"""The octets of that tile of the published tree."""


class ContradictionError(Exception):
    """The larger tree does not begin with the smaller one, and its own hashes show it."""


class UnprovenError(Exception):
    """The hashes do not lead to the root of the larger tree: they prove nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A tree by its number of leaves, at least 1, and the root that the log signed."""

    size: int
    root: bytes


def prove_growth(old: Tree, new: Tree, fetch: FetchTile) -> list[bytes]:
    """The hashes that prove that the tree of `new`, which is no smaller, begins with the one of `old`.

    What `fetch` raises passes through.

    Raises:
        ContradictionError: it does not.
        UnprovenError: the tiles are not those of `new`, or too many were needed.
    """
    if old.size == new.size:
        if old.root != new.root:
            raise ContradictionError(f"two roots for {old.size} leaves")
        return []
    read_node = node_reader(_reader(new.size, fetch))
    try:
        begins_with = Frontier.load(old.size, read_node).root()
        proof = prove_consistency(read_node, old.size, new.size)
        verify_consistency(old.size, begins_with, new.size, new.root, proof)
    except (FormatError, LookupError, VerificationError) as error:
        raise UnprovenError(str(error)) from error
    if begins_with != old.root:
        raise ContradictionError(f"{new.size} leaves do not begin with the {old.size} known ones")
    return proof


def _reader(size: int, fetch: FetchTile) -> Callable[[int, int], bytes]:
    """Reads tiles as wide as they are in a tree of that size, and not without an end."""
    read = 0

    def read_tile(level: int, index: int) -> bytes:
        nonlocal read
        read += 1
        if read > _MOST_TILES:
            raise UnprovenError("too many tiles")
        width = min(WIDTH, (size >> HEIGHT * level) - index * WIDTH)
        octets = fetch(Tile(level=level, index=index, width=width))
        if len(octets) != width * HASH_BYTES:
            raise UnprovenError(f"a tile of {len(octets)} octets")
        return octets

    return read_tile
