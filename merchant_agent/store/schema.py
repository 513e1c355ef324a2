"""Making and dropping the tables of unbound models."""

from __future__ import annotations

from collections.abc import Sequence

import peewee


def create_tables(database: peewee.Database, models: Sequence[type[peewee.Model]]) -> None:
    """Makes the tables and indexes of unbound models; STRICT on SQLite, where it is known.

    Indexes are named after their table, whatever the class is called.
    """
    for model in models:
        meta = model._meta  # noqa: SLF001  # peewee's name for it
        meta.strict_tables = is_sqlite(database)
        meta.legacy_table_names = False
        peewee.SchemaManager(model, database).create_all(safe=False)


def drop_tables(database: peewee.Database, models: Sequence[type[peewee.Model]]) -> None:
    """Drops the tables of unbound models, the last one first."""
    for model in reversed(models):
        peewee.SchemaManager(model, database).drop_all(safe=False)


def is_sqlite(database: peewee.Database) -> bool:
    """True for a database that knows STRICT tables and pragmas."""
    return isinstance(database, peewee.SqliteDatabase)
