"""Clocks of tills that are wrong, and sales that come late."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.domain.till_clock import Judgement, Sighting, TillClock, judge
from tests.clocks import START

BACKLOG_AFTER = timedelta(seconds=120)


class Till:
    """Reports sales and remembers what was learned, as the terminal does."""

    def __init__(self) -> None:
        self.clock = TillClock()
        self.before: Sighting | None = None

    def sell(self, *, received_s: float, delay_s: float) -> Judgement:
        received = START + timedelta(seconds=received_s)
        sale = Sighting(claimed_at=received - timedelta(seconds=delay_s), received_at=received)
        judgement = judge(self.clock, sale, self.before, BACKLOG_AFTER)
        self.clock, self.before = judgement.clock, sale
        return judgement


def test_sale_of_a_right_clock_is_not_late() -> None:
    assert not Till().sell(received_s=0, delay_s=2).late


@pytest.mark.parametrize(("delay_s", "late"), [(120, False), (121, True), (3600, True), (86400, True)])
def test_sale_older_than_the_limit_is_late(delay_s: float, late: bool) -> None:  # noqa: FBT001
    assert Till().sell(received_s=0, delay_s=delay_s).late is late


def test_backlog_sent_at_once_is_late_throughout_and_teaches_nothing() -> None:
    till = Till()
    till.sell(received_s=0, delay_s=1)
    known = till.clock
    for n in range(50):
        assert till.sell(received_s=10 + n * 0.05, delay_s=7200 - n * 60).late
    assert till.clock == known
    assert not till.sell(received_s=20, delay_s=1).late


def test_clock_that_is_fast_is_believed_at_once() -> None:
    till = Till()
    assert not till.sell(received_s=0, delay_s=-3600).late
    assert till.sell(received_s=60, delay_s=-3000).late
    assert not till.sell(received_s=120, delay_s=-3599).late


@pytest.mark.parametrize("behind_s", [600, 8 * 3600, 56 * 365 * 86400])
def test_clock_that_is_slow_is_believed_at_its_second_sale(behind_s: float) -> None:
    till = Till()
    assert till.sell(received_s=0, delay_s=behind_s + 1).late
    assert not till.sell(received_s=90, delay_s=behind_s + 3).late
    assert not till.sell(received_s=95, delay_s=behind_s + 2).late
    assert till.sell(received_s=300, delay_s=behind_s + 600).late


def test_clock_that_was_set_right_again_is_believed_at_once() -> None:
    till = Till()
    till.sell(received_s=0, delay_s=601)
    till.sell(received_s=90, delay_s=601)
    assert not till.sell(received_s=180, delay_s=1).late
    assert till.sell(received_s=200, delay_s=601).late


def test_one_date_in_the_far_future_does_not_silence_the_tablet_for_ever() -> None:
    till = Till()
    till.sell(received_s=0, delay_s=-86400)
    assert till.sell(received_s=60, delay_s=1).late
    assert not till.sell(received_s=120, delay_s=1).late


def test_clock_that_drifts_is_followed() -> None:
    till = Till()
    for n in range(2000):
        assert not till.sell(received_s=n * 600, delay_s=1 + n * 0.5).late


def test_time_of_sale_is_told_in_the_terminal_s_time() -> None:
    till = Till()
    till.sell(received_s=0, delay_s=601)
    till.sell(received_s=90, delay_s=601)
    old = till.sell(received_s=200, delay_s=601 + 3600)
    assert old.late
    assert old.sold_at == START + timedelta(seconds=200 - 3600)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e9, 1e9)), max_size=20))
def test_no_sale_is_of_the_future(sales: list[tuple[float, float]]) -> None:
    till = Till()
    for received_s, delay_s in sorted(sales):
        received = START + timedelta(seconds=received_s)
        assert till.sell(received_s=received_s, delay_s=delay_s).sold_at <= received
