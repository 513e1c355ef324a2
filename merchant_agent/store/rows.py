"""Rows for one table, as a transaction inserts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import peewee


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """`columns` are column names; values are as the database keeps them (see `Writer.copy_rows`)."""

    model: type[peewee.Model]
    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]
