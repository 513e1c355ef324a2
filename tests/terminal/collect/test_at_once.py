"""The same thing told by several at the same moment."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from merchant_agent.errors import ConflictError
from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.collect.sweep import sweep
from tests.terminal.collect.shop import TILL, Shop

MANY = 8


def test_an_order_reported_at_once_is_one_prompt(shop: Shop) -> None:
    with ThreadPoolExecutor(MANY) as pool:
        taken = list(pool.map(lambda _: shop.sell("087"), range(MANY)))
    assert len({sale.prompt_id for sale in taken}) == 1
    assert [sale.created for sale in taken].count(True) == 1
    assert shop.story() == ["prompt"]


def test_done_sent_at_once_is_one_rating(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 2)
    with ThreadPoolExecutor(MANY) as pool:
        thanks = list(pool.map(lambda _: shop.done(sale, 2, answer_id=answer), range(MANY)))
    assert len({one.query_code for one in thanks}) == 1
    assert [one.created for one in thanks].count(True) == 1
    assert shop.story() == ["prompt", "rating 2 done"]


def test_of_tablets_that_answer_at_once_one_is_thanked(shop: Shop) -> None:
    sale = shop.sell()
    tablets = [Tablet(id=new_id(shop.clock.now()), till=TILL) for _ in range(MANY)]

    def answer(tablet: Tablet) -> str:
        try:
            shop.done(sale, 3, tablet=tablet)
        except ConflictError as refused:
            return refused.code
        return "thanked"

    with ThreadPoolExecutor(MANY) as pool:
        outcomes = Counter(pool.map(answer, tablets))
    assert outcomes == {"thanked": 1, "answered": MANY - 1}
    assert shop.story() == ["prompt", "rating 3 done"]


def test_a_sweep_at_the_moment_of_done_signs_no_second_rating(shop: Shop) -> None:
    for number in range(20):
        sale = shop.sell(str(number))
        answer = shop.tap(sale, 4)
        shop.clock.advance(60)
        with ThreadPoolExecutor(2) as pool:
            pool.submit(sweep, shop.terminal)
            thanks = pool.submit(shop.done, sale, 4, answer_id=answer).result()
        assert thanks.as_sent
    assert sum(words.startswith("rating") for words in shop.story()) == 20
