from __future__ import annotations

import peewee
import pytest

from merchant_agent.errors import StoreConflictError
from merchant_agent.store.rows import Rows
from merchant_agent.store.store import Store
from merchant_agent.store.table import Table
from tests.store.things import Thing, numbers


class Note(Table):
    thing = peewee.IntegerField(primary_key=True)
    text = peewee.TextField(null=True)

    class Meta:
        table_name = "note"


@pytest.fixture(autouse=True)
def note_table(store: Store) -> None:
    with store.write() as writer:
        writer.create_tables([Note])


def parts(first: int, last: int) -> list[Rows]:
    """Things of these numbers, each with a note, and an empty part between."""
    span = range(first, last + 1)
    return [
        Rows(model=Thing, columns=("number", "name", "data"), rows=[(n, f"thing {n}", None) for n in span]),
        Rows(model=Thing, columns=("number", "name"), rows=[]),
        Rows(model=Note, columns=("thing", "text"), rows=[(n, None if n % 2 else "%s") for n in span]),
    ]


@pytest.mark.parametrize("last", [1, 4, 5, 300])
def test_rows_of_several_tables_are_all_there(store: Store, last: int) -> None:
    with store.write() as writer:
        writer.copy_tables(parts(1, last))
    with store.read() as reader:
        assert numbers(reader) == list(range(1, last + 1))
        notes = dict(reader.all(Note.select(Note.thing, Note.text).tuples()))
    assert notes == {number: None if number % 2 else "%s" for number in range(1, last + 1)}


@pytest.mark.parametrize("last", [2, 300])
def test_one_row_too_many_undoes_all(store: Store, last: int) -> None:
    with store.write() as writer:
        writer.copy_tables(parts(2, 2))
    with pytest.raises(StoreConflictError), store.write() as writer:
        writer.copy_tables(parts(1, last))
    with store.read() as reader:
        assert numbers(reader) == [2]


def test_no_tables_can_be_copied(store: Store) -> None:
    with store.write() as writer:
        writer.copy_tables([])
        writer.copy_tables(parts(1, 0))
