"""What somebody in the shop should look at: raised by the program, seen at the counter.

An alarm has a code, which chooses the words on the page, and a detail that tells one case
from another. Neither holds personal data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from merchant_agent.errors import NotFoundError
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.store import models

DAMAGED_ALARM = "store-damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An open alarm; `at` is when it was first raised."""

    number: int
    code: str
    detail: str
    at: datetime


def raise_alarm(writer: Writer, *, at: datetime, code: str, detail: str = "") -> None:
    """Opens an alarm, unless one of the same code and detail is open already."""
    row = models.Alarm
    same = (row.code == code) & (row.detail == detail) & row.cleared_at.is_null()
    if writer.first(row.select().where(same)) is None:
        writer.execute(row.insert(code=code, detail=detail, at=at))


def clear_alarms(writer: Writer, *, at: datetime, code: str, detail: str | None = None) -> int:
    """Closes what is over by itself: the code's alarms, or the one with that detail. How many there were."""
    row = models.Alarm
    which = (row.code == code) & row.cleared_at.is_null()
    if detail is not None:
        which &= row.detail == detail
    return writer.execute(row.update({row.cleared_at: at}).where(which))


def dismiss_alarm(writer: Writer, number: int, *, at: datetime) -> None:
    """Closes an alarm that somebody has seen.

    Raises:
        NotFoundError: "alarm", when no such alarm is open.
    """
    row = models.Alarm
    which = (row.number == number) & row.cleared_at.is_null()
    if writer.execute(row.update({row.cleared_at: at}).where(which)) == 0:
        raise NotFoundError("alarm", "no such alarm is open")


def open_alarms(reader: Reader) -> tuple[Alarm, ...]:
    """The open alarms, newest first."""
    row = models.Alarm
    rows = reader.all(row.select().where(row.cleared_at.is_null()).order_by(row.number.desc()))
    return tuple(
        Alarm(number=found.number, code=found.code, detail=found.detail, at=found.at) for found in rows
    )
