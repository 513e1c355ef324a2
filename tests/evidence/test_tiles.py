"""Tiles hold what the tree needs, under the paths that others expect."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError
from merchant_agent.evidence.merkle import (
    Frontier,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)
from merchant_agent.evidence.tiles import (
    HEIGHT,
    WIDTH,
    Tile,
    node_reader,
    parse_tile_path,
    split_tile,
    tile_path,
    tiles_of,
)

SIZES = (1, 2, 255, 256, 257, 700, 65_536, 65_537, 70_000)


class Tiles:
    """A tree of 70,000 leaves as tiles, with its root at each of `SIZES`."""

    def __init__(self) -> None:
        self.octets: dict[tuple[int, int], bytearray] = {}
        self.roots: dict[int, bytes] = {}
        self.leaves: list[bytes] = []
        frontier = Frontier()
        for number in range(max(SIZES)):
            leaf = hashlib.sha256(number.to_bytes(4)).digest()
            self.leaves.append(leaf)
            for level, index, node in frontier.append(leaf):
                if level % HEIGHT == 0:
                    self.octets.setdefault((level // HEIGHT, index >> HEIGHT), bytearray()).extend(node)
            if frontier.size in SIZES:
                self.roots[frontier.size] = frontier.root()

    def read(self, level: int, index: int) -> bytes:
        return bytes(self.octets[level, index])


@pytest.fixture(scope="module")
def tiles() -> Tiles:
    return Tiles()


@pytest.mark.parametrize("size", SIZES)
def test_proofs_come_out_of_tiles(tiles: Tiles, size: int) -> None:
    read = node_reader(tiles.read)
    assert Frontier.load(size, read).root() == tiles.roots[size]
    for index in {0, size // 2, size - 1}:
        path = prove_inclusion(read, index, size)
        verify_inclusion(tiles.leaves[index], index, size, tiles.roots[size], path)
    for old in [old for old in SIZES if old <= size]:
        proof = prove_consistency(read, old, size)
        verify_consistency(old, tiles.roots[old], size, tiles.roots[size], proof)


def test_example_of_the_specification(tiles: Tiles) -> None:
    # Source: C2SP tlog-tiles, "Partial Tiles": the tree of 70,000.
    found = list(tiles_of(70_000))
    assert sum(tile.width == WIDTH and tile.level == 0 for tile in found) == 273
    assert [(tile.level, tile.width) for tile in found if tile.width != WIDTH] == [(0, 112), (1, 17), (2, 1)]
    assert sum(tile.level == 1 and tile.width == WIDTH for tile in found) == 1
    assert list(tiles_of(256)) == [Tile(level=0, index=0, width=256), Tile(level=1, index=0, width=1)]
    assert len(tiles.read(0, 273)) == 112 * 32


@given(st.integers(0, 200_000), st.integers(0, 70_000))
def test_growth_names_exactly_the_tiles_that_changed(before: int, more: int) -> None:
    after = before + more
    grown = set(tiles_of(after)) - set(tiles_of(before))
    assert set(tiles_of(after, after=before)) == grown


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(level=0, index=1_234_067, width=WIDTH), "0/x001/x234/067"),
        (Tile(level=1, index=0, width=17), "1/000.p/17"),
        (Tile(level=7, index=999, width=255), "7/999.p/255"),
        (Tile(level=0, index=1000, width=WIDTH), "0/x001/000"),
    ],
)
def test_path_is_the_specified_one(tile: Tile, path: str) -> None:
    assert tile_path(tile) == path
    assert parse_tile_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        *("", "0", "0/", "/000", "00/000", "0/00", "0/0000", "0/x000/001", "0/001/067", "0/x1/067", "8/000"),
        *("0/000.p/", "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/-1", "0/٠٠٠", "0/000/", "-1/000"),
        *("0/000.p/1.p/1", "0/x" + "9" * 30 + "/000", "entries/000"),
    ],
)
def test_any_other_path_is_refused(path: str) -> None:
    with pytest.raises(FormatError):
        parse_tile_path(path)


@given(st.text(alphabet="0123456789x/.p-", max_size=24))
def test_paths_round_trip_or_are_refused(path: str) -> None:
    try:
        tile = parse_tile_path(path)
    except FormatError:
        return
    assert tile_path(tile) == path


@pytest.mark.parametrize("length", [1, 31, 33, 257 * 32])
def test_tile_of_a_wrong_length_is_refused(length: int) -> None:
    with pytest.raises(FormatError):
        split_tile(bytes(length))
