"""Opening hours and closures as shops write them down."""

from __future__ import annotations

import pytest

from merchant_agent.domain.opening import parse_closures, parse_opening
from merchant_agent.errors import InvalidError
from merchant_agent.evidence.bodies import Closure, Opening


def test_hours_are_spread_over_their_weekdays_in_order() -> None:
    opening = parse_opening("6 10:00-02:00, 1-2 17:00-24:00, 1-2 08:00-14:00")
    assert opening == (
        Opening(weekday=1, from_="08:00", to="14:00"),
        Opening(weekday=1, from_="17:00", to="24:00"),
        Opening(weekday=2, from_="08:00", to="14:00"),
        Opening(weekday=2, from_="17:00", to="24:00"),
        Opening(weekday=6, from_="10:00", to="02:00"),
    )


def test_closures_are_days_or_stretches_of_them() -> None:
    assert parse_closures("2027-05-01, 2027-02-10..2027-02-17") == (
        Closure(first="2027-02-10", last="2027-02-17"),
        Closure(first="2027-05-01", last="2027-05-01"),
    )


def test_nothing_is_stated_by_an_empty_text() -> None:
    assert (parse_opening(""), parse_closures("  ")) == ((), ())


@pytest.mark.parametrize(
    "text",
    [
        "08:00-22:00",
        "0-7 08:00-22:00",
        "1-8 08:00-22:00",
        "5-1 08:00-22:00",
        "1-7 8:00-22:00",
        "1-7 08:00-25:00",
        "1-7 24:00-08:00",
        "1-7 08:00-08:00",
        "1-7 08:00-22:00,",
        "1-7 08:00-10:00, 1-7 11:00-12:00, 1-7 13:00-14:00, 1 15:00-16:00",
    ],
)
def test_hours_that_no_reader_takes_are_refused(text: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_opening(text)
    assert refused.value.code == "opening-hours"


@pytest.mark.parametrize(
    "text", ["tomorrow", "2027-02-30", "2027-02-17..2027-02-10", "2027-02-10-2027-02-17", ", ", "2027-2-1"]
)
def test_closures_that_no_reader_takes_are_refused(text: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_closures(text)
    assert refused.value.code == "closures"
