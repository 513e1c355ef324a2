"""Beginning the log: the one time that its lock is made."""

from __future__ import annotations

from merchant_agent.central.log.checkpoints import Published, keep_published, newest_checkpoint
from merchant_agent.central.log.sequencer import SEQUENCER_LOCK, checkpoint_lock, require_ours
from merchant_agent.central.log.tree import root_of, tree_size
from merchant_agent.central.services import Central
from merchant_agent.errors import StartError, StoreLockedError
from merchant_agent.evidence.checkpoint import open_checkpoint
from merchant_agent.store.store import Writer


def begin_log(central: Central, *, again: bool) -> Published:
    """Makes the lock and publishes the checkpoint in it: that of the empty log.

    With `again` the lock was lost and the database was not: the lock begins with the newest
    checkpoint that the database published. Nobody but the caller can know that it is the newest.

    Raises:
        LogStoppedError: no file is set; with `again`, the database contradicts its own checkpoint.
        StartError: there is a lock, the log was begun before (without `again`), was not (with it),
            or the file cannot be made.
        StoreError: the database did not do its part.
    """
    lock = checkpoint_lock(central)
    with central.store.write() as tx:
        if not tx.is_alone(SEQUENCER_LOCK):
            raise StoreLockedError("the sequencer is at work")
        octets = _newest(central, tx) if again else _first(central, tx)
        begun = open_checkpoint(octets, lock.keys)
        require_ours(tx, begun)
        lock.create(octets)
        keep_published(tx, begun.head.size, octets, begun.time)
    central.newest.forget()
    return Published(size=begun.head.size, root=begun.head.root, time=begun.time, octets=octets)


def _first(central: Central, tx: Writer) -> bytes:
    if newest_checkpoint(tx) is not None or tree_size(tx):
        raise StartError(
            "The log was begun before: put its checkpoint_lock back where it was. If that file alone was "
            "lost, and the database was never restored, --again makes it from the newest checkpoint."
        )
    return central.identity.sign_checkpoint(0, root_of(tx, 0), int(central.clock.now().timestamp()))


def _newest(central: Central, tx: Writer) -> bytes:
    newest = newest_checkpoint(tx)
    if newest is None:
        raise StartError(f"The log {central.identity.origin} was never begun: leave out --again.")
    return newest.octets
