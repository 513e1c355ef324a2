"""Copies of tables: filled anew, compared row by row with the live ones, put in their place.

All inside one transaction, in which the copies are made and dropped again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import TypeVar

import peewee

from merchant_agent.store.store import Reader, Writer
from merchant_agent.store.table import Table

T = TypeVar("T", bound=Table)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A row that differs between a live table and its copy.

    `key` is its primary key, of one or more columns. `columns` are those that differ where
    both have the row; where only one has it they are empty, and `is_live` says which.
    """

    table: str
    key: tuple[object, ...]
    columns: tuple[str, ...]
    is_live: bool


def copy_of(model: type[T]) -> type[T]:
    """A model of the same columns and indexes for the table `copy_of_<name>`."""
    meta = type("Meta", (), {"table_name": f"copy_of_{_name(model)}"})
    return type(f"CopyOf{model.__name__}", (model,), {"__module__": __name__, "Meta": meta})


def differences(reader: Reader, live: type[Table], copy: type[Table]) -> Iterator[Difference]:
    """Every row in which the two differ, in flat memory; first those that are live, each part by key.

    No values are read but those of keys. To be used up inside the reader's block.
    """
    yield from _compare(reader, live, copy, is_live=True)
    yield from _compare(reader, copy, live, is_live=False)


def replace_rows(writer: Writer, live: type[Table], copy: type[Table]) -> None:
    """Gives the live table the rows of its copy, and no others."""
    writer.execute(live.delete())
    fields = live._meta.sorted_fields  # noqa: SLF001  # peewee's name for it
    names = [field.name for field in fields]
    source = copy.select(*(getattr(copy, name) for name in names))
    writer.execute(live.insert_from(source, fields))


def _compare(reader: Reader, one: type[Table], other: type[Table], *, is_live: bool) -> Iterator[Difference]:
    """Rows of `one` that `other` lacks; where `one` is live, also those that `other` has otherwise."""
    live = one if is_live else other
    keys = [field.name for field in live._meta.get_primary_keys()]  # noqa: SLF001  # peewee's name for it
    columns = [name for name in live._meta.fields if name not in keys]  # noqa: SLF001  # likewise
    is_missing = getattr(other, keys[0]).is_null()
    unequal = [_is_distinct(getattr(one, name), getattr(other, name)) for name in columns]
    query = (
        one.select(
            *(getattr(one, name) for name in keys),
            *(flag.converter(bool) for flag in (is_missing, *unequal)),
        )
        .join(
            other,
            peewee.JOIN.LEFT_OUTER,
            on=reduce(and_, (getattr(one, name) == getattr(other, name) for name in keys)),
        )
        .where(reduce(or_, unequal, is_missing) if is_live else is_missing)
        .order_by(*(getattr(one, name) for name in keys))
        .tuples()
    )
    for row in reader.iterate(query):
        key, missing, flags = row[: len(keys)], row[len(keys)], row[len(keys) + 1 :]
        yield Difference(
            table=_name(live),
            key=key,
            columns=() if missing else tuple(name for name, flag in zip(columns, flags, strict=True) if flag),
            is_live=is_live,
        )


def _is_distinct(one: peewee.Field[object], other: peewee.Field[object]) -> peewee.Expression:
    """Unequal, where two NULLs are equal; both databases know it."""
    return peewee.Expression(one, "IS DISTINCT FROM", other)


def _name(model: type[Table]) -> str:
    name: str = model._meta.table_name  # noqa: SLF001  # peewee's name for it
    return name
