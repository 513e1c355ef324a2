"""The manager enters a new code where the terminal cannot go on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from merchant_agent.terminal.accounts import set_password
from merchant_agent.terminal.app import create_app
from tests.clocks import ManualClock
from tests.live_central import LiveCentral
from tests.terminal.station import Station
from tests.terminal.web.people import PASSWORD, Person, words_of


@pytest.fixture
def station(tmp_path: Path, clock: ManualClock, live_central: LiveCentral) -> Iterator[Station]:
    """A terminal whose key is lost."""
    with Station(tmp_path / "terminal", clock, live_central) as station:
        station.enrol().serve(1)
        for path in (station.path / "keys").glob("*.pem"):
            path.unlink()
        station.restart()
        yield station


@pytest.fixture
def manager(station: Station) -> Person:
    set_password(station.terminal.store, station.clock, PASSWORD, who="test")
    person = Person.of(create_app(station.terminal, station.uploader, is_open=False))
    assert person.sign_in(PASSWORD, "/manager/sign-in").status_code == 302
    return person


def enter(manager: Person, code: str) -> str:
    """What the page says once the code was entered."""
    assert manager.send("/manager", "/manager/code", code=code).location == "/manager"
    return words_of(manager.see("/manager"))


def test_a_lost_key_is_told_and_a_new_code_goes_on(
    station: Station, manager: Person, live_central: LiveCentral
) -> None:
    assert "新登记码" in words_of(manager.see("/manager"))
    told = enter(manager, live_central.code().lower())
    assert "已恢复签名" in told
    assert "新登记码" not in told
    assert (station.hold, station.epoch) == (None, 2)
    station.send()
    assert live_central.records() == station.octets()


def test_a_code_that_is_wrong_is_told_and_changes_nothing(station: Station, manager: Person) -> None:
    assert "输入有误" in enter(manager, "ABC")
    assert "不存在" in enter(manager, "0" * 13)
    station.central.stop()
    assert "连接不上" in enter(manager, "0" * 13)
    assert (station.hold, station.epoch) == ("key", 1)
    station.central.start()


def test_nobody_needs_a_code_where_nothing_is_wrong(
    station: Station, manager: Person, live_central: LiveCentral
) -> None:
    enter(manager, live_central.code())
    assert "不需要登记码" in enter(manager, live_central.code())
    assert station.epoch == 2
