"""Asking SQLite whether its file is sound."""

from __future__ import annotations

import peewee

from merchant_agent.errors import StoreCorruptError
from merchant_agent.store.store import Store


def integrity_problems(store: Store, *, quick: bool) -> list[str]:
    """What SQLite finds wrong, at most 100 lines; empty when sound, and on PostgreSQL.

    `quick` leaves out that indexes match their tables: some seconds for 450 MB from a cold disk.
    """
    if not store.is_file:
        return []
    pragma = "quick_check" if quick else "integrity_check"
    try:
        with store.read() as reader:
            rows = reader.all(peewee.RawQuery(f"PRAGMA {pragma}(100)").tuples())
    except StoreCorruptError as error:
        return [str(error)]
    return [row[0] for row in rows if row[0] != "ok"]
