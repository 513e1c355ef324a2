"""Waits grow, are bounded, differ between terminals, and end with the trouble."""

from __future__ import annotations

import random

import pytest

from merchant_agent.terminal.upload.backoff import Backoff
from merchant_agent.terminal.upload.outcome import NOTHING, Code, Outcome

NO_WAIT = [Code.ACCEPTED, Code.NOTHING, Code.HALVED, Code.BEHIND, Code.FROZEN, Code.REVOKED]
FAILURES = [code for code in Code if code not in NO_WAIT]


class _Most(random.Random):
    """Chance at its upper end."""

    def uniform(self, a: float, b: float) -> float:
        del a
        return b


class _Least(random.Random):
    """Chance at its lower end."""

    def uniform(self, a: float, b: float) -> float:
        del b
        return a


@pytest.mark.parametrize("code", FAILURES)
def test_waits_double_up_to_a_bound(code: Code) -> None:
    backoff = Backoff(_Most())
    waits = [backoff.wait_s(Outcome(code=code)) for _ in range(200)]
    assert waits == sorted(waits)
    assert waits[1] == min(2 * waits[0], waits[-1])
    assert waits[-1] <= 21_600


@pytest.mark.parametrize("code", FAILURES)
def test_no_failure_is_tried_again_at_once(code: Code) -> None:
    assert Backoff(_Least()).wait_s(Outcome(code=code)) >= 0.2


@pytest.mark.parametrize("code", NO_WAIT)
def test_after_these_nothing_is_waited_for(code: Code) -> None:
    assert Backoff(_Most()).wait_s(Outcome(code=code)) == 0.0


def test_a_success_begins_anew() -> None:
    backoff = Backoff(_Most())
    failure = Outcome(code=Code.BUSY)
    first = backoff.wait_s(failure)
    backoff.wait_s(failure)
    backoff.wait_s(NOTHING)
    assert backoff.wait_s(failure) == first


def test_what_was_asked_for_is_waited_for_in_full() -> None:
    asked = Outcome(code=Code.BUSY, retry_after_s=600.0)
    assert Backoff(_Least()).wait_s(asked) > 600.0


def test_terminals_that_failed_together_do_not_come_back_together() -> None:
    waits = {Backoff(random.Random(seed)).wait_s(Outcome(code=Code.BUSY)) for seed in range(2000)}  # noqa: S311 -- jitter
    assert len(waits) > 1900
    assert max(waits) - min(waits) > 1.5
