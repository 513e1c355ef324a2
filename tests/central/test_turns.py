"""How often one may do something within ten minutes."""

from __future__ import annotations

import pytest

from merchant_agent.central.intake.attempts import RateLimitedError
from merchant_agent.central.services import Central
from merchant_agent.central.turns import POSTERS, URGINGS, take_turn
from tests.clocks import ManualClock

THERE = "192.0.2.7"


def use_up(central: Central) -> None:
    for _ in range(POSTERS.most):
        take_turn(central, POSTERS, THERE)


def test_one_turn_too_many_is_refused_until_the_window_has_passed(
    central: Central, clock: ManualClock
) -> None:
    use_up(central)
    clock.advance(200)
    with pytest.raises(RateLimitedError) as refused:
        take_turn(central, POSTERS, THERE)
    assert (refused.value.code, refused.value.retry_after_s) == ("rate-limited", 400)
    clock.advance(400)
    take_turn(central, POSTERS, THERE)


def test_addresses_and_topics_are_counted_apart(central: Central) -> None:
    use_up(central)
    take_turn(central, POSTERS, "192.0.2.8")
    take_turn(central, URGINGS, THERE)


def test_clock_that_was_set_back_keeps_nobody_out(central: Central, clock: ManualClock) -> None:
    use_up(central)
    clock.step_wall(-86_400)
    take_turn(central, POSTERS, THERE)
