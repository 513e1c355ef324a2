"""What customers fill in about a sale that went wrong."""

from __future__ import annotations

import pytest

from merchant_agent.domain.grievances import check_amount, check_occurred_at, check_order
from merchant_agent.errors import InvalidError
from tests.clocks import START


def test_fields_may_be_empty() -> None:
    assert (check_order(" "), check_occurred_at(" ", START), check_amount(" ")) == ("", "", "")


@pytest.mark.parametrize(
    "text", ["2026-05-20T11:58", "2026-05-21T12:00", "2026-05-21T12:00:00+08:00", "0001-01-01T00:00"]
)
def test_time_is_kept_as_it_was_given(text: str) -> None:
    assert check_occurred_at(f" {text} ", START) == text


@pytest.mark.parametrize("text", ["2026-05-21T12:01", "2026-05-21T04:00:01Z", "9999-12-31T23:59"])
def test_time_more_than_a_day_ahead_is_refused(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        check_occurred_at(text, START)
    assert caught.value.code == "occurred-in-future"


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30T11:58", "2026-05-20", "２０２６-05-20T11:58"])
def test_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        check_occurred_at(text, START)
    assert caught.value.code == "occurred-at"


@pytest.mark.parametrize(
    ("text", "kept"), [("64", "64.00 CNY"), (" 5.5 ", "5.50 CNY"), ("６４。５", "64.50 CNY")]
)
def test_amount_has_one_form(text: str, kept: str) -> None:
    assert check_amount(text) == kept


@pytest.mark.parametrize("text", ["-1", "1e3", "64.005", "123456789", "64元", "nan"])
def test_text_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        check_amount(text)
    assert caught.value.code == "amount"


def test_order_number_of_a_chinese_keyboard_is_plain() -> None:
    assert check_order(" Ａ０８７ ") == "A087"


@pytest.mark.parametrize("text", ["x" * 65, "08\n7", "08\u202e7"])
def test_order_number_that_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        check_order(text)
    assert caught.value.code == "order"
