"""The shop's own figures leave out what central's leave out, for the same reasons."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from merchant_agent.central.overview import public_figures
from merchant_agent.central.releases import make_releases
from merchant_agent.terminal.overview import ratings_of_day
from tests.clocks import ManualClock
from tests.live_central import LiveCentral
from tests.terminal.station import Station
from tests.terminal.test_outage import come


def test_both_programs_leave_out_the_same(
    tmp_path: Path, clock: ManualClock, live_central: LiveCentral
) -> None:
    with Station(tmp_path / "terminal", clock, live_central) as station:
        station.enrol()
        for wait_s, dwell_ms in [*[(5, 4000)] * 12, *[(90, 400)] * 3, *[(90, 4000)] * 2]:
            clock.advance(wait_s)
            come(station, 5, dwell_ms=dwell_ms)
        station.send()
        today = clock.now().date()
        clock.advance(timedelta(days=1).total_seconds())
        with station.terminal.store.read() as reader:
            day = ratings_of_day(reader, today, starts="00:00", now=clock.now())
        assert make_releases(live_central.central) == 1
        figures = public_figures(live_central.central, live_central.merchant)
        assert figures is not None
        assert (day.counted.counts, day.fast, day.burst) == ((0, 0, 0, 0, 10), 3, 4)
        assert (figures.distribution, figures.fast, figures.burst) == (day.counted, day.fast, day.burst)
