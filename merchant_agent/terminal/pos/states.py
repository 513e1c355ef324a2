"""How a way stands, in one code that pages have words for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StateCode(StrEnum):
    """One of these at any time."""

    OFF = "off"
    WAITING = "waiting"
    CONNECTED = "connected"
    PORT_TAKEN = "port_taken"
    UNREACHABLE = "unreachable"
    AWAY = "away"
    RIGHTS = "rights"
    SIGN_IN = "sign_in"
    FOREIGN = "foreign"


GOOD = frozenset({StateCode.WAITING, StateCode.CONNECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`detail` is what the system or the other side said, in its own words."""

    code: StateCode
    detail: str = ""

    @property
    def is_good(self) -> bool:
        """Whether sales can come."""
        return self.code in GOOD
