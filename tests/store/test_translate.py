from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import peewee
import psycopg
import pytest

from merchant_agent.errors import (
    StartError,
    StoreConflictError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreLockedError,
)
from merchant_agent.store.ballast import Ballast
from merchant_agent.store.database import SqliteFile, open_postgres, open_sqlite
from merchant_agent.store.store import Store
from merchant_agent.store.translate import translated
from tests.store.things import APPLICATION_ID, Thing, add, numbers, sqlite_store

_PAGE = 4096


@contextmanager
def _full(store: Store) -> Iterator[None]:
    """SQLite's own limit: it then reports a full disk."""
    assert isinstance(store.database, SqliteFile)
    writer = store.database.writer
    writer.pragma("max_page_count", writer.pragma("page_count"))
    yield
    writer.pragma("max_page_count", 1 << 30)


def _add_much(store: Store) -> None:
    with store.write() as writer:
        add(writer, 1, data=bytes(100 * _PAGE))


def test_a_full_disk_is_said_so_and_recovers(file_store: Store) -> None:
    with _full(file_store), pytest.raises(StoreFullError):
        _add_much(file_store)
    with file_store.read() as reader:
        assert numbers(reader) == []
    _add_much(file_store)


def test_a_full_disk_releases_the_ballast(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 4096)
    ballast.ensure()
    store = Store(open_sqlite(tmp_path / "things.db", application_id=APPLICATION_ID), ballast=ballast)
    with store.write() as writer:
        writer.create_tables([Thing])
    with _full(store), pytest.raises(StoreFullError):
        _add_much(store)
    assert not ballast.path.exists()
    store.require_room()
    assert ballast.path.exists()
    store.close()


def test_only_the_reserve_left_refuses_what_can_be_refused(tmp_path: Path) -> None:
    larger_than_the_disk = Ballast(tmp_path / "ballast", 1 << 60)
    database = open_sqlite(tmp_path / "things.db", application_id=APPLICATION_ID)
    store = Store(database, ballast=larger_than_the_disk)
    with pytest.raises(StoreFullError):
        store.require_room()
    with store.write() as writer:
        writer.create_tables([Thing])
    store.close()


def test_a_damaged_page_is_corruption(tmp_path: Path) -> None:
    path = tmp_path / "things.db"
    with sqlite_store(path) as store, store.write() as writer:
        writer.create_tables([Thing])
        for number in range(500):
            add(writer, number, data=bytes(200))
    with path.open("r+b") as file:
        for page in range(3, path.stat().st_size // _PAGE):
            file.seek(page * _PAGE)
            file.write(b"\xff" * _PAGE)
    with sqlite_store(path) as store:
        with pytest.raises(StoreCorruptError), store.read() as reader:
            list(reader.iterate(Thing.select()))
        with pytest.raises(StoreCorruptError), store.write() as writer:
            writer.execute(Thing.update(name="all the same"))


def test_a_database_that_another_process_holds_is_locked(file_store: Store) -> None:
    assert isinstance(file_store.database, SqliteFile)
    file_store.database.writer.connection().setbusytimeout(20)
    other = apsw.Connection(str(file_store.database.path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreLockedError), file_store.write():
        pass
    other.close()
    with file_store.write() as writer:
        add(writer, 1)


def test_each_broken_constraint_is_a_conflict(store: Store) -> None:
    with store.write() as writer:
        add(writer, 1, "one")
    for row in ({"number": 1, "name": "other"}, {"number": 2, "name": "one"}, {"number": 2, "name": None}):
        with pytest.raises(StoreConflictError), store.write() as writer:
            writer.execute(Thing.insert(row))
    with store.read() as reader:
        assert numbers(reader) == [1]


def test_a_row_that_another_transaction_holds_is_locked(server_store: Store) -> None:
    with server_store.write() as writer:
        add(writer, 1)
    outcome: list[type[StoreError]] = []

    def touch() -> None:
        try:
            with server_store.write() as writer:
                server_store.database.execute_sql("SET LOCAL lock_timeout = '20ms'")
                writer.execute(Thing.update(name="theirs"))
        except StoreError as error:
            outcome.append(type(error))

    with server_store.write() as writer:
        writer.execute(Thing.update(name="mine"))
        thread = threading.Thread(target=touch)
        thread.start()
        thread.join()
    assert outcome == [StoreLockedError]


def test_a_lost_connection_fails_one_write_and_not_the_next(server_store: Store, postgres_url: str) -> None:
    def write() -> None:
        with server_store.write() as writer:
            add(writer, 1)
            pid = writer.scalar(peewee.RawQuery("SELECT pg_backend_pid()"))
            with psycopg.connect(postgres_url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", (pid,))
            add(writer, 2)

    with pytest.raises(StoreError):
        write()
    with server_store.write() as writer:
        add(writer, 3)
    with server_store.read() as reader:
        assert numbers(reader) == [3]


def test_a_server_that_is_not_there_is_told_at_the_start() -> None:
    with pytest.raises(StartError):
        open_postgres("postgresql://nobody@/nothing?host=/nonexistent")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (psycopg.errors.DiskFull, StoreFullError),
        (psycopg.errors.DataCorrupted, StoreCorruptError),
        (psycopg.errors.DeadlockDetected, StoreLockedError),
        (psycopg.errors.SerializationFailure, StoreLockedError),
        (psycopg.errors.UniqueViolation, StoreConflictError),
        (psycopg.errors.SyntaxError, StoreError),
    ],
)
def test_states_of_postgresql_have_their_class(
    state: type[psycopg.Error], expected: type[StoreError]
) -> None:
    with pytest.raises(StoreError) as caught, translated():
        raise state
    assert type(caught.value) is expected


def test_errors_that_are_not_a_databases_pass() -> None:
    with pytest.raises(ZeroDivisionError), translated():
        raise ZeroDivisionError
