"""Sales typed in at the counter: what is true of the tablet, and what a slip of the hand costs."""

from __future__ import annotations

import pytest
from flask import Flask

from merchant_agent.terminal.devices import list_tablets
from tests.terminal.collect.shop import TILL, Shop
from tests.terminal.web.doors import Kiosk
from tests.terminal.web.people import Person, words_of


def _ask(staff: Person, order: str, **fields: str) -> str:
    """The counter's page, in English, after a sale was typed in."""
    staff.see("/counter?lang=en")
    assert staff.send("/counter", "/counter/sales", order=order, **fields).location == "/counter"
    return staff.see("/counter")


def test_nobody_is_said_to_ask_where_no_tablet_is(staff: Person) -> None:
    page = words_of(_ask(staff, "M7"))
    assert "Order M7 waits for a tablet; none shows it at the moment." in page
    assert "Waiting for a tablet" in page
    assert "The tablet is asking" not in page


def test_a_tablet_that_was_seen_a_moment_ago_asks(staff: Person, kiosk: Kiosk) -> None:
    kiosk.screen()
    page = words_of(_ask(staff, "M7", till=TILL))
    assert "The tablet asks about order M7." in page
    assert "The tablet is asking" in page


def test_a_tablet_that_went_away_asks_nobody(staff: Person, kiosk: Kiosk, shop: Shop) -> None:
    kiosk.screen()
    _ask(staff, "M7", till=TILL)
    shop.clock.advance(31)
    assert "Waiting for a tablet" in words_of(staff.see("/counter/state"))


def test_a_tablet_of_another_till_does_not_ask(staff: Person, kiosk: Kiosk) -> None:
    kiosk.screen()
    assert "waits for a tablet" in words_of(_ask(staff, "M7", till="till-9"))


def test_a_tablet_that_shows_another_tills_question_does_not_ask_this_one(
    staff: Person, app: Flask, shop: Shop
) -> None:
    kiosk = Kiosk.of(app, shop, till="")
    shop.sell("087")
    assert kiosk.screen()["question"]["order"] == "087"
    page = words_of(_ask(staff, "M7", till="till-9"))
    assert "waits for a tablet" in page
    assert "The tablet is asking" in page


def test_a_tablet_that_was_unpaired_asks_nobody(staff: Person, kiosk: Kiosk, shop: Shop) -> None:
    kiosk.screen()
    _ask(staff, "M7", till=TILL)
    with shop.terminal.store.read() as reader:
        (tablet,) = list_tablets(reader)
    staff.send("/counter", f"/counter/tablets/{tablet.id}/revoke")
    assert "Waiting for a tablet" in words_of(staff.see("/counter/state"))
    assert shop.terminal.board.questions()


def test_second_click_tells_the_good_news_again(staff: Person, kiosk: Kiosk) -> None:
    kiosk.screen()
    _ask(staff, "M7", till=TILL)
    page = words_of(_ask(staff, "M7", till=TILL))
    assert "Order M7 was entered already; the tablet shows it." in page


def test_second_click_on_an_order_in_line_says_that_it_waits(staff: Person, kiosk: Kiosk, shop: Shop) -> None:
    shop.sell("087")
    kiosk.screen()
    _ask(staff, "M7", till=TILL)
    assert "waits until the question before it is over" in words_of(_ask(staff, "M7", till=TILL))


def test_an_order_that_a_customer_is_answering_is_said_to_be(staff: Person, kiosk: Kiosk, shop: Shop) -> None:
    sale = shop.sell("087")
    kiosk.keep(kiosk.new_id(), sale.prompt_id, 5)
    assert "A customer is answering about order 087." in words_of(_ask(staff, "087", till=TILL))


def test_an_order_that_was_answered_changes_nothing(staff: Person, kiosk: Kiosk, shop: Shop) -> None:
    sale = shop.sell("087")
    kiosk.done(kiosk.new_id(), sale.prompt_id, 5)
    assert "nothing was changed" in words_of(_ask(staff, "087", till=TILL))


@pytest.mark.parametrize("amount", ["6.4.0", "-1", "1" * 12])
def test_a_wrong_amount_keeps_the_order_number_and_the_till(staff: Person, shop: Shop, amount: str) -> None:
    shop.sell("1", till="till-2")
    page = _ask(staff, "M-4711", amount=amount, till="till-2")
    assert 'value="M-4711"' in page
    assert f'value="{amount}"' in page
    assert "<option selected>till-2</option>" in page
    assert "M-4711" not in staff.see("/counter")


def test_an_order_with_another_amount_can_be_corrected(staff: Person) -> None:
    _ask(staff, "M7", amount="64")
    assert 'value="M7"' in _ask(staff, "M7", amount="46")
    assert 'value="M7"' not in _ask(staff, "M8", amount="46")


def test_full_width_digits_are_an_amount(staff: Person, kiosk: Kiosk) -> None:
    kiosk.screen()
    _ask(staff, "M7", amount="６４．５０", till=TILL)
    assert kiosk.screen()["question"]["amount"] == "64.50"


def test_a_till_that_tells_no_time_is_offered_for_sales_and_for_tablets(staff: Person, shop: Shop) -> None:
    shop.sell("1", till="till-2")
    page = staff.see("/counter")
    assert "<option>till-2</option>" in page
    assert '<option value="till-2">' in page


def test_long_words_are_folded_and_short_ones_are_not(staff: Person, kiosk: Kiosk) -> None:
    for comment in ("短", "长" * 500):
        body = {"prompt": None, "comment": comment, "lang": "zh"}
        assert kiosk.post(f"suggestions/{kiosk.new_id()}", body).status_code == 201
    page = staff.see("/counter/state")
    assert page.count("<details") == 1
    assert "长" * 500 in page
    assert '<p class="words">短</p>' in page
