"""Terminals that fall silent: found once, while the shop says that it is open, and never by central's own fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from merchant_agent.central.findings import list_findings
from merchant_agent.central.rebuild import rebuild
from merchant_agent.central.schedule import Schedule
from merchant_agent.central.services import Central, close_central
from merchant_agent.central.silences import sweep_silences
from merchant_agent.evidence.bodies import Closure, EndBody, FindingBody, Kind, Opening, SettingsBody
from merchant_agent.evidence.fields import Place
from tests.central.conftest import Site
from tests.central.phone.customers import Visitor
from tests.central.rows import head_of
from tests.clocks import START, ManualClock

TODAY = Closure(first=START.date().isoformat(), last=START.date().isoformat())
ALL_DAY = tuple(Opening(weekday=weekday, from_="08:00", to="22:00") for weekday in range(1, 8))


@pytest.fixture
def site(site: Site) -> Site:
    """One whose records have five hours to arrive."""
    return replace(site, settings=replace(site.settings, deadline_hours=5))


def state_hours(
    visitor: Visitor, opening: tuple[Opening, ...] = ALL_DAY, closures: tuple[Closure, ...] = ()
) -> None:
    """The shop signs its hours."""
    visitor.sender.at = visitor.clock.now()
    body = SettingsBody(opening=opening, closures=closures, words=())
    visitor.sender.append(Kind.SETTINGS, body)
    visitor.upload()


def sell(visitor: Visitor) -> None:
    visitor.rate()
    visitor.upload()


def newest(visitor: Visitor) -> Place:
    return Place(issuer=visitor.sender.issuer, epoch=1, seq=len(visitor.sender.sent) - 1)


def test_silence_in_opening_hours_is_found_once(central: Central, visitor: Visitor) -> None:
    state_hours(visitor)
    sell(visitor)
    visitor.pass_time(4.9)
    assert sweep_silences(central) == 0
    visitor.pass_time(0.2)
    assert sweep_silences(central) == 1
    visitor.pass_time(5)
    assert sweep_silences(central) == 0
    assert visitor.said(Kind.FINDING) == [
        FindingBody(code="silent", place=newest(visitor), leaf=None, due_at=None)
    ]
    (found,) = list_findings(central).items
    assert (found.code, found.told_of, found.is_open) == ("silent", newest(visitor), True)
    assert rebuild(central.store).count == 0


def test_the_schedule_looks_for_it(central: Central, visitor: Visitor) -> None:
    state_hours(visitor)
    visitor.pass_time(5.1)
    Schedule(central).watch_terminals()
    assert len(visitor.said(Kind.FINDING)) == 1


def test_next_silence_is_found_anew(central: Central, visitor: Visitor) -> None:
    state_hours(visitor)
    for silences in (1, 2):
        sell(visitor)
        visitor.pass_time(5.1)
        assert sweep_silences(central) == 1
        assert len(visitor.said(Kind.FINDING)) == silences


def test_terminal_that_only_repeats_itself_is_not_silent(central: Central, visitor: Visitor) -> None:
    state_hours(visitor)
    for _ in range(2):
        visitor.pass_time(4.5)
        visitor.sender.upload(central, visitor.sender.body(0))
    assert sweep_silences(central) == 0


@pytest.mark.parametrize(
    ("opening", "closures"),
    [
        ((), ()),
        (ALL_DAY, (TODAY,)),
        (tuple(hours for hours in ALL_DAY if hours.weekday != START.isoweekday()), ()),
    ],
)
def test_closed_shop_may_be_silent(
    central: Central, visitor: Visitor, opening: tuple[Opening, ...], closures: tuple[Closure, ...]
) -> None:
    state_hours(visitor, opening, closures)
    visitor.pass_time(6)
    assert sweep_silences(central) == 0


def test_newest_hours_count(central: Central, visitor: Visitor) -> None:
    state_hours(visitor)
    state_hours(visitor, closures=(TODAY,))
    visitor.pass_time(5.1)
    assert sweep_silences(central) == 0
    state_hours(visitor)
    visitor.pass_time(4.9)
    assert sweep_silences(central) == 0
    visitor.pass_time(0.2)
    assert sweep_silences(central) == 1


def test_hours_of_an_earlier_epoch_still_count(central: Central, visitor: Visitor) -> None:
    state_hours(visitor)
    after = visitor.sender.next_epoch()
    after.at = visitor.clock.now()
    after.sell(1)
    after.upload_all(central)
    visitor.pass_time(5.1)
    assert sweep_silences(central) == 1
    (body,) = visitor.said(Kind.FINDING)
    assert isinstance(body, FindingBody)
    assert body.place == Place(issuer=after.issuer, epoch=2, seq=1)


def test_shop_that_never_stated_its_hours_owes_nothing(central: Central, visitor: Visitor) -> None:
    sell(visitor)
    visitor.pass_time(6)
    assert sweep_silences(central) == 0


def test_terminal_out_of_service_is_silent_for_good(central: Central, visitor: Visitor) -> None:
    state_hours(visitor)
    visitor.sender.append(Kind.END, EndBody(reason="closed"))
    visitor.upload()
    visitor.pass_time(6)
    assert sweep_silences(central) == 0


def test_central_that_was_away_accuses_nobody(central: Central, visitor: Visitor) -> None:
    state_hours(visitor)
    visitor.pass_time(72, log=False)
    assert sweep_silences(central) == 0
    visitor.publish()
    assert sweep_silences(central) == 0
    # From noon on Saturday.
    visitor.pass_time(5.1)
    assert sweep_silences(central) == 1


def test_terminal_gets_time_to_come_back_after_an_outage_at_night(central: Central, visitor: Visitor) -> None:
    state_hours(visitor)
    visitor.pass_time(4.9)
    visitor.pass_time(17, log=False)
    visitor.publish()
    visitor.pass_time(0.3)
    # Five hours of the log's own, and since it came back it is a quarter past ten.
    assert sweep_silences(central) == 0
    visitor.pass_time(4)
    assert sweep_silences(central) == 1


def test_processes_that_find_it_at_once_sign_it_once(
    site: Site, central: Central, visitor: Visitor, clock: ManualClock
) -> None:
    assert clock.now() == central.clock.now()
    state_hours(visitor)
    visitor.pass_time(5.1)
    # On SQLite one process has the data folder.
    other = site.open() if site.is_postgres else central
    assert sorted((sweep_silences(central), sweep_silences(other))) == [0, 1]
    if other is not central:
        close_central(other)
    assert len(visitor.said(Kind.FINDING)) == 1
    assert head_of(central, visitor.sender.issuer).state == "active"
