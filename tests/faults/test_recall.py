"""A ledger that its disk lost: central has what it acknowledged, and gives it back before anything is signed."""

from __future__ import annotations

from pathlib import Path

from merchant_agent.terminal.collect.recovery import sign_kept
from merchant_agent.terminal.damage import heal
from merchant_agent.terminal.store.opening import DATABASE_NAME
from tests.clocks import ManualClock
from tests.live_central import LiveCentral
from tests.terminal.conftest import live_central
from tests.terminal.station import Station

__all__ = ["live_central"]


def _hold(station: Station) -> str | None:
    return station.hold


def test_what_a_damaged_database_lost_comes_back_from_central_before_anything_is_signed(
    tmp_path: Path, clock: ManualClock, live_central: LiveCentral
) -> None:
    with Station(tmp_path / "terminal", clock, live_central) as station:
        station.enrol().serve(20)
        station.send()
        before = station.octets()
        station.close()
        path = station.path / DATABASE_NAME
        path.write_bytes(bytes(path.stat().st_size))
        station.open()
        assert station.hold == "damage"
        assert station.octets() == []
        station.send()
        assert (_hold(station), station.epoch) == (None, 2)
        sign_kept(station.terminal)
        station.serve(1, level=1)
        station.send()
        assert station.octets()[: len(before)] == before
        assert live_central.records() == station.octets()
        assert station.verdict().violations == ()
        assert not heal(station.terminal)
