"""Figures and the honesty of small numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.domain.statistics import (
    AnswerBand,
    answer_band,
    answer_rate,
    counted_level,
    distribution,
    distribution_of_counts,
    wilson,
)


def test_satisfaction_counts_levels_five_four_and_three() -> None:
    figures = distribution([5, 4, 3, 2, 1, 1])
    assert figures.counts == (2, 1, 1, 1, 1)
    assert (figures.n, figures.satisfied, figures.satisfaction) == (6, 3, 0.5)


def test_counts_and_single_ratings_say_the_same() -> None:
    assert distribution_of_counts({5: 2, 1: 1}) == distribution([5, 1, 5])


def test_silence_is_never_counted_as_good() -> None:
    silent = distribution([])
    assert (silent.satisfaction, silent.interval, silent.star, silent.share(5)) == (None, None, None, 0.0)


def test_no_star_under_ten_ratings() -> None:
    assert distribution([5] * 9).star is None
    assert distribution([5] * 10).star == 5.0


def test_star_is_the_mean_rounded_half_up() -> None:
    assert distribution([5] * 10 + [4] * 10).star == 4.5
    assert distribution([4] * 13 + [3] * 7).star == 3.7
    assert distribution([5] * 5 + [4] * 15).star == 4.3


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)],
)
def test_wilson_interval_agrees_with_published_values(
    successes: int, n: int, low: float, high: float
) -> None:
    """Source: R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3, and its boundary cases."""
    interval = wilson(successes, n)
    assert interval.low == pytest.approx(low, abs=1e-4)
    assert interval.high == pytest.approx(high, abs=1e-4)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_share(case: tuple[int, int]) -> None:
    successes, n = case
    interval = wilson(successes, n)
    assert 0.0 <= interval.low <= successes / n + 1e-12
    assert successes / n - 1e-12 <= interval.high <= 1.0


@pytest.mark.parametrize(
    ("answers", "prompts", "band"),
    [
        (0, 0, AnswerBand.NONE),
        (0, 10, AnswerBand.UNDER_10),
        (9, 100, AnswerBand.UNDER_10),
        (10, 100, AnswerBand.FROM_10),
        (25, 100, AnswerBand.FROM_25),
        (50, 100, AnswerBand.FROM_50),
        (75, 100, AnswerBand.FROM_75),
        (100, 100, AnswerBand.FROM_75),
    ],
)
def test_answer_rate_is_told_in_bands(answers: int, prompts: int, band: AnswerBand) -> None:
    assert answer_band(answers, prompts) is band


def test_answer_rate_of_nobody_asked_is_unknown() -> None:
    assert answer_rate(0, 0) is None
    assert answer_rate(1, 4) == 0.25


def test_of_several_answers_the_lowest_counts() -> None:
    assert counted_level([5, 2, 4]) == 2
