"""What is set aside stays for its stated time, whatever the till's clock says."""

from __future__ import annotations

from pathlib import Path

from merchant_agent.terminal.damage import delete_quarantined
from merchant_agent.terminal.store.opening import DATABASE_NAME
from tests.clocks import ManualClock
from tests.live_central import LiveCentral
from tests.terminal.station import Station

_DAY_S = 86_400


def _set_aside(station: Station) -> int:
    return len(list(station.path.glob(f"quarantine/*/{DATABASE_NAME}")))


def test_a_damaged_database_is_kept_for_its_days_and_no_longer(
    tmp_path: Path, clock: ManualClock, live_central: LiveCentral
) -> None:
    with Station(tmp_path / "terminal", clock, live_central) as station:
        station.enrol().serve(1)
        station.send()
        station.close()
        (station.path / DATABASE_NAME).write_bytes(b"")
        station.open()
        assert (station.hold, delete_quarantined(station.terminal), _set_aside(station)) == ("damage", 0, 1)
        station.send()
        # The till's clock alone is no reason to delete anything.
        clock.step_wall(1000 * _DAY_S)
        assert delete_quarantined(station.terminal) == 0
        clock.step_wall(-1000 * _DAY_S)
        days = station.terminal.settings.quarantine_days
        for passed, deleted in ((days - 1, 0), (2, 1)):
            clock.advance(passed * _DAY_S)
            station.serve(1)
            station.send()
            assert delete_quarantined(station.terminal) == deleted
        assert _set_aside(station) == 0
