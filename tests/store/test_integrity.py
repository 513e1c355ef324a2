from __future__ import annotations

from pathlib import Path

from merchant_agent.store.integrity import integrity_problems
from merchant_agent.store.store import Store
from tests.store.things import Thing, add, sqlite_store

_PAGE = 4096


def _many(path: Path) -> None:
    with sqlite_store(path) as store, store.write() as writer:
        writer.create_tables([Thing])
        for number in range(500):
            add(writer, number, data=bytes(500))


def test_a_sound_database_has_no_problems(store: Store) -> None:
    assert integrity_problems(store, quick=True) == []
    assert integrity_problems(store, quick=False) == []


def test_an_overwritten_page_is_found(tmp_path: Path) -> None:
    path = tmp_path / "things.db"
    _many(path)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // _PAGE // 2 * _PAGE)
        file.write(b"\xff" * _PAGE)
    with sqlite_store(path) as store:
        assert integrity_problems(store, quick=True)


def test_an_index_that_misses_a_row_is_found_by_the_full_check_alone(tmp_path: Path) -> None:
    path = tmp_path / "things.db"
    _many(path)
    octets = path.read_bytes()
    # The name in the index, not the one in the row: an index entry has it alone.
    place = octets.rindex(b"thing 321")
    assert octets.count(b"thing 321") == 2
    path.write_bytes(octets[:place] + b"thing 32!" + octets[place + 9 :])
    with sqlite_store(path) as store:
        assert integrity_problems(store, quick=True) == []
        assert integrity_problems(store, quick=False)
