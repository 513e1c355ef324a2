"""Finding rows of a model by SQL that is made once: for the few statements that run all the time."""

from __future__ import annotations

from typing import Generic, TypeVar

import peewee

from merchant_agent.store.store import Reader

M = TypeVar("M", bound=peewee.Model)


class Lookup(Generic[M]):
    """The rows of `model` for which `where` holds, SQL that both databases know with `?` for each parameter.

    Parameters are as the database keeps them: milliseconds for an `InstantField`. To build the
    same query with peewee takes ten times as long as the database takes to run it.
    """

    def __init__(self, model: type[M], where: str) -> None:
        fields = model._meta.sorted_fields  # noqa: SLF001  # peewee's name for them
        columns = ", ".join(f'"{field.column_name}"' for field in fields)
        table = model._meta.table_name  # noqa: SLF001  # likewise
        self._model = model
        self._fields = tuple((field.name, field.python_value) for field in fields)
        self._text = f'SELECT {columns} FROM "{table}" WHERE {where}'  # noqa: S608  # names are the model's own

    def all(self, reader: Reader, *parameters: object) -> list[M]:
        """Every such row.

        Raises:
            StoreError: they could not be read.
        """
        return [self._row(values) for values in reader.rows(self._text, *parameters)]

    def first(self, reader: Reader, *parameters: object) -> M | None:
        """One such row, or None where there is none.

        Raises:
            StoreError: as `all`.
        """
        return next(iter(self.all(reader, *parameters)), None)

    def _row(self, values: tuple[object, ...]) -> M:
        read = {name: of(value) for (name, of), value in zip(self._fields, values, strict=True)}
        return self._model(__no_default__=1, **read)
