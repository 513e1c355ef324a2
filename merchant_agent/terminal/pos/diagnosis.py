"""What the doctor says of the ways by which sales come: each that is on is tried, and when a sale came last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from merchant_agent.diagnosis import Check, attention, healthy, told_age
from merchant_agent.store.lookup import Lookup
from merchant_agent.store.store import Reader
from merchant_agent.terminal.pos.states import State, StateCode
from merchant_agent.terminal.pos.trying import try_way
from merchant_agent.terminal.pos.ways import Way, WayKind
from merchant_agent.terminal.store.models import Prompt

_NAME: Final = "pos"
_LAST: Final = Lookup(Prompt, "source = ? ORDER BY epoch DESC, seq DESC LIMIT 1")
_LAST_OF_TILL: Final = Lookup(Prompt, "source = ? AND till = ? ORDER BY epoch DESC, seq DESC LIMIT 1")
_TROUBLES: Final[Mapping[StateCode, str]] = {
    StateCode.UNREACHABLE: "cannot be reached",
    StateCode.AWAY: "is not there, or cannot be read",
    StateCode.RIGHTS: "does not let its user read orders",
    StateCode.SIGN_IN: "refuses the user or the key",
    StateCode.FOREIGN: "answers what is not understood",
}
_KINDS: Final[Mapping[WayKind, str]] = {
    WayKind.PRINTER: "printer",
    WayKind.FOLDER: "folder",
    WayKind.ODOO: "Odoo",
}


def last_sale_at(reader: Reader, way: Way) -> datetime | None:
    """When a sale of the way's kind, and of its till where it has one, last became a question."""
    last = _LAST_OF_TILL.first(reader, way.kind, way.till) if way.till else _LAST.first(reader, way.kind)
    return None if last is None else last.at


def check_ways(
    ways: Sequence[Way], last_sales: Mapping[int, datetime | None], now: datetime
) -> Iterator[Check]:
    """One check for each way that is on; may take seconds for each. `last_sales` are by its number."""
    for way in ways:
        if way.enabled:
            last = last_sales.get(way.number)
            yield _check(way, try_way(way.details), None if last is None else told_age(now - last))
    if not any(way.enabled for way in ways):
        yield healthy(_NAME, "No printer, folder or Odoo is set up; a POS may report sales with a token.")


def _check(way: Way, state: State, age: str | None) -> Check:
    what = f"The {_KINDS[way.kind]} '{way.name}'"
    last = "no sale came by it yet" if age is None else f"the last sale came {age} ago"
    if not state.is_good:
        return attention(_NAME, f"{what} {_TROUBLES[state.code]}; {last}.")
    if way.dry_run:
        return attention(_NAME, f"{what} is ready, and only tried out: nobody is asked about its sales.")
    return healthy(_NAME, f"{what} is ready; {last}.")
