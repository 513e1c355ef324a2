"""What is remembered of tills that tell no time, or only now and then."""

from __future__ import annotations

from datetime import timedelta

from merchant_agent.terminal.collect.lookup import PromptState
from merchant_agent.terminal.overview import known_tills
from tests.clocks import START
from tests.terminal.collect.shop import Shop


def _tills(shop: Shop) -> tuple[str, ...]:
    with shop.terminal.store.read() as reader:
        return known_tills(reader)


def test_a_till_is_known_by_its_first_sale_whether_it_told_the_time_or_not(shop: Shop) -> None:
    shop.sell("1", till="7")
    shop.sell("2", till="8", at=START)
    shop.sell("3", till="")
    assert _tills(shop) == ("7", "8")


def test_sales_without_a_time_unlearn_nothing_of_the_tills_clock(shop: Shop) -> None:
    slow = timedelta(hours=1)
    for order in range(3):
        shop.sell(f"a{order}", till="7", at=shop.clock.now() - slow)
        shop.clock.advance(60)
    shop.sell("b", till="7")
    assert shop.state(shop.sell("c", till="7", at=shop.clock.now() - slow)) is PromptState.ASKED


def test_the_first_time_that_a_known_till_tells_is_judged_like_any_first(shop: Shop) -> None:
    shop.sell("a", till="7")
    late = shop.sell("b", till="7", at=shop.clock.now() - timedelta(hours=1))
    assert shop.state(late) is PromptState.NOT_ASKED
    assert shop.state(shop.sell("c", till="7", at=shop.clock.now())) is PromptState.ASKED
