"""Whether the log goes on as it should, as any process can see it: for officers, and for those who watch."""

from __future__ import annotations

from enum import StrEnum

from merchant_agent.central.log.checkpoints import newest_checkpoint
from merchant_agent.central.log.lock import LogStoppedError
from merchant_agent.central.log.sequencer import checkpoint_lock, require_ours
from merchant_agent.central.log.silence import SILENT_S
from merchant_agent.central.services import Central


class Trouble(StrEnum):
    """What is wrong; the first six are those of `lock.Stop`."""

    NOT_SET = "not-set"
    MISSING = "missing"
    UNUSABLE = "unusable"
    BEHIND = "behind"
    SPLIT = "split"
    MOVED = "moved"
    SILENT = "silent"
    """Nothing was published for five minutes although nothing stands against it."""


def find_trouble(central: Central) -> Trouble | None:
    """What keeps the log from going on; None where it does.

    Raises:
        StoreError: the database cannot be read.
    """
    try:
        # The lock first: it never runs ahead of a tree that is read after it.
        held = checkpoint_lock(central).read()
        with central.store.read() as reader:
            require_ours(reader, held)
            newest = newest_checkpoint(reader)
    except LogStoppedError as error:
        return Trouble(error.stop.value)
    age_s = central.clock.now().timestamp() - (held.time if newest is None else newest.time)
    return Trouble.SILENT if age_s > SILENT_S else None
