"""What a server may ask for, and what only a hostile one would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.terminal.upload.retry_after import MAX_S, MIN_S, retry_after_s

DATE = "Wed, 20 May 2026 04:00:00 GMT"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", MIN_S),
        ("1", 1.0),
        ("21600", MAX_S),
        ("21601", MAX_S),
        ("9" * 400, MAX_S),
        ("0" * 400, MAX_S),
        ("Wed, 20 May 2026 04:10:00 GMT", 600.0),
        ("Wed, 20 May 2026 03:00:00 GMT", MIN_S),
        ("Fri, 31 Dec 2399 23:59:59 GMT", MAX_S),
        ("Wednesday, 20-May-26 04:10:00 GMT", 600.0),
    ],
)
def test_what_is_asked_lies_within_a_second_and_six_hours(text: str, seconds: float) -> None:
    assert retry_after_s({"retry-after": text, "date": DATE}) == seconds


@pytest.mark.parametrize(
    "text", ["", "-5", "1.5", "1e9", "soon", "١٢", "nan", "inf", "+3", "99:99", "Wed, 99 May"]
)
def test_nonsense_asks_for_nothing(text: str) -> None:
    assert retry_after_s({"retry-after": text, "date": DATE}) is None


def test_a_date_is_read_against_the_date_of_its_answer_alone() -> None:
    asked = {"retry-after": "Thu, 01 Jan 1970 00:05:00 GMT"}
    assert retry_after_s({**asked, "date": "Thu, 01 Jan 1970 00:00:00 GMT"}) == 300.0
    assert retry_after_s(asked) is None
    assert retry_after_s({**asked, "date": "yesterday"}) is None


def test_an_answer_without_it_asks_for_nothing() -> None:
    assert retry_after_s({"date": DATE}) is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_leaves_the_bounds(asked: str, date: str) -> None:
    seconds = retry_after_s({"retry-after": asked, "date": date})
    assert seconds is None or MIN_S <= seconds <= MAX_S
