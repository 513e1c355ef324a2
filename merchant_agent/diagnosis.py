"""What a doctor says: checks, each with a state and one plain sentence, and the worst of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum

_MANY_HOURS = 3


class State(IntEnum):
    """How a thing is; the number is the exit code."""

    HEALTHY = 0
    ATTENTION = 1
    BROKEN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at, by a short name; `text` holds no personal data."""

    name: str
    state: State
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All that was looked at in one program's data folder."""

    program: str
    checks: Sequence[Check]

    @property
    def state(self) -> State:
        """The worst of all."""
        return max((check.state for check in self.checks), default=State.HEALTHY)

    def as_json(self) -> str:
        """One line for programs."""
        checks = [
            {"name": each.name, "state": each.state.name.lower(), "text": each.text} for each in self.checks
        ]
        return json.dumps({"program": self.program, "state": self.state.name.lower(), "checks": checks})

    def lines(self) -> list[str]:
        """For people: what is worst stands first."""
        ordered = sorted(self.checks, key=lambda check: -check.state)
        marks = {State.HEALTHY: "ok     ", State.ATTENTION: "LOOK   ", State.BROKEN: "BROKEN "}
        return [f"{marks[check.state]} {check.name}: {check.text}" for check in ordered]


def healthy(name: str, text: str) -> Check:
    """All is well."""
    return Check(name=name, state=State.HEALTHY, text=text)


def attention(name: str, text: str) -> Check:
    """Somebody should look at it."""
    return Check(name=name, state=State.ATTENTION, text=text)


def broken(name: str, text: str) -> Check:
    """It does not work."""
    return Check(name=name, state=State.BROKEN, text=text)


def told_age(age: timedelta) -> str:
    """How long ago something was: in minutes, or in hours from the third on."""
    hours = age / timedelta(hours=1)
    return f"{hours:.0f} hours" if hours >= _MANY_HOURS else f"{hours * 60:.0f} minutes"
