"""How a browser becomes a tablet, and stops being one."""

from __future__ import annotations

import re

from flask import Flask

from merchant_agent.terminal.devices import list_tablets, make_pairing_link
from tests.terminal.collect.shop import Shop
from tests.terminal.web.doors import Kiosk
from tests.terminal.web.people import Person, words_of

_ADDRESS = re.compile(r"http://localhost(/kiosk/pair/[0-9a-z]{12})")


def _link(shop: Shop) -> str:
    with shop.terminal.store.write() as writer:
        return f"/kiosk/pair/{make_pairing_link(writer, at=shop.clock.now())}"


def test_a_link_from_the_counter_makes_a_tablet(app: Flask, staff: Person, anybody: Person) -> None:
    page = staff.send("/counter", "/counter/links").get_data(as_text=True)
    address = _ADDRESS.search(page)
    assert address is not None
    assert "<svg" in page
    assert anybody.client.get("/kiosk").status_code == 401
    answer = anybody.client.get(address[1])
    assert (answer.status_code, answer.location) == (302, "/kiosk#paired")
    assert "data-config" in anybody.see("/kiosk")
    assert Person.of(app).client.get("/kiosk").status_code == 401


def test_a_link_used_by_another_browser_is_refused(app: Flask, shop: Shop) -> None:
    link = _link(shop)
    assert Person.of(app).client.get(link).status_code == 302
    second = Person.of(app).client.get(link)
    assert second.status_code == 404
    assert "已经用过" in words_of(second.get_data(as_text=True))
    assert "Set-Cookie" not in second.headers


def test_a_link_that_is_over_is_refused(anybody: Person, shop: Shop) -> None:
    link = _link(shop)
    shop.clock.advance(300)
    assert anybody.client.get(link).status_code == 404


def test_a_tablet_that_opens_its_link_again_stays_paired(app: Flask, shop: Shop) -> None:
    link, tablet = _link(shop), Person.of(app)
    tablet.client.get(link)
    assert tablet.client.get(link).location == "/kiosk"
    assert tablet.client.get("/kiosk").status_code == 200


def test_a_tablet_that_is_paired_anew_is_one_tablet(app: Flask, shop: Shop) -> None:
    tablet = Person.of(app)
    for _ in range(2):
        tablet.client.get(_link(shop))
    with shop.terminal.store.read() as reader:
        assert [paired.number for paired in list_tablets(reader)] == [2]


def test_a_tablet_is_listed_with_when_it_was_seen_and_can_be_revoked(
    kiosk: Kiosk, staff: Person, shop: Shop
) -> None:
    kiosk.screen()
    assert "平板 1" in words_of(staff.see("/counter"))
    assert "已连接" in words_of(staff.see("/counter"))
    shop.clock.advance(120)
    assert "没有连上；上次在线 05-20 12:00" in words_of(staff.see("/counter"))
    with shop.terminal.store.read() as reader:
        (tablet,) = list_tablets(reader)
    assert staff.send("/counter", f"/counter/tablets/{tablet.id}/revoke").status_code == 302
    assert kiosk.client.get("/kiosk/api/screen").status_code == 401
    assert kiosk.client.get("/kiosk").status_code == 401


def test_choosing_a_language_on_the_page_of_a_link_leads_back_to_the_counter(staff: Person) -> None:
    answer = staff.client.get("/counter/links?lang=en")
    assert answer.location == "/counter"
    assert "New sale" in staff.see("/counter")
