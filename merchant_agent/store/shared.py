"""Writers that share one transaction of a SQLite file, and with it one sync of the disk.

Each one's part is a savepoint: one that fails takes back its own rows and nobody else's. What
was written is durable for all of them at once, or for none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import peewee

from merchant_agent.errors import StoreError
from merchant_agent.store.sqlite import SqliteFile

_MOST_PARTS = 8
_LONGEST_S = 0.01


class Shared:
    """One transaction, begun by whoever makes it and ended by whoever calls `commit`, in any thread.

    Parts and `commit` come one after the other: callers see to that by a lock of theirs. Everybody
    with a part that ended well calls `wait`; whoever called `commit` calls `settle`.

    Raises:
        StoreError: it did not begin.
    """

    def __init__(self, database: SqliteFile) -> None:
        self._database = database
        self._transaction = database.writing()
        self._handle = self._transaction.__enter__()
        self._begun_mono = time.monotonic()
        self._parts = 0
        self._settled = threading.Event()
        self._lost: StoreError | None = None
        self._failure: StoreError | None = StoreError("the transaction was not ended")

    @contextmanager
    def part(self) -> Iterator[peewee.Database]:
        """One writer's rows, taken back on any error; not yet durable after the block."""
        self._parts += 1
        try:
            with self._database.part():
                yield self._handle
        except StoreError as error:
            if not self._database.is_writing:
                self._lost = error
            raise

    @property
    def takes_more(self) -> bool:
        """Whether another part may follow; not after a failure in which SQLite gave everything up."""
        return (
            self._parts < _MOST_PARTS
            and time.monotonic() - self._begun_mono < _LONGEST_S
            and self._database.is_writing
        )

    def commit(self) -> None:
        """Makes all parts durable, and lets the next transaction begin.

        Raises:
            StoreError: nothing of any part was stored.
        """
        try:
            self._transaction.__exit__(None, None, None)
        except StoreError as error:
            self._failure = self._lost or error
            raise
        self._failure = None

    def settle(self) -> None:
        """Has everybody who waits go on."""
        self._settled.set()

    def wait(self) -> None:
        """Returns once it was settled.

        Raises:
            StoreError: of the kind that `commit` raised; nothing of any part was stored.
        """
        self._settled.wait()
        if self._failure is not None:
            raise type(self._failure)(str(self._failure)) from self._failure
