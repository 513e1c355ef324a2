"""A terminal that was taken out of service keeps nothing that nobody will ever sign, and says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from merchant_agent.errors import OutOfServiceError
from merchant_agent.evidence.bodies import EndBody, Kind
from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.collect.answers import decline
from merchant_agent.terminal.collect.prompts import SaleTaken, withdraw_sale
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.collect.sweep import end_all, sweep
from merchant_agent.terminal.collect.words import Grievance, Words, complain, suggest
from merchant_agent.terminal.store.models import Draft, Kept
from tests.terminal.collect.shop import Shop
from tests.terminal.web.doors import Kiosk, Till, make_app_of

_SAID: list[Callable[[Shop, SaleTaken], object]] = [
    lambda shop, _sale: shop.sell("002"),
    lambda shop, sale: shop.tap(sale, 2),
    lambda shop, sale: shop.done(sale, 2),
    lambda shop, sale: decline(shop.terminal, shop.one, sale.prompt_id),
    lambda shop, sale: withdraw_sale(shop.terminal, sale.prompt_id),
    lambda shop, _sale: suggest(
        shop.terminal, shop.one, new_id(shop.clock.now()), Words(prompt_id=None, comment="多放点葱")
    ),
    lambda shop, sale: complain(
        shop.terminal, shop.one, new_id(shop.clock.now()), Grievance(prompt_id=sale.prompt_id, comment="太咸")
    ),
]


def end(shop: Shop) -> None:
    shop.terminal.journal.close_epoch(Kind.END, EndBody(reason="closed"), "ended")


def left(shop: Shop) -> int:
    with shop.terminal.store.read() as reader:
        return len(reader.all(Kept.select())) + len(reader.all(Draft.select()))


@pytest.mark.parametrize("say", _SAID)
def test_nothing_is_kept_that_nobody_will_ever_sign(
    shop: Shop, say: Callable[[Shop, SaleTaken], object]
) -> None:
    sale = shop.sell("001")
    end(shop)
    with pytest.raises(OutOfServiceError):
        say(shop, sale)
    assert left(shop) == 0
    assert shop.story() == ["prompt", "end"]


def test_what_was_signed_before_the_end_is_thanked_for_again(shop: Shop) -> None:
    sale, answer_id = shop.sell(), new_id(shop.clock.now())
    thanks = shop.done(sale, 2, answer_id=answer_id)
    end(shop)
    assert shop.done(sale, 2, answer_id=answer_id).query_code == thanks.query_code


def test_time_that_passes_after_the_end_changes_nothing(shop: Shop) -> None:
    shop.sell()
    end(shop)
    shop.clock.advance(1000)
    assert sweep(shop.terminal) == 0
    assert left(shop) == 0


def test_what_was_begun_is_signed_before_the_end_and_every_question_ends(shop: Shop) -> None:
    begun, taken_back = shop.sell("001"), shop.sell("002", till="2")
    shop.tap(begun, 2, comment="快了")
    shop.tap(taken_back, None, tablet=Tablet(id=new_id(shop.clock.now()), till=""))
    shop.sell("003", till="3")
    end_all(shop.terminal)
    end(shop)
    assert shop.story() == [
        *["prompt"] * 3,
        "rating 2 idle",
        "lapse timed_out",
        "lapse timed_out",
        "end",
    ]
    assert left(shop) == 0


def test_tills_and_tablets_are_told_that_the_terminal_is_out_of_service(shop: Shop) -> None:
    app = make_app_of(shop)
    kiosk, till = Kiosk.of(app, shop), Till.of(app, shop)
    sale = shop.sell("001")
    end(shop)
    answer = till.report("002")
    assert (answer.status_code, answer.get_json()["code"]) == (410, "out-of-service")
    answer = kiosk.done(kiosk.new_id(), sale.prompt_id, 5)
    assert (answer.status_code, answer.get_json()["code"]) == (410, "out-of-service")
    shown = kiosk.screen()
    assert (shown["kind"], shown["question"]) == ("ended", None)
