"""The manager's pages: tokens, the PIN, yesterday."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from merchant_agent.terminal.devices import list_pos_tokens
from tests.terminal.collect.shop import Shop
from tests.terminal.web.doors import Till
from tests.terminal.web.people import PIN, Person, words_of

_TOKEN = re.compile(r'<p class="code address">([\w-]{43})</p>')


def _make_token(manager: Person, till: str) -> str:
    page = manager.send("/manager/pos", "/manager/pos/tokens", till=till).get_data(as_text=True)
    token = _TOKEN.search(page)
    assert token is not None
    return token[1]


def test_a_token_is_shown_once_and_lets_its_till_in(app: Flask, manager: Person) -> None:
    token = _make_token(manager, "2")
    assert token not in manager.see("/manager/pos")
    assert "已连接 1 个" in words_of(manager.see("/manager"))
    till = Till(client=app.test_client(), token=token)
    assert till.report("087", till="2").status_code == 202


def test_a_revoked_token_lets_nobody_in(app: Flask, manager: Person, shop: Shop) -> None:
    till = Till(client=app.test_client(), token=_make_token(manager, ""))
    with shop.terminal.store.read() as reader:
        (token,) = list_pos_tokens(reader)
    assert manager.send("/manager/pos", f"/manager/pos/tokens/{token.id}/revoke").location == "/manager/pos"
    assert till.report("087").status_code == 401
    assert manager.send("/manager/pos", f"/manager/pos/tokens/{token.id}/revoke").status_code == 404


def test_a_tills_name_that_is_too_long_makes_no_token(manager: Person, shop: Shop) -> None:
    assert manager.send("/manager/pos", "/manager/pos/tokens", till="x" * 33).status_code == 422
    with shop.terminal.store.read() as reader:
        assert list_pos_tokens(reader) == ()


def test_a_new_pin_ends_the_sessions_of_the_old_one(manager: Person, staff: Person) -> None:
    assert manager.send("/manager", "/manager/pin", pin="314159").location == "/manager"
    assert staff.client.get("/counter").status_code == 302
    assert staff.sign_in(PIN).status_code == 401
    assert staff.sign_in("314159").status_code == 302


@pytest.mark.parametrize("pin", ["", "12345", "123456", "111111", "abcdef", "1" * 13])
def test_a_pin_that_is_easy_to_guess_is_refused(manager: Person, staff: Person, pin: str) -> None:
    manager.send("/manager", "/manager/pin", pin=pin)
    assert "6 到 12 位数字" in words_of(manager.see("/manager"))
    assert staff.client.get("/counter").status_code == 200


def test_todays_ratings_are_seen_tomorrow(app: Flask, manager: Person, shop: Shop) -> None:
    for order, level in (("1", 5), ("2", 5), ("3", 1)):
        shop.done(shop.sell(order), level)
    assert "昨天没有评价" in words_of(manager.see("/manager"))
    shop.clock.advance(24 * 3600)
    later = Person.of(app)
    later.sign_in("correct horse battery", "/manager/sign-in")
    page = words_of(later.see("/manager"))
    assert "3 条评价" in page
    assert re.search(r"非常满意 2 2 满意 0 0 .*非常不满意 1 1", page)
    assert "评价不足 10 条" in page
