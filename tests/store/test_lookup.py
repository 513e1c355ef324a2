from __future__ import annotations

from pathlib import Path

from merchant_agent.store.fields import from_ms
from merchant_agent.store.lookup import Lookup
from tests.store.things import Thing, add, sqlite_store

_BY_NAME = Lookup(Thing, "name = ?")
_FROM = Lookup(Thing, "number >= ? ORDER BY number")


def test_a_row_is_what_a_query_finds(tmp_path: Path) -> None:
    with sqlite_store(tmp_path / "things.db") as store:
        with store.write() as writer:
            writer.create_tables([Thing])
            row = Thing.insert(number=7, name="seven", data=b"\x00\xff", tags=["不错"], at=from_ms(1_234))
            writer.execute(row)
        with store.read() as reader:
            found = _BY_NAME.first(reader, "seven")
            expected = reader.first(Thing.select().where(Thing.name == "seven"))
    assert found is not None
    assert expected is not None
    assert found.__data__ == expected.__data__


def test_what_is_null_is_none(tmp_path: Path) -> None:
    with sqlite_store(tmp_path / "things.db") as store, store.write() as writer:
        writer.create_tables([Thing])
        add(writer, 1)
        found = _BY_NAME.first(writer, "thing 1")
    assert found is not None
    assert found.__data__ == {"number": 1, "name": "thing 1", "data": None, "tags": None, "at": None}


def test_a_lookup_finds_all_or_none(tmp_path: Path) -> None:
    with sqlite_store(tmp_path / "things.db") as store, store.write() as writer:
        writer.create_tables([Thing])
        for number in (3, 1, 2):
            add(writer, number)
        assert [thing.number for thing in _FROM.all(writer, 2)] == [2, 3]
        assert _FROM.all(writer, 4) == []
        assert _BY_NAME.first(writer, "thing 4") is None
