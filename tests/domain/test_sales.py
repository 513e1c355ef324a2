"""Sales, business days and order tags."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.domain.sales import (
    Sale,
    business_day,
    format_amount,
    order_tag,
    parse_amount,
    parse_day_start,
    parse_time,
    read_amount,
)
from merchant_agent.errors import InvalidError
from tests.clocks import SHANGHAI

BERLIN = ZoneInfo("Europe/Berlin")


def test_blanks_around_order_and_till_do_not_make_another_sale() -> None:
    assert Sale(order=" 087 ", till=" 1 ") == Sale(order="087", till="1")


@pytest.mark.parametrize("order", ["", "  ", "x" * 65, "08\n7", "08\x007"])
def test_unusable_order_number_is_refused(order: str) -> None:
    with pytest.raises(InvalidError) as caught:
        Sale(order=order, till="1")
    assert caught.value.code == "order"


def test_order_number_of_64_characters_is_taken() -> None:
    assert Sale(order="单" * 64, till="").order == "单" * 64


@given(st.decimals(min_value=0, max_value=Decimal("99999999.99"), places=2))
def test_amount_round_trips_through_its_text(amount: Decimal) -> None:
    text, _, currency = format_amount(amount, "CNY").partition(" ")
    assert (parse_amount(text), currency) == (amount, "CNY")


@pytest.mark.parametrize(("text", "shown"), [("64", "64.00"), ("64.5", "64.50"), ("007.10", "7.10")])
def test_amount_has_one_form(text: str, shown: str) -> None:
    assert str(parse_amount(text)) == shown


@pytest.mark.parametrize(
    ("typed", "shown"), [("64", "64.00"), ("６４", "64.00"), ("６４．５", "64.50"), ("64。5", "64.50")]
)
def test_amount_that_people_type_may_have_full_width_digits(typed: str, shown: str) -> None:
    assert str(read_amount(typed)) == shown


@pytest.mark.parametrize("typed", ["", "－1", "六十四", "１，５", "64．"])
def test_amount_that_nobody_can_read_is_refused(typed: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read_amount(typed)
    assert caught.value.code == "amount"


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e3", "1.234", "123456789", ".5", "5.", "1,5", "６４", "NaN", " 1", "1\n"]
)
def test_amount_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_amount(text)
    assert caught.value.code == "amount"


@pytest.mark.parametrize("amount", ["-1", "-0", "NaN", "Infinity", "100000000", "1.234", "1e40"])
def test_sale_refuses_amounts_that_no_text_could_state(amount: str) -> None:
    with pytest.raises(InvalidError) as caught:
        Sale(order="1", till="", amount=Decimal(amount))
    assert caught.value.code == "amount"


@pytest.mark.parametrize("currency", ["", "cny", "CNYX", "¥"])
def test_unknown_form_of_currency_is_refused(currency: str) -> None:
    with pytest.raises(InvalidError) as caught:
        Sale(order="1", till="", currency=currency)
    assert caught.value.code == "currency"


def test_time_without_offset_is_refused() -> None:
    with pytest.raises(InvalidError) as caught:
        Sale(order="1", till="", at=datetime(2026, 5, 20, 12, 0))  # noqa: DTZ001 - the point of the test
    assert caught.value.code == "at"


@pytest.mark.parametrize(
    "text", ["2026-05-20T12:00:00+08:00", "2026-05-20T04:00:00Z", "2026-05-20T04:00:00.000Z"]
)
def test_time_is_read_in_any_offset(text: str) -> None:
    assert parse_time(text) == datetime(2026, 5, 20, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-05-20",
        "2026-05-20T12:00:00",
        "20260520T120000Z",
        "2026-13-01T00:00:00Z",
        "2026-05-20 12:00:00Z",
        "0",
    ],
)
def test_time_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_time(text)
    assert caught.value.code == "at"


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 5, 20, 4, 0, tzinfo=SHANGHAI), date(2026, 5, 20)),
        (datetime(2026, 5, 20, 3, 59, 59, 999000, tzinfo=SHANGHAI), date(2026, 5, 19)),
        (datetime(2026, 5, 20, 23, 59, tzinfo=SHANGHAI), date(2026, 5, 20)),
        (datetime(2026, 1, 1, 0, 30, tzinfo=SHANGHAI), date(2025, 12, 31)),
    ],
)
def test_business_day_ends_at_four(moment: datetime, day: date) -> None:
    assert business_day(moment) == day


def test_business_day_end_can_be_set() -> None:
    assert business_day(datetime(2026, 5, 20, 4, 0, tzinfo=SHANGHAI), "05:30") == date(2026, 5, 19)


@pytest.mark.parametrize("fold", [0, 1])
def test_both_folds_of_a_repeated_hour_belong_to_one_day(fold: int) -> None:
    assert business_day(datetime(2026, 10, 25, 2, 30, fold=fold, tzinfo=BERLIN)) == date(2026, 10, 24)


def test_missing_hour_moves_no_sale() -> None:
    before, after = (datetime(2026, 3, 29, hour, 59, tzinfo=BERLIN) for hour in (1, 3))
    assert business_day(before) == business_day(after) == date(2026, 3, 28)
    assert business_day(after + timedelta(minutes=1)) == date(2026, 3, 29)


@pytest.mark.parametrize("text", ["4:00", "24:00", "04:60", "", "04:00:00"])
def test_unusable_start_of_the_day_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        parse_day_start(text)


def test_order_tag_tells_till_day_and_order_apart() -> None:
    key, day = b"k" * 32, date(2026, 5, 20)
    tags = {
        order_tag(key, "1", day, "087"),
        order_tag(key, "1", day, "088"),
        order_tag(key, "2", day, "087"),
        order_tag(key, "1", day + timedelta(days=1), "087"),
        order_tag(b"j" * 32, "1", day, "087"),
    }
    assert len(tags) == 5
    assert {len(tag) for tag in tags} == {8}


def test_order_tag_is_the_same_each_time() -> None:
    assert order_tag(b"k", "1", date(2026, 5, 20), "087").hex() == "ed7f4dd22835210a"


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z"]
)
def test_sale_refuses_years_that_no_till_tells(text: str) -> None:
    with pytest.raises(InvalidError) as refused:
        Sale(order="087", till="1", at=parse_time(text))
    assert refused.value.code == "at"


@pytest.mark.parametrize(
    "text", ["1970-01-01T00:00:00Z", "1980-01-01T00:00:00+08:00", "2199-12-31T23:59:59Z"]
)
def test_sale_takes_what_a_till_with_a_dead_battery_tells(text: str) -> None:
    assert Sale(order="087", till="1", at=parse_time(text)).at == parse_time(text)
