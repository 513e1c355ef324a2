from __future__ import annotations

import os
import threading
from pathlib import Path

import apsw
import pytest

from merchant_agent.errors import StoreError, StoreFullError
from merchant_agent.store.backup import backup, backup_into, newest_backup
from merchant_agent.store.integrity import integrity_problems
from merchant_agent.store.store import Store
from tests.store.things import Thing, add, numbers, sqlite_store

_PAGE = 4096


def _numbers_in(path: Path) -> list[int]:
    with sqlite_store(path) as copy:
        assert integrity_problems(copy, quick=False) == []
        with copy.read() as reader:
            return numbers(reader)


def test_a_copy_has_what_was_committed(file_store: Store, tmp_path: Path) -> None:
    with file_store.write() as writer:
        add(writer, 1)
    backup(file_store, tmp_path / "copy.db")
    with file_store.write() as writer:
        add(writer, 2)
    assert _numbers_in(tmp_path / "copy.db") == [1]


def test_writers_go_on_meanwhile(file_store: Store, tmp_path: Path) -> None:
    with file_store.write() as writer:
        for number in range(500):
            add(writer, number, data=bytes(4_000))
    stop = threading.Event()
    written = threading.Event()

    def write() -> None:
        number = 1_000
        while not stop.is_set():
            with file_store.write() as writer:
                add(writer, number)
                add(writer, number + 1)
            number += 2
            written.set()

    thread = threading.Thread(target=write)
    thread.start()
    written.wait()
    backup(file_store, tmp_path / "copy.db")
    stop.set()
    thread.join()
    found = _numbers_in(tmp_path / "copy.db")
    assert found[:500] == list(range(500))
    assert len(found) % 2 == 0


def test_an_old_copy_is_replaced_as_a_whole(file_store: Store, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    backup(file_store, target)
    (tmp_path / "copy.db.new").write_bytes(b"left by a crash")
    with file_store.write() as writer:
        add(writer, 1)
    backup(file_store, target)
    assert _numbers_in(target) == [1]
    assert not (tmp_path / "copy.db.new").exists()


def test_the_newest_are_kept(file_store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    for number in range(5):
        with file_store.write() as writer:
            add(writer, number)
        backup_into(file_store, folder, stem="things", keep=3)
    assert sorted(path.name for path in folder.iterdir()) == [
        f"things-00000{number}.db" for number in (3, 4, 5)
    ]
    newest = newest_backup(folder, stem="things")
    assert newest is not None
    assert _numbers_in(newest) == [0, 1, 2, 3, 4]


def test_other_files_beside_the_copies_are_left_alone(file_store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for name in ("things-1.db", "things-000001.db.old", "others-000009.db", "things-000001-x.db"):
        (folder / name).touch()
    backup_into(file_store, folder, stem="things", keep=1)
    backup_into(file_store, folder, stem="things", keep=1)
    assert len(list(folder.iterdir())) == 5
    assert (folder / "things-000002.db").exists()


def test_no_copy_is_no_newest(tmp_path: Path) -> None:
    assert newest_backup(tmp_path, stem="things") is None


def test_a_damaged_database_can_still_be_copied(tmp_path: Path) -> None:
    path = tmp_path / "things.db"
    with sqlite_store(path) as store, store.write() as writer:
        writer.create_tables([Thing])
        for number in range(200):
            add(writer, number, data=bytes(1_000))
    with path.open("r+b") as file:
        file.seek(20 * _PAGE)
        file.write(b"\xff" * _PAGE)
    with sqlite_store(path) as store:
        assert integrity_problems(store, quick=True) != []
        backup(store, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_bytes()[_PAGE:] == path.read_bytes()[_PAGE:]


def test_a_disk_that_is_too_small_is_not_filled(file_store: Store, tmp_path: Path) -> None:
    with file_store.write() as writer:
        add(writer, 1)
    folder = tmp_path / "backups"
    kept = backup_into(file_store, folder, stem="things", keep=1)
    # A sparse file: larger than any disk, in no space.
    os.truncate(tmp_path / "things.db", 1 << 43)
    with pytest.raises(StoreFullError):
        backup_into(file_store, folder, stem="things", keep=1)
    assert list(folder.iterdir()) == [kept]


def test_a_copy_that_cannot_be_written_leaves_nothing(file_store: Store, tmp_path: Path) -> None:
    (tmp_path / "copy.db").mkdir()
    with pytest.raises(StoreError):
        backup(file_store, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db.new").exists()
    with pytest.raises(StoreError):
        backup(file_store, tmp_path / "missing" / "copy.db")


def test_a_servers_database_is_not_copied_here(server_store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        backup(server_store, tmp_path / "copy.db")


def test_a_copy_is_complete_without_its_wal(file_store: Store, tmp_path: Path) -> None:
    with file_store.write() as writer:
        add(writer, 1)
    backup(file_store, tmp_path / "copy.db")
    assert not list(tmp_path.glob("copy.db-*"))
    connection = apsw.Connection(
        f"file:{tmp_path / 'copy.db'}?immutable=1", flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    )
    assert connection.execute("SELECT number FROM thing").fetchall() == [(1,)]
    connection.close()
