"""How a browser becomes a tablet, and stops being one."""

from __future__ import annotations

import re
import threading

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from merchant_agent.terminal.devices import Paired, list_tablets, make_pairing_link
from tests.terminal.collect.shop import Shop
from tests.terminal.web.doors import ORIGIN, Kiosk
from tests.terminal.web.people import Person, words_of

_ADDRESS = re.compile(r"http://localhost(/kiosk/pair/[0-9a-z]{12}\?check)")
_DIGITS = re.compile(r'class="digits-shown" aria-label="([0-9 ]{11})"')


def _link(shop: Shop) -> str:
    with shop.terminal.store.write() as writer:
        return f"/kiosk/pair/{make_pairing_link(writer, at=shop.clock.now())}"


def _offered(staff: Person, action: str = "/counter/links", **fields: str) -> str:
    """The six digits that the counter shows."""
    found = _DIGITS.search(staff.send("/counter", action, **fields).get_data(as_text=True))
    assert found is not None
    return found[1].replace(" ", "")


def _enter(tablet: Person, digits: str, address: str = "192.168.1.50") -> TestResponse:
    return tablet.client.post(
        "/kiosk/pair",
        data={"code": digits},
        headers={"Origin": ORIGIN},
        environ_base={"REMOTE_ADDR": address},
    )


def _post(kiosk: Kiosk, path: str) -> None:
    assert kiosk.client.post(path, json={}, headers={"Origin": ORIGIN}).status_code == 200


def _wrong(digits: str, by: int) -> str:
    return f"{(int(digits) + by) % 1_000_000:06}"


def _tablets(shop: Shop) -> tuple[Paired, ...]:
    with shop.terminal.store.read() as reader:
        return list_tablets(reader)


def test_a_link_from_the_counter_makes_a_tablet(app: Flask, staff: Person, anybody: Person) -> None:
    page = staff.send("/counter", "/counter/links").get_data(as_text=True)
    address = _ADDRESS.search(page)
    assert address is not None
    assert "<svg" in page
    assert anybody.client.get("/kiosk").status_code == 401
    answer = anybody.client.get(address[1])
    assert (answer.status_code, answer.location) == (302, "/kiosk/ready#paired")
    assert "平板 1" in words_of(anybody.see("/kiosk/ready"))
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


@pytest.mark.parametrize("form", ["{0}", "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}"], ids=["plain", "apart"])
def test_six_digits_pair_a_tablet_and_lead_to_the_checklist(
    app: Flask, staff: Person, shop: Shop, form: str
) -> None:
    digits, tablet = _offered(staff), Person.of(app)
    answer = _enter(tablet, form.format(digits))
    assert (answer.status_code, answer.location) == (302, "/kiosk/ready#paired")
    tablet.see("/kiosk/ready")
    (paired,) = _tablets(shop)
    assert (paired.number, paired.till, paired.reached) == (1, "", "localhost")


def test_digits_work_once_and_so_does_the_link_beside_them(app: Flask, staff: Person) -> None:
    page = staff.send("/counter", "/counter/links").get_data(as_text=True)
    digits, address = _DIGITS.search(page), _ADDRESS.search(page)
    assert digits is not None
    assert address is not None
    assert _enter(Person.of(app), digits[1].replace(" ", "")).status_code == 302
    assert _enter(Person.of(app), digits[1].replace(" ", "")).status_code == 404
    assert Person.of(app).client.get(address[1]).status_code == 404


def test_digits_that_are_over_are_refused(app: Flask, staff: Person, shop: Shop) -> None:
    digits = _offered(staff)
    shop.clock.advance(300)
    answer = _enter(Person.of(app), digits)
    assert answer.status_code == 404
    assert "已过五分钟" in words_of(answer.get_data(as_text=True))


def test_the_fifth_wrong_guess_from_anywhere_voids_the_digits_but_not_the_link(
    app: Flask, staff: Person
) -> None:
    page = staff.send("/counter", "/counter/links").get_data(as_text=True)
    found, address = _DIGITS.search(page), _ADDRESS.search(page)
    assert found is not None
    assert address is not None
    digits = found[1].replace(" ", "")
    for guess in range(5):
        answer = _enter(Person.of(app), _wrong(digits, guess + 1), f"192.168.1.{guess}")
        assert answer.status_code == 404
    assert "已作废" in words_of(answer.get_data(as_text=True))
    assert _enter(Person.of(app), digits).status_code == 404
    assert Person.of(app).client.get(address[1]).status_code == 302


def test_five_wrong_guesses_make_an_address_wait_and_no_other(app: Flask, staff: Person, shop: Shop) -> None:
    for guess in range(5):
        assert _enter(Person.of(app), _wrong(_offered(staff), guess + 1)).status_code == 404
    digits = _offered(staff)
    locked = _enter(Person.of(app), digits)
    assert locked.status_code == 429
    assert "请等 60 秒" in words_of(locked.get_data(as_text=True))
    assert _enter(Person.of(app), digits, "192.168.1.51").status_code == 302
    shop.clock.advance(61)
    assert _enter(Person.of(app), _offered(staff)).status_code == 302


def test_guesses_from_many_addresses_become_rare(app: Flask, staff: Person) -> None:
    """Whoever has a whole network of addresses gets one guess in half a minute from the fiftieth on."""
    for guess in range(50):
        assert _enter(Person.of(app), "000000", f"10.0.0.{guess}").status_code in {302, 404}
    digits = _offered(staff)
    assert _enter(Person.of(app), _wrong(digits, 1), "10.0.1.1").status_code == 404
    assert _enter(Person.of(app), digits, "10.0.1.2").status_code == 429


@pytest.mark.parametrize("guess", ["", "12345", "1234567", "１２３４５x", "' OR 1=1", "9" * 400])
def test_what_are_no_six_digits_pairs_nothing(app: Flask, shop: Shop, guess: str) -> None:
    assert _enter(Person.of(app), guess).status_code == 404
    assert _tablets(shop) == ()


def test_another_page_cannot_enter_digits(app: Flask, staff: Person) -> None:
    foreign = {"Origin": "http://evil.example"}
    answer = Person.of(app).client.post("/kiosk/pair", data={"code": _offered(staff)}, headers=foreign)
    assert answer.status_code == 403


def test_a_tablet_paired_again_keeps_its_number_and_till_and_its_old_cookie_ends(
    app: Flask, kiosk: Kiosk, staff: Person, shop: Shop
) -> None:
    """As after the terminal's address changed: at the new one the browser has no cookie."""
    (before,) = _tablets(shop)
    digits = _offered(staff, f"/counter/tablets/{before.id}/again")
    assert _enter(Person.of(app), digits).status_code == 302
    (after,) = _tablets(shop)
    assert (after.id, after.number, after.till) == (before.id, before.number, before.till)
    assert kiosk.client.get("/kiosk/api/screen").status_code == 401


def test_a_tablet_that_is_paired_again_at_the_same_address_stays_paired(
    kiosk: Kiosk, staff: Person, shop: Shop
) -> None:
    (before,) = _tablets(shop)
    digits = _offered(staff, f"/counter/tablets/{before.id}/again")
    assert _enter(Person(client=kiosk.client), digits).status_code == 302
    assert kiosk.client.get("/kiosk").status_code == 200
    assert [paired.id for paired in _tablets(shop)] == [before.id]


def test_a_tablet_that_was_revoked_cannot_be_paired_again_as_itself(
    app: Flask, staff: Person, shop: Shop
) -> None:
    Kiosk.of(app, shop)
    (before,) = _tablets(shop)
    digits = _offered(staff, f"/counter/tablets/{before.id}/again")
    staff.send("/counter", f"/counter/tablets/{before.id}/revoke")
    assert _enter(Person.of(app), digits).status_code == 404
    assert staff.send("/counter", f"/counter/tablets/{before.id}/again").status_code == 404
    assert _tablets(shop) == ()


def test_revoking_ends_a_tablets_waiting_at_once(kiosk: Kiosk, staff: Person, shop: Shop) -> None:
    version, ended = kiosk.screen()["version"], threading.Event()

    def wait() -> None:
        kiosk.screen(version)
        ended.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    staff.send("/counter", f"/counter/tablets/{_tablets(shop)[0].id}/revoke")
    waiting.join(5)
    assert ended.is_set()
    assert kiosk.client.get("/kiosk/api/screen").status_code == 401


def test_a_tablet_is_given_another_till_and_asks_about_its_sales(
    kiosk: Kiosk, staff: Person, shop: Shop
) -> None:
    (tablet,) = _tablets(shop)
    assert staff.send("/counter", f"/counter/tablets/{tablet.id}/till", till="2").status_code == 302
    shop.sell("088", till="2")
    assert kiosk.screen()["question"]["order"] == "088"
    assert [paired.till for paired in _tablets(shop)] == ["2"]


def test_a_try_wakes_the_tablet_and_the_counter_sees_that_a_tap_arrived(
    kiosk: Kiosk, staff: Person, shop: Shop
) -> None:
    head = shop.terminal.journal.head
    before = kiosk.client.get("/kiosk/ready/wakes").get_json()["wakes"]
    _post(kiosk, "/kiosk/ready/wakes")
    woken = kiosk.client.get("/kiosk/ready/wakes", query_string={"after": before})
    assert woken.get_json()["wakes"] != before
    assert "已试过" not in words_of(staff.see("/counter"))
    _post(kiosk, "/kiosk/ready/tried")
    assert "已试过" in words_of(staff.see("/counter"))
    assert shop.terminal.journal.head == head


@pytest.mark.parametrize("path", ["/kiosk/ready/wakes", "/kiosk/ready/tried"])
def test_only_a_tablet_can_try(anybody: Person, path: str) -> None:
    assert anybody.client.post(path, json={}, headers={"Origin": ORIGIN}).status_code == 401
    assert anybody.client.get("/kiosk/ready").location == "/kiosk"


def test_the_codes_page_tells_when_the_tablet_arrived(app: Flask, staff: Person) -> None:
    page = staff.send("/counter", "/counter/links").get_data(as_text=True)
    digits, state = _DIGITS.search(page), re.search(r'data-refresh="([^"]+)"', page)
    assert digits is not None
    assert state is not None
    assert "正在等平板" in words_of(staff.see(state[1]))
    _enter(Person.of(app), digits[1].replace(" ", ""))
    assert "平板 1 已配对" in words_of(staff.see(state[1]))


@pytest.mark.parametrize("since", ["", "x", "9" * 30, "²"])
def test_a_time_that_is_none_tells_nothing_of_tablets(
    app: Flask, staff: Person, shop: Shop, since: str
) -> None:
    Kiosk.of(app, shop)
    shop.clock.advance(60)
    assert "正在等平板" in words_of(
        staff.client.get(f"/counter/links/arrived?since={since}").get_data(as_text=True)
    )


def test_a_tablet_that_looks_at_an_old_address_is_told_of_with_what_to_do(
    app: Flask, staff: Person, shop: Shop
) -> None:
    tablet, there = Person.of(app), "http://203.0.113.7:8700"
    tablet.client.post("/kiosk/pair", there, data={"code": _offered(staff)}, headers={"Origin": there})
    tablet.client.get("/kiosk", there)
    assert "203.0.113.7" not in words_of(staff.see("/counter"))
    shop.clock.advance(120)
    assert "它还在 203.0.113.7 找本机" in words_of(staff.see("/counter"))
