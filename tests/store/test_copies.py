from __future__ import annotations

import peewee

from merchant_agent.store.copies import Difference, copy_of, differences, replace_rows
from merchant_agent.store.store import Store, Writer
from merchant_agent.store.table import Table
from tests.store.things import Thing, add, numbers

COPY = copy_of(Thing)


class Pair(Table):
    left = peewee.IntegerField()
    right = peewee.TextField()
    value = peewee.TextField(null=True)

    class Meta:
        table_name = "pair"
        primary_key = peewee.CompositeKey("left", "right")


PAIRS = copy_of(Pair)


def _fill(writer: Writer) -> None:
    writer.create_tables([COPY])
    for number in range(1, 6):
        add(writer, number)
    replace_rows(writer, COPY, Thing)


def _different(key: int, *columns: str, is_live: bool = True) -> Difference:
    return Difference(table="thing", key=(key,), columns=columns, is_live=is_live)


def test_equal_tables_have_no_differences(store: Store) -> None:
    with store.write() as writer:
        _fill(writer)
        assert list(differences(writer, Thing, COPY)) == []


def test_every_difference_is_found(store: Store) -> None:
    with store.write() as writer:
        _fill(writer)
        writer.execute(Thing.update(name="changed", tags=["x"]).where(Thing.number == 2))
        writer.execute(Thing.update(data=b"\x00").where(Thing.number == 4))
        writer.execute(Thing.delete().where(Thing.number == 5))
        add(writer, 9)
        assert list(differences(writer, Thing, COPY)) == [
            _different(2, "name", "tags"),
            _different(4, "data"),
            _different(9),
            _different(5, is_live=False),
        ]


def test_the_copy_takes_the_place_of_the_live_rows(store: Store) -> None:
    with store.write() as writer:
        _fill(writer)
        writer.execute(Thing.update(tags=["x"]))
        writer.execute(Thing.delete().where(Thing.number == 5))
        add(writer, 9)
        replace_rows(writer, Thing, COPY)
        assert list(differences(writer, Thing, COPY)) == []
        writer.drop_tables([COPY])
    with store.read() as reader:
        assert numbers(reader) == [1, 2, 3, 4, 5]


def test_keys_of_several_columns_are_compared_as_one(store: Store) -> None:
    with store.write() as writer:
        writer.create_tables([Pair, PAIRS])
        for left, right in ((1, "a"), (1, "b"), (2, "a")):
            writer.execute(Pair.insert(left=left, right=right))
        replace_rows(writer, PAIRS, Pair)
        assert list(differences(writer, Pair, PAIRS)) == []
        writer.execute(Pair.update(value="x").where((Pair.left == 1) & (Pair.right == "b")))
        writer.execute(Pair.delete().where(Pair.left == 2))
        assert list(differences(writer, Pair, PAIRS)) == [
            Difference(table="pair", key=(1, "b"), columns=("value",), is_live=True),
            Difference(table="pair", key=(2, "a"), columns=(), is_live=False),
        ]
