"""Reading and writing: one snapshot a read, one durable transaction a write.

On SQLite one process-wide lock stands around every write transaction. On PostgreSQL
a write is a plain transaction and callers lock the rows they mean.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import peewee

from merchant_agent.errors import StoreCorruptError, StoreError, StoreFullError
from merchant_agent.store.ballast import Ballast
from merchant_agent.store.database import Database, SqliteFile
from merchant_agent.store.rows import Rows
from merchant_agent.store.schema import create_tables, drop_tables
from merchant_agent.store.shared import Shared
from merchant_agent.store.translate import translated


class Reader:
    """Runs unbound peewee queries in one snapshot; of one thread, until its block ends.

    Every method raises `StoreError` or a subclass of it.
    """

    def __init__(self, database: Database, handle: peewee.Database) -> None:
        self._database = database
        self._handle = handle

    def all(self, query: peewee.BaseQuery) -> list[Any]:
        """Every row, as the query asks: models, dicts or tuples."""
        with translated():
            return list(query.clone().execute(self._handle))

    def first(self, query: peewee.Query) -> Any | None:  # noqa: ANN401  # the query decides
        """The first row, or None where there is none."""
        rows = self.all(query.limit(1))
        return rows[0] if rows else None

    def scalar(self, query: peewee.BaseQuery) -> Any | None:  # noqa: ANN401  # the query decides
        """The first column of the first row, or None where there is none."""
        rows = self.all(query.tuples())
        return rows[0][0] if rows else None

    def rows(self, text: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Every row of SQL that both databases know, with `?` for each parameter; values as they are kept.

        For the few statements that run all the time: to build one with peewee takes longer
        than the database takes to run it.
        """
        with translated():
            return self._database.rows(self._handle, text, parameters)

    def iterate(self, query: peewee.BaseQuery) -> Iterator[Any]:
        """Rows one by one in flat memory; to be used up inside the block."""
        with translated():
            yield from self._database.iterate(self._handle, query.clone())


class Writer(Reader):
    """One write transaction. After an error in it nothing but its rollback is possible."""

    def __init__(self, database: Database, handle: peewee.Database) -> None:
        super().__init__(database, handle)
        self._failure: StoreError | None = None

    def all(self, query: peewee.BaseQuery) -> list[Any]:
        """Every row, of a SELECT or of a statement with RETURNING."""
        with self._guarded():
            return super().all(query)

    def rows(self, text: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Every row, of a SELECT or of a statement with RETURNING."""
        with self._guarded():
            return super().rows(text, *parameters)

    def iterate(self, query: peewee.BaseQuery) -> Iterator[Any]:
        """Rows one by one in flat memory; to be used up inside the block."""
        with self._guarded():
            yield from super().iterate(query)

    def execute(self, query: peewee.Query) -> int:
        """Runs an INSERT, UPDATE or DELETE; the number of rows that it changed."""
        if isinstance(query, peewee.Insert):
            query = query.as_rowcount()
        with self._guarded(), translated():
            return int(query.clone().execute(self._handle))

    def copy_rows(
        self, model: type[peewee.Model], columns: tuple[str, ...], rows: Iterable[Sequence[object]]
    ) -> None:
        """Inserts many rows fast: COPY on PostgreSQL, one prepared statement on SQLite.

        `columns` are column names; values are as the database keeps them (milliseconds for
        an `InstantField`, JSON text for a `JsonField`).

        Raises:
            StoreConflictError: one row is there already; none was inserted.
        """
        with self._guarded(), translated():
            self._database.copy_rows(model, columns, rows)

    def copy_tables(self, tables: Sequence[Rows]) -> None:
        """`copy_rows` for several tables; few rows reach PostgreSQL in one statement for all of them.

        Raises:
            StoreConflictError: one row is there already; none was inserted.
        """
        with self._guarded(), translated():
            self._database.copy_tables(tables)

    def is_alone(self, number: int) -> bool:
        """Whether this transaction has the lock of that number, until it ends; never waits.

        SQLite has one writer at a time: there it always has.
        """
        with self._guarded(), translated():
            return self._database.try_lock(number)

    def create_tables(self, models: Sequence[type[peewee.Model]]) -> None:
        """Makes tables and their indexes, gone again unless this transaction is committed."""
        with self._guarded(), translated():
            create_tables(self._handle, models)

    def drop_tables(self, models: Sequence[type[peewee.Model]]) -> None:
        """Drops tables with all that is in them."""
        with self._guarded(), translated():
            drop_tables(self._handle, models)

    def finish(self) -> None:
        """Raises the failure that the transaction met, if its user passed over it."""
        if self._failure is not None:
            raise self._failure

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        self.finish()
        try:
            yield
        except StoreError as error:
            self._failure = error
            raise


W = TypeVar("W", bound=Writer)


class _Here(threading.local):
    """What this thread has open."""

    reader: Reader | None = None
    writer: Writer | None = None


class Store:
    """A database and the ways to use it. `database` is open; `close` closes it."""

    def __init__(self, database: Database, *, ballast: Ballast | None = None) -> None:
        self.database = database
        self._ballast = ballast
        self._here = _Here()
        self._damaged = threading.Event()

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """One snapshot. Inside another read or a write of this thread: that one's view.

        Raises:
            StoreLockedError: no connection came free in time.
        """
        outer = self._here.writer or self._here.reader
        if outer is not None:
            yield outer
            return
        with self._noticing(), self.database.reading() as handle:
            self._here.reader = Reader(self.database, handle)
            try:
                yield self._here.reader
            finally:
                self._here.reader = None

    def write(self) -> AbstractContextManager[Writer]:
        """One transaction, durable when the block ends without an error, else nothing of it.

        Never inside a read or a write of the same thread: functions that write inside
        somebody's transaction take its `Writer`.

        Raises:
            StoreFullError: the disk is full; the ballast was released for what must be written.
            StoreLockedError: another process holds the database, or rows, for too long.
            StoreError: anything else that the database met.
        """
        return self.write_as(Writer)

    @contextmanager
    def write_as(self, make: Callable[[Database, peewee.Database], W]) -> Iterator[W]:
        """`write` with a writer of the caller's own class."""
        self.require_outside()
        with self._minding(), self.database.writing() as handle, self._writer(make, handle) as writer:
            yield writer

    def share(self) -> Shared:
        """Begins a transaction for several writers' parts; on SQLite alone.

        Raises:
            StoreError: it did not begin.
        """
        if not isinstance(self.database, SqliteFile):
            raise TypeError("writers share the transaction of a file alone")
        with self._minding():
            return Shared(self.database)

    @contextmanager
    def write_part(self, shared: Shared, make: Callable[[Database, peewee.Database], W]) -> Iterator[W]:
        """`write_as` within a shared transaction; its part is durable once `Shared.wait` returns."""
        self.require_outside()
        with self._minding(), shared.part() as handle, self._writer(make, handle) as writer:
            yield writer

    def commit(self, shared: Shared) -> None:
        """`Shared.commit`, with what `write` does where it fails.

        Raises:
            StoreError: as `write`.
        """
        with self._minding():
            shared.commit()

    @contextmanager
    def _writer(self, make: Callable[[Database, peewee.Database], W], handle: peewee.Database) -> Iterator[W]:
        writer = make(self.database, handle)
        self._here.writer = writer
        try:
            yield writer
        finally:
            self._here.writer = None
        writer.finish()

    def require_outside(self) -> None:
        """Returns when this thread has neither a read nor a write open.

        Raises:
            RuntimeError: it has, and a write that began there would wait for itself.
        """
        if self._here.writer is not None or self._here.reader is not None:
            raise RuntimeError("a write cannot begin inside a read or a write of the same thread")

    def require_room(self) -> None:
        """Returns when more than the reserve is free, having laid the ballast again where it can.

        For what may be refused when the disk is full; what must be written does not ask.

        Raises:
            StoreFullError: only the reserve is left.
        """
        if self._ballast is not None and not self._ballast.is_whole():
            raise StoreFullError("only the reserve is left on the disk")

    @property
    def is_damaged(self) -> bool:
        """Whether damage was met since the database was opened."""
        return self._damaged.is_set()

    def report_damage(self) -> None:
        """Says that the database is damaged, for whoever replaces it."""
        self._damaged.set()

    def replace(self, database: Database) -> None:
        """Goes on with another open database; the one before was closed, and nobody may be writing."""
        self.database = database
        self._damaged.clear()

    @contextmanager
    def _minding(self) -> Iterator[None]:
        try:
            with self._noticing():
                yield
        except StoreFullError:
            if self._ballast is not None:
                self._ballast.release()
            raise

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        try:
            yield
        except StoreCorruptError:
            self.report_damage()
            raise

    @property
    def is_file(self) -> bool:
        """True on SQLite."""
        return isinstance(self.database, SqliteFile)

    def checkpoint(self, *, truncate: bool = False) -> None:
        """Brings SQLite's WAL into its file; with `truncate` what was erased is gone for good.

        Raises:
            StoreLockedError: readers kept the WAL for too long.
        """
        if isinstance(self.database, SqliteFile):
            self.database.checkpoint(truncate=truncate)

    def close(self) -> None:
        """Closes all connections; nobody may be using them."""
        self.database.close_all()
