"""A table to try the store with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peewee

from merchant_agent.store.database import open_sqlite
from merchant_agent.store.fields import InstantField, JsonField
from merchant_agent.store.store import Reader, Store, Writer
from merchant_agent.store.table import Table

APPLICATION_ID = 0x7465_7374


class Thing(Table):
    number = peewee.IntegerField(primary_key=True)
    name = peewee.TextField(unique=True)
    data = peewee.BlobField(null=True)
    tags = JsonField(null=True)
    at = InstantField(null=True)

    class Meta:
        table_name = "thing"


def add(writer: Writer, number: int, name: str | None = None, data: bytes | None = None) -> None:
    writer.execute(Thing.insert(number=number, name=name or f"thing {number}", data=data))


def numbers(reader: Reader) -> list[int]:
    return [row[0] for row in reader.all(Thing.select(Thing.number).order_by(Thing.number).tuples())]


@contextmanager
def sqlite_store(path: Path) -> Iterator[Store]:
    store = Store(open_sqlite(path, application_id=APPLICATION_ID))
    try:
        yield store
    finally:
        store.close()
