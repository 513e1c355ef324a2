from __future__ import annotations

import threading
from collections.abc import Callable
from time import perf_counter

import pytest

from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.collect.prompts import withdraw_sale
from merchant_agent.terminal.collect.screen import Screen, ScreenKind, Tablet
from merchant_agent.terminal.collect.wake import wait_for_screen
from tests.terminal.collect.shop import TILL, Shop

PATIENCE_S = 20


class Waiting:
    """A tablet that waits in a thread of its own."""

    def __init__(self, shop: Shop, tablet: Tablet, version: str) -> None:
        self.screen: Screen | None = None
        self.took_s = 0.0
        self._ask: Callable[[], Screen] = lambda: wait_for_screen(shop.terminal, tablet, version, PATIENCE_S)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        begun = perf_counter()
        self.screen = self._ask()
        self.took_s = perf_counter() - begun

    def result(self) -> Screen:
        self._thread.join()
        assert self.screen is not None
        return self.screen


def _rest(shop: Shop, tablet: Tablet | None = None) -> str:
    screen = wait_for_screen(shop.terminal, tablet or shop.one, "", 0)
    assert screen.kind is ScreenKind.REST
    return screen.version


def test_a_new_page_is_answered_at_once(shop: Shop) -> None:
    shop.sell("087")
    screen = wait_for_screen(shop.terminal, shop.one, "", PATIENCE_S)
    assert screen.kind is ScreenKind.ASK
    assert screen.question is not None
    assert (screen.question.order, screen.question.amount) == ("087", "64.00")


def test_a_sale_wakes_the_tablets_of_its_till_at_once(shop: Shop) -> None:
    tablets = [
        Tablet(id=new_id(shop.clock.now()), till=till) for till in (TILL, "", TILL, "") for _ in range(5)
    ]
    waiting = [Waiting(shop, tablet, _rest(shop, tablet)) for tablet in tablets]
    sold = perf_counter()
    shop.sell("087")
    screens = [one.result() for one in waiting]
    assert perf_counter() - sold < 0.3
    assert all(screen.question is not None and screen.question.order == "087" for screen in screens)


def test_a_sale_does_not_wake_the_tablet_of_another_till(shop: Shop) -> None:
    other = Tablet(id=new_id(shop.clock.now()), till="till-2")
    waiting = Waiting(shop, other, _rest(shop, other))
    shop.sell("087")
    shop.sell("001", till="till-2")
    screen = waiting.result()
    assert screen.question is not None
    assert screen.question.order == "001"


def test_the_end_of_a_question_sends_the_tablet_to_rest(shop: Shop) -> None:
    sale = shop.sell("087")
    shown = wait_for_screen(shop.terminal, shop.one, "", 0)
    waiting = Waiting(shop, shop.one, shown.version)
    withdraw_sale(shop.terminal, sale.prompt_id)
    assert waiting.result().kind is ScreenKind.REST


def test_what_a_tablet_types_itself_does_not_wake_it_but_the_other(shop: Shop) -> None:
    sale = shop.sell("087")
    one, two = (wait_for_screen(shop.terminal, tablet, "", 0) for tablet in (shop.one, shop.two))
    other = Waiting(shop, shop.two, two.version)
    shop.tap(sale, 2, tablet=shop.one)
    assert other.result().kind is ScreenKind.REST
    again = wait_for_screen(shop.terminal, shop.one, one.version, 0)
    assert again.version == one.version
    assert again.question is not None
    assert again.question.held is not None


def test_a_version_never_comes_back(shop: Shop) -> None:
    versions = [_rest(shop)]
    for number in range(3):
        sale = shop.sell(str(number))
        versions.append(wait_for_screen(shop.terminal, shop.one, "", 0).version)
        withdraw_sale(shop.terminal, sale.prompt_id)
        versions.append(_rest(shop))
    shop.restart()
    versions.append(_rest(shop))
    assert len(set(versions)) == len(versions)


def test_nothing_new_is_told_when_the_time_is_over(shop: Shop) -> None:
    version = _rest(shop)
    assert wait_for_screen(shop.terminal, shop.one, version, 0.01).version == version


def test_the_end_of_the_program_lets_every_tablet_go(shop: Shop) -> None:
    waiting = [Waiting(shop, shop.one, _rest(shop)) for _ in range(3)]
    shop.terminal.bell.close()
    for one in waiting:
        one.result()
        assert one.took_s < PATIENCE_S / 2


def test_tablets_that_wait_hold_no_connection(shop: Shop) -> None:
    waiting = [
        Waiting(shop, tablet, _rest(shop, tablet))
        for tablet in (Tablet(id=new_id(shop.clock.now()), till=TILL) for _ in range(50))
    ]
    begun = perf_counter()
    with shop.terminal.store.read():
        pass
    assert perf_counter() - begun < 1
    shop.terminal.bell.close()
    for one in waiting:
        one.result()


@pytest.mark.parametrize("ended", ["done", "left"])
def test_the_question_behind_comes_when_the_first_is_over(shop: Shop, ended: str) -> None:
    first = shop.sell("087")
    answer = shop.tap(first, 5)
    shown = wait_for_screen(shop.terminal, shop.one, "", 0)
    shop.sell("088")
    waiting = Waiting(shop, shop.one, shown.version)
    shop.done(first, 5, answer_id=answer, ended="done" if ended == "done" else "left")
    screen = waiting.result()
    assert screen.question is not None
    assert screen.question.order == "088"
