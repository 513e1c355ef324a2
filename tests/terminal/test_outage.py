"""An honest shop that could not sign for hours: nothing it did is a violation, and what is found is what happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from merchant_agent.domain.sales import Sale
from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.administration import record_start
from merchant_agent.terminal.collect.answers import finish
from merchant_agent.terminal.collect.prompts import take_sale
from merchant_agent.terminal.collect.said import Answer
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.schedule import duties_of
from merchant_agent.terminal.store.holds import Reason
from tests.clocks import ManualClock
from tests.live_central import LiveCentral
from tests.terminal.station import Station

TILL = "1"
WEEK = "1-7 08:00-22:00"


def come(station: Station, level: int | None, *, dwell_ms: int = 4000) -> None:
    """A customer who answers, or leaves where there is no level."""
    sale = take_sale(station.terminal, Sale(order=new_id(station.clock.now()), till=TILL))
    assert sale is not None
    if level is not None:
        tablet = Tablet(id="0198-tablet", till=TILL)
        answer = Answer(prompt_id=sale.prompt_id, level=level)
        answer_id = new_id(station.clock.now())
        finish(station.terminal, tablet, answer_id, answer, ended="done", dwell_ms=dwell_ms)


def pass_hours(station: Station, hours: int) -> None:
    """Customers come and go, and the program does what is due."""
    quick = [duty for duty in duties_of(station.terminal, station.uploader) if not duty.slow]
    for minute in range(60 * hours):
        if minute % 30 == 0:
            come(station, None if minute % 60 else 1 + minute // 60 % 5)
        for duty in quick:
            if duty.timer.take():
                duty.run()
        station.clock.advance(60)


@pytest.mark.parametrize("reason", ["restored", "damage", "frozen"])
def test_an_honest_shop_with_an_outage_breaks_no_rule(
    tmp_path: Path, clock: ManualClock, live_central: LiveCentral, reason: Reason
) -> None:
    with Station(tmp_path / "terminal", clock, live_central) as station:
        station.settings = {"opening_hours": WEEK}
        station.enrol()
        record_start(station.terminal)
        pass_hours(station, 2)
        come(station, None)
        station.send()
        live_central.stop()
        station.terminal.journal.put_on_hold(reason)
        pass_hours(station, 7)
        live_central.start()
        station.send()
        pass_hours(station, 2)
        station.send()
        assert (station.hold, station.epoch) == (None, 2)
        assert live_central.records() == station.octets()
        verdict = station.verdict()
        assert verdict.violations == ()
        assert [finding.code for finding in verdict.findings] == ["silent"]
