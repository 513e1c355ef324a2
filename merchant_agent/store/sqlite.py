"""SQLite through APSW: one writing connection for life, a few readers, no automatic checkpoints.

The writing connection stays open and is shared by all threads under one lock, so its
prepared statements stay warm and the WAL is never deleted under a reader. peewee keeps
connections by thread; here two peewee databases stand over one file: this one hands
readers out of a pool, and `writer` has the one connection that may change anything.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import apsw
import peewee
from playhouse.apsw_ext import APSWDatabase
from playhouse.pool import MaxConnectionsExceeded, PooledDatabase

from merchant_agent.errors import ForeignFileError, StartError, StoreError, StoreLockedError
from merchant_agent.store.rows import Rows
from merchant_agent.store.translate import translated

_log = logging.getLogger(__name__)

_MAX_READERS = 4
_BUSY_TIMEOUT_S = 5
_WAL_LIMIT_BYTES = 8 << 20
_PAGE_BYTES = 4096
_PRAGMAS: tuple[tuple[str, int | str], ...] = (
    ("cache_size", -512),  # KiB
    ("mmap_size", 0),
    ("foreign_keys", 1),
    ("trusted_schema", 0),
    ("cell_size_check", 1),
    ("secure_delete", 1),
    ("synchronous", "FULL"),
    ("journal_size_limit", _WAL_LIMIT_BYTES),
    ("wal_autocheckpoint", 0),
)


class _Writer(APSWDatabase):  # type: ignore[misc]  # peewee's extensions have no types
    """The writing connection: one for all threads, used under `SqliteFile`'s lock alone."""

    def __init__(self, path: str) -> None:
        super().__init__(
            path,
            pragmas=(("page_size", _PAGE_BYTES), ("journal_mode", "WAL"), *_PRAGMAS),
            timeout=_BUSY_TIMEOUT_S,
            thread_safe=False,
            lock_type="IMMEDIATE",
            autoconnect=False,
        )


class SqliteFile(PooledDatabase, APSWDatabase):  # type: ignore[misc]  # as above
    """One database file; see the module.

    `path` is the file's; `writer` is peewee's handle for statements inside `writing`.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(
            str(path),
            max_connections=_MAX_READERS,
            timeout=_BUSY_TIMEOUT_S,
            pragmas=_PRAGMAS,
            flags=apsw.SQLITE_OPEN_READONLY,
            autoconnect=False,
        )
        self.path = path
        self.writer = _Writer(str(path))
        self._is_ended = False
        self._write_lock = threading.Lock()
        self._wal_pages = 0  # under _write_lock
        self._checkpoint_at_pages = _WAL_LIMIT_BYTES // _PAGE_BYTES  # under _write_lock

    def open(self) -> None:
        """Opens the writing connection, which makes the file where it is missing."""
        with translated():
            self.writer.connect()
            self._raw.set_wal_hook(self._note_wal)

    def close_all(self) -> None:
        """Closes every connection, for good; the last one brings the WAL into the file."""
        self._is_ended = True
        with translated():
            super().close_all()
            if not self.writer.is_closed():
                self.writer.close()

    @contextmanager
    def reading(self) -> Iterator[peewee.Database]:
        """A reader from the pool that sees one snapshot; waits 5 s for one at most."""
        if self._is_ended:
            raise StoreLockedError("the database is closed")
        try:
            with translated():
                self.connect()
        except MaxConnectionsExceeded as error:
            raise StoreLockedError("all readers are in use") from error
        connection = self.connection()
        try:
            with translated():
                connection.execute("BEGIN")
            try:
                yield self
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        finally:
            self._give_back(connection)

    @contextmanager
    def writing(self) -> Iterator[peewee.Database]:
        """One IMMEDIATE transaction under the lock; durable after it, rolled back on any error."""
        with self._write_lock:
            connection = self._raw
            with translated():
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self.writer
                    connection.execute("COMMIT")
                finally:
                    # Not after a commit; and a full disk may have rolled back by itself.
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
            if self._wal_pages >= self._checkpoint_at_pages:
                self._checkpoint_quietly()

    @contextmanager
    def part(self) -> Iterator[None]:
        """Within `writing`, statements that are taken back together on any error."""
        connection = self._raw
        with translated():
            connection.execute("SAVEPOINT part")
            try:
                yield
                connection.execute("RELEASE part")
            except BaseException:
                # A full disk may have taken back the whole transaction.
                if connection.in_transaction:
                    connection.execute("ROLLBACK TO part")
                    connection.execute("RELEASE part")
                raise

    @property
    def is_writing(self) -> bool:
        """Whether the transaction of `writing` lasts; to be asked within it."""
        return not self.writer.is_closed() and bool(self._raw.in_transaction)

    def rows(
        self, database: peewee.Database, text: str, parameters: tuple[object, ...]
    ) -> list[tuple[Any, ...]]:
        """Every row of a written statement."""
        return list(database.connection().execute(text, parameters))

    def iterate(self, database: peewee.Database, query: peewee.BaseQuery) -> Iterator[Any]:
        """Rows as SQLite finds them."""
        return iter(query.execute(database).iterator())

    def copy_rows(
        self, model: type[peewee.Model], columns: tuple[str, ...], rows: Iterable[Sequence[object]]
    ) -> None:
        """One prepared INSERT, run for each row on the writing connection."""
        self._raw.executemany(_insert_statement(model, columns), rows)

    def copy_tables(self, tables: Sequence[Rows]) -> None:
        """`copy_rows` for each."""
        for table in tables:
            self.copy_rows(table.model, table.columns, table.rows)

    def try_lock(self, number: int) -> bool:
        """True: whoever writes here is alone."""
        del number
        return True

    @contextmanager
    def alone(self) -> Iterator[peewee.SqliteDatabase]:
        """The writing connection under the lock without a transaction, for migrations."""
        with self._write_lock, translated():
            yield self.writer

    def checkpoint(self, *, truncate: bool) -> None:
        """Brings the WAL into the file; with `truncate` nothing erased is left in the WAL.

        Raises:
            StoreLockedError: readers kept the WAL for longer than the busy timeout.
        """
        mode = apsw.SQLITE_CHECKPOINT_TRUNCATE if truncate else apsw.SQLITE_CHECKPOINT_PASSIVE
        with self._write_lock, translated():
            self._run_checkpoint(mode)

    def _give_back(self, connection: apsw.Connection) -> None:
        """To the pool; but rows that were not used up hold their snapshot, which nobody must meet there."""
        if connection.txn_state("main") == apsw.SQLITE_TXN_NONE:
            self.close()
        else:
            self.manual_close()

    @property
    def _raw(self) -> apsw.Connection:
        if self.writer.is_closed():
            # peewee would open the file again, or make a new one.
            raise StoreLockedError("the database is closed")
        connection: apsw.Connection = self.writer.connection()
        return connection

    def _note_wal(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        """SQLite calls it after each commit, with the pages that now stand in the WAL."""
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint_quietly(self) -> None:
        """After a commit that has happened: what goes wrong here must not look like its failure."""
        try:
            with translated():
                self._run_checkpoint(apsw.SQLITE_CHECKPOINT_PASSIVE)
        except StoreError:
            _log.exception("checkpoint failed")
            self._checkpoint_at_pages = self._wal_pages + _WAL_LIMIT_BYTES // _PAGE_BYTES

    def _run_checkpoint(self, mode: int) -> None:
        """The next one is due a limit's worth of pages later, if readers kept this one from finishing."""
        in_wal, done = self._raw.wal_checkpoint(None, mode)
        limit = _WAL_LIMIT_BYTES // _PAGE_BYTES
        self._checkpoint_at_pages = limit if done >= in_wal else in_wal + limit
        self._wal_pages = 0 if done >= in_wal else in_wal


def open_sqlite(path: Path, *, application_id: int) -> SqliteFile:
    """The database in `path`, made where missing, of this application and of no other.

    Raises:
        ForeignFileError: the file belongs to another program.
        StartError: its disk cannot hold a WAL.
        StoreCorruptError: the file is no database or is damaged.
    """
    database = SqliteFile(path)
    try:
        database.open()
        with database.alone() as writer:
            _claim(writer, path, application_id)
    except BaseException:
        database.close_all()
        raise
    return database


def open_sqlite_read_only(path: Path, *, application_id: int) -> SqliteFile:
    """The database in `path` for `reading` alone, also while another process writes it.

    Raises:
        StartError: there is no such file, or it is not this application's.
        StoreError: it cannot be read.
    """
    if not path.is_file():
        raise StartError(f"There is no database {path}.")
    database = SqliteFile(path)
    try:
        with database.reading(), translated():
            found = database.pragma("application_id")
    except BaseException:
        database.close_all()
        raise
    if found != application_id:
        database.close_all()
        raise StartError(f"{path} was not made by this program.")
    return database


@cache
def _insert_statement(model: type[peewee.Model], columns: tuple[str, ...]) -> str:
    """Names are the models' own, never anybody's input."""
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" * len(columns))
    table = model._meta.table_name  # noqa: SLF001  # peewee's name for it
    return f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608  # as said above


def _claim(writer: peewee.SqliteDatabase, path: Path, application_id: int) -> None:
    """Marks a new file; refuses another program's, and a disk without shared memory."""
    if writer.pragma("journal_mode") != "wal":
        raise StartError(f"The disk of {path} does not support SQLite's write-ahead log.")
    found = writer.pragma("application_id")
    if found == application_id:
        return
    if found or writer.get_tables():
        raise ForeignFileError(f"{path} was not made by this program.")
    writer.pragma("application_id", application_id)
