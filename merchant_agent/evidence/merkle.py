"""The Merkle tree of the log: roots, proofs that something is in it, proofs that it only grew.

Hashes are 32 bytes. The node `(level, index)` is the root of the complete subtree over the
leaves `[index * 2^level, (index + 1) * 2^level)`; level 0 are leaf hashes.

Source: RFC 6962, section 2.1; RFC 9162, section 2.1 (the same tree, with verification spelled out).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from merchant_agent.errors import VerificationError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

ReadNode = Callable[[int, int], bytes]
"""The hash of the complete subtree `(level, index)`, which the reader is known to have."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: enough to append and to know the root, in 2 kB at most.

    `nodes` are the complete subtrees that make up `size` leaves, the largest first.
    """

    __slots__ = ("nodes", "size")

    def __init__(self, size: int = 0, nodes: Sequence[bytes] = ()) -> None:
        if size.bit_count() != len(nodes):
            raise ValueError(f"{len(nodes)} subtrees do not make up {size} leaves")
        self.size = size
        self.nodes = list(nodes)

    @classmethod
    def load(cls, size: int, read: ReadNode) -> Frontier:
        """The right edge of a stored tree of `size` leaves."""
        return cls(size, [read(level, index) for level, index in complete_subtrees(0, size)])

    def append(self, leaf: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Takes one leaf hash in; yields each node `(level, index, hash)` that it completes.

        To be used up: the tree has grown when the last one was yielded.
        """
        level, index, made = 0, self.size, leaf
        yield level, index, made
        nodes = self.nodes
        while index & 1:
            made = node_hash(nodes.pop(), made)
            level, index = level + 1, index >> 1
            yield level, index, made
        nodes.append(made)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves."""
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root


def complete_subtrees(first: int, size: int) -> list[tuple[int, int]]:
    """The fewest complete subtrees `(level, index)` that cover the leaves `[first, size)`, in order.

    `first` must be where a tree of `size` leaves is cut in its recursion.
    """
    covered: list[tuple[int, int]] = []
    while first < size:
        level = (size - first).bit_length() - 1
        covered.append((level, first >> level))
        first += 1 << level
    return covered


def prove_inclusion(read: ReadNode, index: int, size: int) -> list[bytes]:
    """The path from the leaf at `index` to the root over `size` leaves, sibling of the leaf first.

    Source: RFC 6962, section 2.1.1.

    Raises:
        IndexError: there is no such leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise IndexError(f"no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    first, end = 0, size
    while end - first > 1:
        cut = first + _split(end - first)
        if index < cut:
            path.append(_range_hash(read, cut, end))
            end = cut
        else:
            path.append(_range_hash(read, first, cut))
            first = cut
    path.reverse()
    return path


def verify_inclusion(leaf: bytes, index: int, size: int, root: bytes, path: Sequence[bytes]) -> None:
    """Returns when the leaf hash stands at `index` of the tree of `size` leaves with that root.

    Source: RFC 9162, section 2.1.3.2.

    Raises:
        VerificationError: V14.
    """
    if not 0 <= index < size:
        raise VerificationError("V14", f"no leaf {index} in a tree of {size}")
    place, last, made = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise VerificationError("V14", "the path to the root is too long")
        if place & 1 or place == last:
            made = node_hash(sibling, made)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            made = node_hash(made, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or made != root:
        raise VerificationError("V14", "the path does not lead to the root")


def prove_consistency(read: ReadNode, old: int, new: int) -> list[bytes]:
    """What proves that the tree of `new` leaves begins with the tree of `old`; empty where trivial.

    Source: RFC 6962, section 2.1.2.

    Raises:
        IndexError: `old` is larger than `new`.
    """
    if not 0 <= old <= new:
        raise IndexError(f"no tree of {old} in a tree of {new}")
    if old in {0, new}:
        return []
    proof: list[bytes] = []
    first, end = 0, new
    whole = True  # the old tree so far is a complete subtree whose hash the verifier has
    while end != old:
        cut = first + _split(end - first)
        if old <= cut:
            proof.append(_range_hash(read, cut, end))
            end = cut
        else:
            proof.append(_range_hash(read, first, cut))
            first = cut
            whole = False
    if not whole:
        proof.append(_range_hash(read, first, old))
    proof.reverse()
    return proof


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Returns when the tree of `new` leaves with its root begins with the tree of `old` with its root.

    Source: RFC 9162, section 2.1.4.2.

    Raises:
        VerificationError: V14.
    """
    if not 0 <= old <= new:
        raise VerificationError("V14", f"a log of {new} does not begin with one of {old}")
    if old in {0, new}:
        expected = new_root if old else EMPTY_ROOT
        if proof or old_root != expected:
            raise VerificationError("V14", "two roots for one size")
        return
    hashes = list(proof)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise VerificationError("V14", "the proof is empty")
    _walk_consistency(old, old_root, new, new_root, hashes)


def _walk_consistency(old: int, old_root: bytes, new: int, new_root: bytes, hashes: list[bytes]) -> None:
    """Steps 4 to 7 of RFC 9162, section 2.1.4.2."""
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    made_old = made_new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise VerificationError("V14", "the proof is too long")
        if place & 1 or place == last:
            made_old = node_hash(sibling, made_old)
            made_new = node_hash(sibling, made_new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            made_new = node_hash(made_new, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or made_old != old_root or made_new != new_root:
        raise VerificationError("V14", "the proof does not connect the two roots")


def _split(count: int) -> int:
    """The largest power of two below `count`, which is at least 2."""
    return 1 << (count - 1).bit_length() - 1


def _range_hash(read: ReadNode, first: int, end: int) -> bytes:
    """The hash over the leaves `[first, end)` as the recursion cuts them."""
    subtrees = [read(level, index) for level, index in complete_subtrees(first, end)]
    made = subtrees.pop()
    while subtrees:
        made = node_hash(subtrees.pop(), made)
    return made
