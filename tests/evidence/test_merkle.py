"""The tree against the definition in RFC 6962, and against forged proofs."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import VerificationError
from merchant_agent.evidence.merkle import (
    EMPTY_ROOT,
    Frontier,
    complete_subtrees,
    node_hash,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [hashlib.sha256(bytes([0, number])).digest() for number in range(70)]


class Tree:
    """A whole tree in memory, grown leaf by leaf."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        frontier = Frontier()
        for leaf in leaves:
            self.nodes |= {(level, index): node for level, index, node in frontier.append(leaf)}
        self.root = frontier.root()

    def read(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


TREE = Tree(LEAVES)


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, written as it is defined."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    cut = 1
    while cut * 2 < len(leaves):
        cut *= 2
    return node_hash(defined_root(leaves[:cut]), defined_root(leaves[cut:]))


@pytest.mark.parametrize("size", range(70))
def test_root_is_the_defined_one(size: int) -> None:
    assert Tree(LEAVES[:size]).root == defined_root(LEAVES[:size])
    assert Frontier.load(size, TREE.read).root() == defined_root(LEAVES[:size])


def test_published_roots_of_the_certificate_transparency_tests() -> None:
    # Source: certificate-transparency-go, merkletree tests: the eight inputs and their roots.
    inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    leaves = [hashlib.sha256(b"\0" + bytes.fromhex(text)).digest() for text in inputs]
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Tree(leaves[:1]).root.hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert Tree(leaves).root.hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_every_leaf_of_every_size_is_proven_and_no_other() -> None:
    for size in range(1, 40):
        root = defined_root(LEAVES[:size])
        for index in range(size):
            path = prove_inclusion(TREE.read, index, size)
            verify_inclusion(LEAVES[index], index, size, root, path)
            for other in (index - 1, index + 1, size):
                with pytest.raises(VerificationError, match="V14"):
                    verify_inclusion(LEAVES[index], other, size, root, path)


def test_every_pair_of_sizes_is_consistent() -> None:
    for new in range(40):
        for old in range(new + 1):
            proof = prove_consistency(TREE.read, old, new)
            verify_consistency(old, defined_root(LEAVES[:old]), new, defined_root(LEAVES[:new]), proof)


def test_split_view_is_refused_at_every_pair_of_sizes() -> None:
    forked = [*LEAVES[:5], hashlib.sha256(b"forked").digest(), *LEAVES[6:]]
    for new in range(6, 30):
        for old in range(6, new + 1):
            proof = prove_consistency(Tree(forked).read, old, new)
            old_root, new_root = defined_root(LEAVES[:old]), defined_root(forked[:new])
            with pytest.raises(VerificationError, match="V14"):
                verify_consistency(old, old_root, new, new_root, proof)


@given(st.data())
def test_changed_cut_or_longer_path_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    root = defined_root(LEAVES[:size])
    path = prove_inclusion(TREE.read, index, size)
    changes = [[*path, LEAVES[0]], *([*path[:at], *path[at + 1 :]] for at in range(len(path)))]
    changes += [
        [*path[:at], LEAVES[-1], *path[at + 1 :]] for at in range(len(path)) if path[at] != LEAVES[-1]
    ]
    changed = data.draw(st.sampled_from(changes))
    with pytest.raises(VerificationError, match="V14"):
        verify_inclusion(LEAVES[index], index, size, root, changed)


@given(st.data())
def test_changed_cut_or_longer_consistency_proof_is_refused(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, new - 1))
    old_root, new_root = defined_root(LEAVES[:old]), defined_root(LEAVES[:new])
    proof = prove_consistency(TREE.read, old, new)
    changes = [[*proof, LEAVES[0]], *([*proof[:at], *proof[at + 1 :]] for at in range(len(proof)))]
    changes += [[*proof[:at], bytes(32), *proof[at + 1 :]] for at in range(len(proof))]
    with pytest.raises(VerificationError, match="V14"):
        verify_consistency(old, old_root, new, new_root, data.draw(st.sampled_from(changes)))


@given(
    st.integers(-5, 300),
    st.integers(-5, 300),
    st.lists(st.binary(min_size=32, max_size=32), max_size=12),
    st.binary(min_size=32, max_size=32),
)
def test_no_proof_raises_anything_but_v14(old: int, new: int, proof: list[bytes], root: bytes) -> None:
    other = hashlib.sha256(root).digest()
    with pytest.raises(VerificationError) as refused:
        verify_consistency(old, root, new, other, proof)
    assert refused.value.rule == "V14"
    with pytest.raises(VerificationError) as refused:
        verify_inclusion(root, old, new, other, proof)
    assert refused.value.rule == "V14"


def test_second_root_for_one_size_is_refused() -> None:
    with pytest.raises(VerificationError, match="two roots"):
        verify_consistency(3, defined_root(LEAVES[:3]), 3, defined_root(LEAVES[1:4]), [])
    with pytest.raises(VerificationError, match="two roots"):
        verify_consistency(0, LEAVES[0], 3, defined_root(LEAVES[:3]), [])


def test_what_is_not_in_the_tree_cannot_be_proven() -> None:
    for index, size in ((-1, 3), (3, 3), (0, 0)):
        with pytest.raises(IndexError):
            prove_inclusion(TREE.read, index, size)
    with pytest.raises(IndexError):
        prove_consistency(TREE.read, 4, 3)


@given(st.integers(0, 2**40))
def test_complete_subtrees_cover_every_leaf_once(size: int) -> None:
    covered = complete_subtrees(0, size)
    spans = [(index << level, (index + 1) << level) for level, index in covered]
    assert len(spans) == size.bit_count()
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert (spans[0][0], spans[-1][1]) == (0, size) if spans else size == 0


def test_frontier_that_does_not_make_up_its_size_is_refused() -> None:
    with pytest.raises(ValueError, match="make up"):
        Frontier(3, [LEAVES[0]])
