"""Figures about the ways by which sales come, for watchdogs; a way is named by its kind and number alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from merchant_agent.terminal.pos.connections import Connections, is_of_a_way, source_of
from merchant_agent.terminal.pos.sightings import Tally
from merchant_agent.terminal.pos.ways import Way
from merchant_agent.web.metrics import Value

_HTTP = "http"


def pos_values(ways: Sequence[Way], connections: Connections, now: datetime) -> dict[str, Value]:
    """Each figure's values by way; `http` stands for all tokens, once anything came with one."""
    tallies = _by_name(ways, connections.sightings.tallies())
    ages = {
        name: max(0.0, (now - tally.last_sale_at).total_seconds())
        for name, tally in tallies.items()
        if tally.last_sale_at is not None
    }
    ready = {_name(way): int(connections.state(way).is_good) for way in ways if way.enabled}
    return {
        "pos_ready": ready,
        "pos_sales_total": {name: tally.sales for name, tally in tallies.items()},
        "pos_refused_total": {name: tally.refused for name, tally in tallies.items()},
        "pos_last_sale_age_seconds": ages,
    }


def _name(way: Way) -> str:
    return f"{way.kind}-{way.number}"


def _by_name(ways: Sequence[Way], tallies: Mapping[str, Tally]) -> dict[str, Tally]:
    found = {_name(way): tallies.get(source_of(way.number), Tally()) for way in ways}
    of_tokens = [tally for source, tally in tallies.items() if not is_of_a_way(source)]
    return found | ({_HTTP: _together(of_tokens)} if of_tokens else {})


def _together(tallies: Sequence[Tally]) -> Tally:
    last = [tally.last_sale_at for tally in tallies if tally.last_sale_at is not None]
    return Tally(
        sales=sum(tally.sales for tally in tallies),
        refused=sum(tally.refused for tally in tallies),
        last_sale_at=max(last, default=None),
    )
