"""The base of every model: unbound, so that several stores live in one process."""

from __future__ import annotations

from peewee import Model


class Table(Model):
    """A model without a database; queries run in a `Reader` or `Writer`, which has one.

    Models use TEXT, INTEGER, BLOB and REAL columns alone (see `fields`): on SQLite every
    table is STRICT.
    """

    class Meta:
        legacy_table_names = False
