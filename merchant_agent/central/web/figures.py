"""A daily release as the public page draws it: shares as texts, bars and intervals as lengths.

Lengths are hundredths of the drawing's width, with a point whatever the language.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from merchant_agent.central.overview import PublicFigures
from merchant_agent.domain.catalogue import LEVELS
from merchant_agent.domain.statistics import LEAST_SATISFIED, MIN_N_FOR_STAR, AnswerBand, Distribution

_LEAST_SHOWN = 0.001
_MOST_SHOWN = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One level of the distribution; `satisfied` says whether it counts as such."""

    level: int
    count: int
    percent: str
    width: str
    satisfied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a page shows of a release with at least one rating; the bars go from level 5 to 1.

    `star` is None under `least` ratings. `low`, `high` and the lengths are of the 95 % interval.
    """

    day: str
    until: datetime
    n: int
    least: int
    satisfaction: str
    star: str | None
    low: str
    high: str
    low_x: str
    range_width: str
    point_x: str
    band: AnswerBand
    bars: tuple[Bar, ...]


def draw(released: PublicFigures | None) -> Figures | None:
    """The release ready for the page; None where there is none, or nobody has rated yet."""
    if released is None:
        return None
    counts = released.distribution
    share, interval = counts.satisfaction, counts.interval
    if share is None or interval is None:
        return None
    return Figures(
        day=released.day,
        until=released.until,
        n=counts.n,
        least=MIN_N_FOR_STAR,
        satisfaction=percent(share),
        star=None if counts.star is None else f"{counts.star:.1f}",
        low=percent(interval.low),
        high=percent(interval.high),
        low_x=_length(interval.low),
        range_width=_length(interval.high - interval.low),
        point_x=_length(share),
        band=released.answer_band,
        bars=tuple(_bar(counts, level) for level in LEVELS),
    )


def percent(share: float) -> str:
    """A share with one decimal; never rounded to all or to nothing, where it is not that."""
    if 0 < share < _LEAST_SHOWN:
        return "<0.1%"
    if _MOST_SHOWN < share < 1:
        return ">99.9%"
    return f"{share:.0%}" if share in {0, 1} else f"{share:.1%}"


def _bar(counts: Distribution, level: int) -> Bar:
    share = counts.share(level)
    return Bar(
        level=level,
        count=counts.count(level),
        percent=percent(share),
        width=_length(share),
        satisfied=level >= LEAST_SATISFIED,
    )


def _length(share: float) -> str:
    return f"{share * 100:.2f}"
