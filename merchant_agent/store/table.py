"""The base of every model: unbound, so that several stores live in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import Model, ModelDelete


class Table(Model):
    """A model without a database; queries run in a `Reader` or `Writer`, which has one.

    Models use TEXT, INTEGER, BLOB and REAL columns alone (see `fields`): on SQLite every
    table is STRICT.
    """

    if TYPE_CHECKING:
        # types-peewee 4.5.1 declares it as a variable of type Self, which mypy refuses on a class.
        @classmethod
        def delete(cls) -> ModelDelete:
            """A DELETE of this model's rows."""

    class Meta:
        legacy_table_names = False
