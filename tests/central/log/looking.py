"""Looking at a log as an outsider would, with a Merkle tree of the tests' own."""

from __future__ import annotations

import hashlib
from pathlib import Path

from merchant_agent.central.log.checkpoints import Published, newest_checkpoint
from merchant_agent.central.log.waiting import Waiting, enqueue
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import LogCheckpoint, LogLeaf
from merchant_agent.evidence.checkpoint import open_checkpoint
from merchant_agent.store.fields import to_ms
from tests.clocks import ManualClock


def put(central: Central, count: int, *, begin: int = 0, what: str = "leaf") -> list[bytes]:
    """So many leaves that wait, one a seq of one issuer; their hashes in order."""
    leaves = [hashlib.sha256(f"{what} {seq}".encode()).digest() for seq in range(begin, begin + count)]
    waiting = [
        Waiting(merchant="M", issuer="AAAAAAAAAAA", epoch=1, seq=seq, leaf=leaf, kind="record")
        for seq, leaf in enumerate(leaves, begin)
    ]
    with central.store.write() as tx:
        enqueue(tx, waiting, to_ms(central.clock.now()))
    return leaves


def logged(central: Central) -> list[bytes]:
    """The leaf hashes in the log, in its order."""
    with central.store.read() as reader:
        return [
            bytes(row[0])
            for row in reader.all(LogLeaf.select(LogLeaf.leaf).order_by(LogLeaf.number).tuples())
        ]


def newest(central: Central) -> Published:
    with central.store.read() as reader:
        found = newest_checkpoint(reader)
    assert found is not None
    return found


def notes(central: Central) -> list[bytes]:
    """Every checkpoint that is kept as published."""
    with central.store.read() as reader:
        rows = reader.all(LogCheckpoint.select(LogCheckpoint.octets, LogCheckpoint.renewed).tuples())
    return [bytes(note) for row in rows for note in row if note is not None]


def root_over(leaves: list[bytes]) -> bytes:
    """The root, by the definition alone.

    Source: RFC 6962, section 2.1.
    """
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    cut = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root_over(leaves[:cut]) + root_over(leaves[cut:])).digest()


class Witness:
    """Somebody who has seen some notes of a log, and is never shown two roots for one size."""

    def __init__(self, central: Central, lock_file: Path) -> None:
        self.central = central
        self.lock_file = lock_file
        self.seen: dict[int, bytes] = {}

    def look(self, *more: bytes) -> None:
        """Takes in what is published now, what stands in the lock, and what somebody was told."""
        told = [*notes(self.central), *more]
        if self.lock_file.exists():
            told.append(self.lock_file.read_bytes())
        for note in told:
            head = open_checkpoint(note, self.central.identity.log_keys).head
            assert self.seen.setdefault(head.size, head.root) == head.root, f"two roots for {head.size}"

    def require_one_log(self) -> None:
        """Everything ever seen is a beginning of what the log has now, all of which is published."""
        self.look()
        leaves = logged(self.central)
        assert newest(self.central).size == len(leaves)
        for size, root in self.seen.items():
            assert root == root_over(leaves[:size])


def tick(central: Central, seconds: float = 1) -> None:
    """Lets time pass for a central of a test."""
    assert isinstance(central.clock, ManualClock)
    central.clock.advance(seconds)
