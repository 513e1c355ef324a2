"""Columns that peewee lacks, in the five types that SQLite's STRICT tables allow.

STRICT refuses CharField, DateTimeField, DateField and DecimalField: text, whole numbers,
blobs and reals are all there is. Times are whole milliseconds, lists are JSON text.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from peewee import BigIntegerField, TextField

if TYPE_CHECKING:
    _Instant = BigIntegerField[datetime]
    _Json = TextField[Any]
else:
    _Instant = BigIntegerField
    _Json = TextField

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970, of an aware time; exact, without floats."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """The aware time in UTC, of milliseconds since 1970."""
    return _EPOCH + milliseconds * _MILLISECOND


class InstantField(_Instant):
    """An aware time; kept as milliseconds since 1970, read back in UTC."""

    def db_value(self, value: datetime | int | None) -> int | None:
        """Milliseconds; a number is taken as such."""
        return to_ms(value) if isinstance(value, datetime) else value

    def python_value(self, value: int | None) -> datetime | None:
        """The aware time in UTC."""
        return None if value is None else from_ms(value)


class JsonField(_Json):
    """Lists, numbers, texts and dictionaries as JSON text."""

    def db_value(self, value: object) -> str | None:
        """JSON with Chinese as it is."""
        return None if value is None else json_text(value)

    def python_value(self, value: str | None) -> object:
        """What was stored."""
        return None if value is None else json.loads(value)


def json_text(value: object) -> str:
    """The text that `JsonField` stores, for rows that are written without models."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
