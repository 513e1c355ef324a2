"""Who gets in where, and who does not."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.terminal.collect.shop import Shop
from tests.terminal.web.doors import ORIGIN, Kiosk
from tests.terminal.web.people import PASSWORD, PIN, Person, manager_of, staff_of

STAFF_PAGES = ["/counter", "/counter/state", "/counter/links", "/counter/links/arrived"]
MANAGER_PAGES = ["/manager", "/manager/pos", "/manager/messages"]
STAFF_DEEDS = [
    "/counter/sales",
    "/counter/links",
    "/counter/tablets/x/again",
    "/counter/tablets/x/till",
    "/counter/tablets/x/revoke",
    "/counter/alarms/1/dismiss",
]
MANAGER_DEEDS = ["/manager/pos/tokens", "/manager/pos/tokens/x/revoke", "/manager/pin"]


@pytest.mark.parametrize("page", STAFF_PAGES)
def test_the_counter_asks_for_the_pin(anybody: Person, page: str) -> None:
    answer = anybody.client.get(page)
    assert answer.status_code == 302
    assert answer.location.startswith("/counter/sign-in?")


@pytest.mark.parametrize("page", MANAGER_PAGES)
def test_the_managers_page_asks_for_the_password(anybody: Person, page: str) -> None:
    assert anybody.client.get(page).location.startswith("/manager/sign-in?")


@pytest.mark.parametrize("page", MANAGER_PAGES)
def test_staff_do_not_become_manager(staff: Person, page: str) -> None:
    assert staff.client.get(page).location.startswith("/manager/sign-in?")


@pytest.mark.parametrize("deed", [*STAFF_DEEDS, *MANAGER_DEEDS])
def test_nothing_is_done_for_nobody(anybody: Person, deed: str) -> None:
    assert anybody.send("/counter/sign-in", deed).status_code == 401


@pytest.mark.parametrize("deed", MANAGER_DEEDS)
def test_nothing_of_the_managers_is_done_for_staff(staff: Person, deed: str) -> None:
    assert staff.send("/counter", deed).status_code == 401


@pytest.mark.parametrize("page", [*STAFF_PAGES, *MANAGER_PAGES])
def test_no_way_leads_from_the_tablet_to_the_counter(kiosk: Kiosk, page: str) -> None:
    assert "/sign-in?" in kiosk.client.get(page).location
    shown = kiosk.client.get("/kiosk").get_data(as_text=True)
    assert "/counter" not in shown
    assert "/manager" not in shown


def test_the_tablets_cookie_goes_to_the_tablets_pages_only(kiosk: Kiosk) -> None:
    cookie = kiosk.client.get_cookie("tablet", path="/kiosk")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert kiosk.client.get_cookie("tablet", path="/") is None


def test_the_manager_may_enter_the_counter(manager: Person) -> None:
    assert manager.client.get("/counter").status_code == 200


@pytest.mark.parametrize("deed", [*STAFF_DEEDS, *MANAGER_DEEDS, "/sign-out"])
def test_a_form_of_another_page_is_refused(manager: Person, deed: str) -> None:
    answer = manager.client.post(deed, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize("deed", [*STAFF_DEEDS, *MANAGER_DEEDS, "/sign-out"])
def test_a_form_without_its_token_is_refused(manager: Person, deed: str) -> None:
    assert manager.client.post(deed, headers={"Origin": ORIGIN}).status_code == 400


def test_another_page_cannot_speak_for_a_tablet(kiosk: Kiosk) -> None:
    foreign = {"Origin": "http://evil.example"}
    body = {"prompt": None, "comment": "x", "lang": "zh"}
    answer = kiosk.client.post(f"/kiosk/api/suggestions/{kiosk.new_id()}", json=body, headers=foreign)
    assert answer.status_code == 403
    assert answer.get_json()["code"] == "origin"


def test_a_wrong_pin_is_told_and_a_right_one_leads_where_it_was_asked_for(app: Flask, shop: Shop) -> None:
    staff_of(app, shop)
    person = Person.of(app)
    assert person.sign_in("000000").status_code == 401
    answer = person.send("/counter/sign-in", "/counter/sign-in", secret=PIN, next="/counter/state")
    assert answer.location == "/counter/state"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(app: Flask, shop: Shop, target: str) -> None:
    staff_of(app, shop)
    answer = Person.of(app).send("/counter/sign-in", "/counter/sign-in", secret=PIN, next=target)
    assert answer.location == "/counter"


def test_five_wrong_pins_lock_even_the_right_one_out_for_a_minute(app: Flask, shop: Shop) -> None:
    staff_of(app, shop)
    person = Person.of(app)
    for _ in range(5):
        assert person.sign_in("000000").status_code == 401
    locked = person.sign_in(PIN)
    assert locked.status_code == 429
    assert "1 分钟" in locked.get_data(as_text=True)
    shop.clock.advance(61)
    assert person.sign_in(PIN).status_code == 302


def test_a_locked_counter_leaves_the_manager_in(app: Flask, shop: Shop) -> None:
    staff_of(app, shop)
    manager_of(app, shop)
    for _ in range(5):
        Person.of(app).sign_in("000000")
    assert Person.of(app).sign_in(PASSWORD, "/manager/sign-in").status_code == 302


def test_a_session_ends_by_signing_out_and_by_itself(app: Flask, shop: Shop) -> None:
    person = staff_of(app, shop)
    assert person.send("/counter", "/sign-out").status_code == 302
    assert person.client.get("/counter").status_code == 302
    assert person.sign_in(PIN).status_code == 302
    shop.clock.advance(12 * 3600)
    assert person.client.get("/counter").status_code == 302


def test_without_a_secret_the_pages_say_how_to_set_one(anybody: Person) -> None:
    assert "merchant-agent terminal set-pin" in anybody.see("/counter/sign-in")
    assert "merchant-agent terminal set-password" in anybody.see("/manager/sign-in")
