"""Odoo's orders become sales: paged, over restarts of both sides, and with errors that people can mend."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from merchant_agent.errors import InvalidError
from merchant_agent.terminal.pos.odoo.polling import PAGE, OdooPolling
from merchant_agent.terminal.pos.sightings import Outcome, Sighting
from merchant_agent.terminal.pos.states import StateCode
from merchant_agent.terminal.pos.trying import try_way
from merchant_agent.terminal.pos.ways import (
    OdooDetails,
    add_way,
    change_way,
    list_ways,
    load_progress,
    switch_way,
)
from tests.terminal.collect.shop import Shop
from tests.terminal.pos.odoo.server import DATABASE, KEY, LOGIN, Odoo

# 12:00:00 of the shop's clock, as Odoo tells times.
NOON = "2026-05-20 04:00:00"


@pytest.fixture
def odoo() -> Iterator[Odoo]:
    made = Odoo()
    yield made
    made.close()


class Plugged:
    """The shop's Odoo, set up by its manager; `look` is one poll."""

    def __init__(self, shop: Shop, odoo: Odoo, *, key: str = KEY, dry_run: bool = False) -> None:
        self.seen: list[Sighting] = []
        details = OdooDetails(url=odoo.url, database=DATABASE, login=LOGIN, api_key=key)
        with shop.terminal.store.write() as writer:
            number = add_way(writer, name="Odoo", till="", details=details)
            switch_way(writer, number, dry_run=dry_run)
        self.restart(shop)

    def restart(self, shop: Shop) -> None:
        """As after a restart of the terminal."""
        with shop.terminal.store.read() as reader:
            (way,) = list_ways(reader)
        assert isinstance(way.details, OdooDetails)
        self._details = way.details
        self._polling = OdooPolling(shop.terminal, way, way.details, show=self.seen.append)

    def look(self) -> StateCode:
        """One poll, and how it stands then."""
        self._polling.look()
        return self._polling.state.code

    def check(self) -> StateCode:
        """The manager's test."""
        return try_way(self._details).code


@pytest.fixture
def plugged(shop: Shop, odoo: Odoo) -> Callable[..., Plugged]:
    def make(*, key: str = KEY, dry_run: bool = False) -> Plugged:
        return Plugged(shop, odoo, key=key, dry_run=dry_run)

    return make


def test_order_becomes_a_prompt_once(shop: Shop, odoo: Odoo, plugged: Callable[..., Plugged]) -> None:
    plug = plugged()
    assert plug.look() is StateCode.CONNECTED
    odoo.sell("0001", "2026-05-20 04:00:01.500000")
    for _ in range(3):
        plug.look()
    assert shop.story() == ["prompt"]
    assert shop.shown() == "0001"
    assert [(seen.outcome, seen.amount) for seen in plug.seen] == [(Outcome.ASKED, "64.00 CNY")]


def test_orders_of_before_the_connection_ask_nobody_even_when_the_session_is_closed(
    shop: Shop, odoo: Odoo, plugged: Callable[..., Plugged]
) -> None:
    old = odoo.sell("0001", "2026-05-20 01:00:00.100000")
    plug = plugged()
    plug.look()
    plug.look()
    old |= {"write_date": "2026-05-20 04:00:30.000000", "state": "done"}
    plug.look()
    assert shop.story() == []


def test_closing_a_session_asks_nobody_again(shop: Shop, odoo: Odoo, plugged: Callable[..., Plugged]) -> None:
    plug = plugged()
    plug.look()
    order = odoo.sell("0001", "2026-05-20 04:00:01.000000")
    plug.look()
    order |= {"write_date": "2026-05-20 14:00:00.000000", "state": "done"}
    plug.look()
    assert shop.story() == ["prompt"]


def test_pages_lose_none_though_all_were_written_in_one_second(
    shop: Shop, odoo: Odoo, plugged: Callable[..., Plugged]
) -> None:
    plug = plugged()
    plug.look()
    count = 2 * PAGE + 30
    for number in range(count):
        odoo.sell(f"{number:04}", f"2026-05-20 04:00:01.{999 - number:03}000")
    plug.look()
    plug.look()
    assert len([seen for seen in plug.seen if seen.outcome is Outcome.ASKED]) == count
    assert len([record for record in shop.story() if record.startswith("prompt")]) == count


def test_order_that_becomes_visible_late_within_a_second_is_not_lost(
    shop: Shop, odoo: Odoo, plugged: Callable[..., Plugged]
) -> None:
    """Odoo's time of writing is that of the transaction's beginning; its end may come after another's."""
    plug = plugged()
    plug.look()
    odoo.sell("0002", "2026-05-20 04:00:10.900000", id=9)
    plug.look()
    odoo.sell("0001", "2026-05-20 04:00:10.200000", id=3)
    odoo.sell("0000", "2026-05-20 04:00:05.000000", id=2)
    plug.look()
    assert sorted(seen.order for seen in plug.seen) == ["0000", "0001", "0002"]
    assert [record for record in shop.story() if record.startswith("prompt")].__len__() == 3


def test_restart_of_the_terminal_goes_on_where_it_was(
    shop: Shop, odoo: Odoo, plugged: Callable[..., Plugged]
) -> None:
    plug = plugged()
    plug.look()
    odoo.sell("0001", "2026-05-20 04:00:01.000000")
    plug.look()
    odoo.sell("0002", "2026-05-20 04:00:02.000000")
    shop.restart()
    plug.restart(shop)
    plug.look()
    assert [seen.order for seen in plug.seen] == ["0001", "0002"]


def test_restart_of_odoo_is_waited_for(shop: Shop, odoo: Odoo, plugged: Callable[..., Plugged]) -> None:
    plug = plugged()
    plug.look()
    odoo.close()
    assert plug.look() is StateCode.UNREACHABLE
    assert plug.check() is StateCode.UNREACHABLE
    again = Odoo(odoo.port)
    again.sell("0001", "2026-05-20 04:00:01.000000")
    assert plug.look() is StateCode.CONNECTED
    again.close()
    assert shop.story() == ["prompt"]


def test_user_without_the_right_is_told_and_goes_on_once_it_has_it(
    shop: Shop, odoo: Odoo, plugged: Callable[..., Plugged]
) -> None:
    plug = plugged()
    plug.look()
    odoo.is_allowed = False
    odoo.sell("0001", "2026-05-20 04:00:01.000000")
    assert plug.look() is StateCode.RIGHTS
    assert plug.check() is StateCode.RIGHTS
    odoo.is_allowed = True
    assert plug.look() is StateCode.CONNECTED
    assert shop.story() == ["prompt"]


def test_wrong_key_is_told(plugged: Callable[..., Plugged]) -> None:
    plug = plugged(key="wrong")
    assert plug.look() is StateCode.SIGN_IN
    assert plug.check() is StateCode.SIGN_IN


def test_key_that_was_changed_in_odoo_is_told(odoo: Odoo, plugged: Callable[..., Plugged]) -> None:
    plug = plugged()
    plug.look()
    odoo.key = "another"
    plug.look()
    assert plug.look() is StateCode.SIGN_IN


@pytest.mark.parametrize(
    "members", [{"amount_total": -64.0}, {"is_refund": True}, {"state": "draft"}, {"state": "cancel"}]
)
def test_refunds_and_what_was_not_paid_are_no_sales(
    shop: Shop, odoo: Odoo, plugged: Callable[..., Plugged], members: dict[str, object]
) -> None:
    plug = plugged()
    plug.look()
    odoo.sell("0001", "2026-05-20 04:00:01.000000", **members)
    plug.look()
    assert shop.story() == []


def test_reprint_asks_nobody_again(shop: Shop, odoo: Odoo, plugged: Callable[..., Plugged]) -> None:
    plug = plugged()
    plug.look()
    order = odoo.sell("0001", "2026-05-20 04:00:01.000000")
    plug.look()
    order |= {"write_date": "2026-05-20 04:09:00.000000"}
    plug.look()
    assert shop.story() == ["prompt"]


def test_dry_run_asks_nobody_and_shows_what_it_would(
    shop: Shop, odoo: Odoo, plugged: Callable[..., Plugged]
) -> None:
    plug = plugged(dry_run=True)
    plug.look()
    odoo.sell("0001", "2026-05-20 04:00:01.000000")
    plug.look()
    assert shop.story() == []
    assert [seen.outcome for seen in plug.seen] == [Outcome.DRY_RUN]


def test_order_that_could_not_be_stored_is_taken_later(
    shop: Shop, odoo: Odoo, plugged: Callable[..., Plugged]
) -> None:
    plug = plugged()
    plug.look()
    odoo.sell("0001", "2026-05-20 04:00:01.000000")
    with shop.failing("INSERT ON record"):
        plug.look()
    assert shop.story() == []
    plug.look()
    assert shop.story() == ["prompt"]


@pytest.mark.parametrize("part", ["amount_total", "date_order", "name", "currency_id"])
@pytest.mark.parametrize("value", [False, "x", 1e40, [1], {}])
def test_order_that_is_none_holds_up_no_other(
    shop: Shop, odoo: Odoo, plugged: Callable[..., Plugged], part: str, value: object
) -> None:
    plug = plugged()
    plug.look()
    odoo.sell("0001", "2026-05-20 04:00:01.000000").update({part: value, "pos_reference": False})
    odoo.sell("0002", "2026-05-20 04:00:02.000000")
    for _ in range(3):
        assert plug.look() is StateCode.CONNECTED
    assert shop.shown() == "0002"


@pytest.mark.parametrize("url", ["", "odoo", "ftp://odoo", "http://", "http://[odoo"])
def test_address_that_is_no_odoos_is_refused(url: str) -> None:
    with pytest.raises(InvalidError) as caught:
        OdooDetails(url=url, database=DATABASE, login=LOGIN, api_key=KEY)
    assert caught.value.code == "odoo-url"


def test_another_database_begins_anew_and_another_key_goes_on(
    shop: Shop, odoo: Odoo, plugged: Callable[..., Plugged]
) -> None:
    plug = plugged()
    plug.look()
    odoo.sell("0001", "2026-05-20 04:00:01.000000")

    def change(database: str) -> object:
        details = OdooDetails(url=odoo.url, database=database, login="another", api_key=KEY)
        with shop.terminal.store.write() as writer:
            change_way(writer, 1, name="Odoo", till="", details=details)
            return load_progress(writer, 1)

    assert change(DATABASE) is not None
    assert change("another") is None
