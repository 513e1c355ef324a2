"""Figures about ratings, each with the definition that is printed beside it.

Source: GB/T 39735-2020 (five levels; levels 5, 4 and 3 count as satisfied) and ISO 20488.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

MIN_N_FOR_STAR = 10
LEAST_SATISFIED = 3

_Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A confidence interval of a share, both ends within 0 and 1."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """How many valid ratings there are of each level; `counts` is by level, 1 to 5."""

    counts: tuple[int, int, int, int, int]

    @property
    def n(self) -> int:
        """All valid ratings."""
        return sum(self.counts)

    @property
    def satisfied(self) -> int:
        """Ratings of level 5, 4 or 3."""
        return sum(self.counts[LEAST_SATISFIED - 1 :])

    def count(self, level: int) -> int:
        """Ratings of one level, 1 to 5."""
        return self.counts[level - 1]

    def share(self, level: int) -> float:
        """The part of all ratings that have this level; 0 when there are none."""
        return self.count(level) / self.n if self.n else 0.0

    @property
    def satisfaction(self) -> float | None:
        """评价满意率: satisfied of all valid ratings; None without any, never good by silence."""
        return self.satisfied / self.n if self.n else None

    @property
    def interval(self) -> Interval | None:
        """95 % Wilson interval of the satisfaction; None without ratings."""
        return wilson(self.satisfied, self.n) if self.n else None

    @property
    def star(self) -> float | None:
        """Mean level to one decimal; None under 10 ratings, where it would mean nothing."""
        if self.n < MIN_N_FOR_STAR:
            return None
        total = sum(level * count for level, count in enumerate(self.counts, start=1))
        return math.floor(total * 10 / self.n + 0.5) / 10


class AnswerBand(StrEnum):
    """The answer rate as the public sees it: never exact."""

    NONE = "none"
    UNDER_10 = "under-10"
    FROM_10 = "10-25"
    FROM_25 = "25-50"
    FROM_50 = "50-75"
    FROM_75 = "75-100"


_BAND_FROM = (
    (0.75, AnswerBand.FROM_75),
    (0.5, AnswerBand.FROM_50),
    (0.25, AnswerBand.FROM_25),
    (0.1, AnswerBand.FROM_10),
    (0.0, AnswerBand.UNDER_10),
)


def distribution(levels: Iterable[int]) -> Distribution:
    """The distribution of single ratings, each 1 to 5."""
    counts = [0, 0, 0, 0, 0]
    for level in levels:
        counts[level - 1] += 1
    return _of(counts)


def distribution_of_counts(counts: Mapping[int, int]) -> Distribution:
    """The distribution from counts by level, as a database groups them; a missing level is 0."""
    return _of([counts.get(level, 0) for level in range(1, 6)])


def wilson(successes: int, n: int) -> Interval:
    """The 95 % Wilson score interval of `successes` out of `n` (at least 1).

    Source: E. B. Wilson, Probable inference, JASA 22 (1927).
    """
    share = successes / n
    z2 = _Z_95 * _Z_95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Interval(low=max(0.0, centre - half), high=min(1.0, centre + half))


def answer_rate(answers: int, prompts: int) -> float | None:
    """Answered prompts of all prompts; None when nobody was asked."""
    return answers / prompts if prompts else None


def answer_band(answers: int, prompts: int) -> AnswerBand:
    """The band that the answer rate lies in; a bound belongs to the band above it."""
    rate = answer_rate(answers, prompts)
    if rate is None:
        return AnswerBand.NONE
    return next(band for lower, band in _BAND_FROM if rate >= lower)


def counted_level(levels: Sequence[int]) -> int:
    """The level that counts among all answers to one prompt (at least one): the lowest.

    Tablet and phone weigh the same and a shop can open any invitation, so an answer
    added later can never lift the one before it.
    """
    return min(levels)


def _of(counts: Sequence[int]) -> Distribution:
    one, two, three, four, five = counts
    return Distribution(counts=(one, two, three, four, five))
