"""Holds: while one lasts nothing is signed, over restarts too, and somebody in the shop is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal import alarms
from merchant_agent.terminal.store import models

Reason = Literal["behind", "frozen", "restored", "key", "damage", "epoch", "ended"]

ALARMS: Mapping[Reason, str] = {
    "behind": "hold-behind",
    "frozen": "hold-frozen",
    "restored": "hold-restored",
    "key": "hold-key",
    "damage": "hold-damage",
    "epoch": "hold-epoch",
    "ended": "hold-ended",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why nothing is signed, and since when; `detail` is for the log."""

    reason: Reason
    detail: str
    at: datetime


def load_hold(reader: Reader) -> Hold | None:
    """The hold that lasts, or None."""
    row: models.Hold | None = reader.first(models.Hold.select())
    return None if row is None else Hold(reason=cast("Reason", row.reason), detail=row.detail, at=row.at)


def save_hold(writer: Writer, hold: Hold) -> None:
    """Makes it the one that lasts, with its alarm, which takes the place of another's."""
    writer.execute(models.Hold.delete())
    writer.execute(models.Hold.insert(number=1, reason=hold.reason, detail=hold.detail, at=hold.at))
    _clear_alarms(writer, hold.at, but=hold.reason)
    alarms.raise_alarm(writer, at=hold.at, code=ALARMS[hold.reason])


def end_hold(writer: Writer, at: datetime) -> None:
    """Takes the hold and its alarm away."""
    writer.execute(models.Hold.delete())
    _clear_alarms(writer, at)


def _clear_alarms(writer: Writer, at: datetime, *, but: Reason | None = None) -> None:
    for reason, code in ALARMS.items():
        if reason != but:
            alarms.clear_alarms(writer, at=at, code=code)
