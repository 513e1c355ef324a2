"""Proofs that this terminal's records are in central's log, made of its public hashes.

Source: C2SP tlog-proof; RFC 6962, section 2.1.1.
"""

from __future__ import annotations

from collections import OrderedDict

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.merkle import prove_inclusion, verify_inclusion
from merchant_agent.evidence.tiles import node_reader
from merchant_agent.evidence.tlog_proof import encode_tlog_proof
from merchant_agent.terminal.log.tile_cache import MissingTileError, TileCache
from merchant_agent.terminal.store.checkpoints import Kept

_MOST_NODES = 4096


class Prover:
    """Proves records to be in the tree of one checkpoint, best in the order of their leaves.

    `made` counts the proofs, `failed` what could not be proven: a tile was not to be had, or the
    record does not stand where central said.
    """

    def __init__(self, checkpoint: Kept, tiles: TileCache) -> None:
        self._checkpoint = checkpoint
        self._tiles = tiles
        self._nodes: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self.made = 0
        self.failed = 0

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self._checkpoint.size

    def prove(self, octets: bytes, number: int) -> bytes | None:
        """The file that proves the octets to be the leaf of that number; None where that cannot be shown."""
        for _ in range(2):
            read: set[tuple[int, int]] = set()
            try:
                proof = self._prove(octets, number, read)
            except MissingTileError:
                break
            except (VerificationError, FormatError, LookupError):
                # A tile may be damaged: those that were read are fetched once more.
                self._tiles.forget(read)
                self._nodes.clear()
                continue
            self.made += 1
            return proof
        self.failed += 1
        return None

    def _prove(self, octets: bytes, number: int, read: set[tuple[int, int]]) -> bytes:
        """The proof, verified."""

        def read_tile(level: int, index: int) -> bytes:
            read.add((level, index))
            return self._tiles.read(level, index)

        read_whole = node_reader(read_tile)

        def read_node(level: int, index: int) -> bytes:
            place = (level, index)
            if place not in self._nodes:
                self._nodes[place] = read_whole(level, index)
                if len(self._nodes) > _MOST_NODES:
                    self._nodes.popitem(last=False)
            return self._nodes[place]

        kept = self._checkpoint
        path = prove_inclusion(read_node, number, kept.size)
        verify_inclusion(leaf_hash(octets), number, kept.size, kept.root, path)
        return encode_tlog_proof(number, path, kept.octets)
