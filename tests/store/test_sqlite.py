from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import apsw
import peewee
import pytest

from merchant_agent.errors import StartError, StoreCorruptError, StoreError
from merchant_agent.store.database import SqliteFile, open_sqlite, open_sqlite_read_only
from merchant_agent.store.store import Reader, Store
from tests.store.things import APPLICATION_ID, Thing, add, numbers, sqlite_store

_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL
    "secure_delete": 1,
    "busy_timeout": 5000,
    "foreign_keys": 1,
    "journal_size_limit": 8 << 20,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "mmap_size": 0,
    "cache_size": -512,
    "wal_autocheckpoint": 0,
    "application_id": APPLICATION_ID,
}


def _file(store: Store) -> SqliteFile:
    assert isinstance(store.database, SqliteFile)
    return store.database


def _wal(store: Store) -> Path:
    return _file(store).path.with_name("things.db-wal")


def _pragmas(reader: Reader) -> dict[str, object]:
    return {name: reader.scalar(peewee.RawQuery(f"PRAGMA {name}")) for name in _PRAGMAS}


def test_the_writing_connection_is_set_up_for_power_cuts(file_store: Store) -> None:
    with file_store.write() as writer:
        assert _pragmas(writer) == _PRAGMAS


def test_readers_are_set_up_likewise(file_store: Store) -> None:
    with file_store.read() as reader:
        assert _pragmas(reader) == _PRAGMAS


def test_sqlite_is_free_of_the_wal_reset_bug() -> None:
    # Source: https://www.sqlite.org/wal.html, section 11.
    assert tuple(int(part) for part in apsw.sqlitelibversion().split(".")) >= (3, 51, 3)


def test_a_reader_cannot_write(file_store: Store) -> None:
    with file_store.read() as reader, pytest.raises(StoreError):
        reader.all(Thing.insert(number=1, name="one").returning(Thing.number))


def test_another_programs_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite_store(path) as store, store.write() as writer:
        writer.create_tables([Thing])
    with pytest.raises(StartError):
        open_sqlite(path, application_id=APPLICATION_ID + 1)
    with pytest.raises(StartError):
        open_sqlite_read_only(path, application_id=APPLICATION_ID + 1)
    with sqlite_store(path) as store, store.read() as reader:
        assert numbers(reader) == []


def test_an_unmarked_file_with_tables_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE somebody (elses)")
    connection.close()
    with pytest.raises(StartError):
        open_sqlite(path, application_id=APPLICATION_ID)


def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "noise.db"
    path.write_bytes(b"no database at all, though long enough to look for a header in it" * 100)
    with pytest.raises(StoreCorruptError):
        open_sqlite(path, application_id=APPLICATION_ID)
    assert path.read_bytes().startswith(b"no database")


def test_opening_read_only_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(StartError):
        open_sqlite_read_only(tmp_path / "missing.db", application_id=APPLICATION_ID)
    assert list(tmp_path.iterdir()) == []


def test_read_only_sees_what_the_owner_committed_so_far(file_store: Store) -> None:
    beside = Store(open_sqlite_read_only(_file(file_store).path, application_id=APPLICATION_ID))
    with file_store.write() as writer:
        add(writer, 1)
    with beside.read() as reader:
        assert numbers(reader) == [1]
        with file_store.write() as writer:
            add(writer, 2)
        assert numbers(reader) == [1]
    with pytest.raises(StoreError), beside.write():
        pass
    beside.close()
    with file_store.write() as writer:
        add(writer, 3)


_DIE_WITH_A_WAL = """
import os, sys
from pathlib import Path
from tests.store.things import Thing, add, sqlite_store
with sqlite_store(Path(sys.argv[1])) as store:
    with store.write() as writer:
        writer.create_tables([Thing])
        add(writer, 1)
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_committed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "things.db"
    killed = subprocess.run([sys.executable, "-c", _DIE_WITH_A_WAL, path], check=False)
    assert killed.returncode == -9
    beside = Store(open_sqlite_read_only(path, application_id=APPLICATION_ID))
    with beside.read() as reader:
        assert numbers(reader) == [1]
    beside.close()
    with sqlite_store(path) as store, store.read() as reader:
        assert numbers(reader) == [1]


def test_the_wal_does_not_grow_for_ever(file_store: Store) -> None:
    for number in range(40):
        with file_store.write() as writer:
            add(writer, number, data=bytes(1 << 20))
    assert _wal(file_store).stat().st_size < 12 << 20


def test_the_wal_is_brought_in_after_a_reader_held_it(file_store: Store) -> None:
    with file_store.write() as writer:
        add(writer, 1)
    with _file(file_store).reading() as handle:
        handle.execute_sql("SELECT * FROM thing").fetchall()
        for number in range(2, 14):
            with file_store.write() as writer:
                add(writer, number, data=bytes(1 << 20))
    before = _wal(file_store).stat().st_size
    for number in range(14, 30):
        with file_store.write() as writer:
            add(writer, number, data=bytes(1 << 20))
    assert _wal(file_store).stat().st_size <= before + (10 << 20)


def test_what_was_erased_is_gone_from_the_disk(file_store: Store) -> None:
    with file_store.write() as writer:
        add(writer, 1, name="erase these very words")
        add(writer, 2, name="keep these very words")
    file_store.checkpoint()
    with file_store.write() as writer:
        writer.execute(Thing.delete().where(Thing.number == 1))
    file_store.checkpoint(truncate=True)
    assert _wal(file_store).stat().st_size == 0
    octets = _file(file_store).path.read_bytes()
    assert b"erase these very words" not in octets
    assert b"keep these very words" in octets
