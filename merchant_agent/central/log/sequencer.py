"""The sequencer: takes up what waits, and signs a checkpoint over it, in this order of durability.

1. Leaves and tiles are committed to the database (`take_up`).
2. The lock outside the database moves forward to the checkpoint, from the one that it held.
3. Only then the checkpoint is published (`publish`).

A process may end between any two steps, or not learn what became of one. Nobody remembers
anything: each step reads database and lock anew, and goes on from what it finds there. Whatever
a checkpoint was signed for is in the lock before anybody sees it, and the tree in the database
must begin with the tree in the lock. So there is never a second root for one size.

Each transaction holds one advisory lock on PostgreSQL: of several processes one gets on.

Source: FiloSottile/sunlight, "internal/ctlog", for the lock outside of the store.
"""

from __future__ import annotations

from dataclasses import dataclass

from merchant_agent.central.log.checkpoints import (
    Published,
    checkpoint_of,
    keep_published,
    newest_checkpoint,
)
from merchant_agent.central.log.lock import CheckpointLock, LogStoppedError, Stop
from merchant_agent.central.log.tree import extend, root_of, tree_size
from merchant_agent.central.log.waiting import is_waiting, take
from merchant_agent.central.services import Central
from merchant_agent.evidence.checkpoint import Checkpoint
from merchant_agent.store.store import Reader

SEQUENCER_LOCK = 0x6D61_6C67
RENEW_S = 55
"""After so long without news the newest checkpoint is signed again: deadlines count while the log lives."""

_TOGETHER = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round came to: leaves taken up, and the newest checkpoint; None where another process is at it."""

    taken: int
    newest: Published | None


class Sequencer:
    """Central's side of its log; safe for several threads and processes."""

    def __init__(self, central: Central) -> None:
        self._central = central

    def is_due(self) -> bool:
        """Whether a round would publish anything, and nothing was published in this very second.

        Raises:
            StoreError: the database cannot be read.
        """
        now = self._now()
        with self._central.store.read() as reader:
            newest = newest_checkpoint(reader)
            if newest is None:
                return True
            age_s = now - newest.time
            return age_s != 0 and (age_s >= RENEW_S or self._has_news(reader, newest))

    def run(self) -> Round:
        """Takes up what waits and publishes a checkpoint over it.

        Raises:
            LogStoppedError: the log must not go on.
            StoreError: the database did not do its part; the next round goes on from there.
        """
        taken = self.take_up()
        return Round(taken=taken, newest=self.publish())

    def take_up(self) -> int:
        """How many leaves were taken into the tree, some ten thousand at most; durable on return.

        Raises:
            LogStoppedError, StoreError: nothing was.
        """
        lock = checkpoint_lock(self._central)
        with self._central.store.write() as tx:
            if not tx.is_alone(SEQUENCER_LOCK):
                return 0
            require_ours(tx, lock.read())
            leaves = take(tx, _TOGETHER)
            extend(tx, leaves)
            return len(leaves)

    def publish(self) -> Published | None:
        """Publishes the tree as it stands, if it grew or the newest checkpoint has aged; the newest one.

        None where another process is at it.

        Raises:
            LogStoppedError, StoreError: it may be in the lock, and is published by the next round.
        """
        central = self._central
        lock = checkpoint_lock(central)
        with central.store.write() as tx:
            if not tx.is_alone(SEQUENCER_LOCK):
                return None
            held = lock.read()
            size = require_ours(tx, held)
            keep_published(tx, held.head.size, held.octets, held.time)
            now = self._now()
            if size != held.head.size or now - held.time >= RENEW_S:
                # A clock that went back must not make the log's time go back: it waits.
                time = max(now, held.time)
                octets = central.identity.sign_checkpoint(size, root_of(tx, size), time)
                lock.replace(held, octets)
                keep_published(tx, size, octets, time)
            newest = checkpoint_of(tx, size)
        central.newest.forget()
        return newest

    def _has_news(self, reader: Reader, newest: Published) -> bool:
        return is_waiting(reader) or tree_size(reader) != newest.size

    def _now(self) -> int:
        return int(self._central.clock.now().timestamp())


def checkpoint_lock(central: Central) -> CheckpointLock:
    """The lock that the settings name; a relative name is taken from the data folder.

    Raises:
        LogStoppedError: NOT_SET.
    """
    name = central.settings.checkpoint_lock
    if not name:
        raise LogStoppedError(
            Stop.NOT_SET, "no checkpoint_lock is set, a file apart from database and backups"
        )
    return CheckpointLock(path=central.folder.path / name, keys=central.identity.log_keys)


def require_ours(reader: Reader, held: Checkpoint) -> int:
    """The size of the tree, which begins with the tree that the lock holds.

    Raises:
        LogStoppedError: BEHIND or SPLIT.
        StoreCorruptError: the tree has lost a tile.
    """
    size, signed = tree_size(reader), held.head
    if size < signed.size:
        raise LogStoppedError(
            Stop.BEHIND, f"{signed.size} leaves were signed, and the database has {size}: it was restored"
        )
    if root_of(reader, signed.size) != signed.root:
        raise LogStoppedError(
            Stop.SPLIT, f"the first {signed.size} leaves in the database are not those that were signed"
        )
    return size
