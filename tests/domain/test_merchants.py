"""Merchants and their credit codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.domain.merchants import Merchant, Programme, check_character, parse_credit_code
from merchant_agent.errors import InvalidError

# Codes of large companies and the standard's own example, from their public registration.
REAL = ["9144030071526726XG", "914403001922038216", "91110000802100433B", "91350100M000100Y43"]
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def merchant(**changes: str) -> Merchant:
    fields = {"name": "大邑北街小馆", "credit_code": REAL[0], "address": "北街18号", "trade": "catering"}
    return Merchant(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("code", REAL)
def test_real_credit_codes_pass(code: str) -> None:
    assert parse_credit_code(code) == code


def test_credit_code_is_read_as_people_write_it() -> None:
    assert parse_credit_code(" 9144 0300 7152 6726 xg ") == REAL[0]


@pytest.mark.parametrize(
    "code", ["", "9144030071526726X", "9144030071526726XGG", "9144030071526726XI", "914403OO71526726XG"]
)
def test_credit_code_of_another_form_is_refused(code: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_credit_code(code)
    assert caught.value.code == "credit-code"


@given(st.sampled_from(REAL), st.integers(0, 17), st.sampled_from(ALPHABET))
def test_no_single_wrong_character_goes_unnoticed(code: str, place: int, char: str) -> None:
    if code[place] == char:
        return
    with pytest.raises(InvalidError):
        parse_credit_code(code[:place] + char + code[place + 1 :])


@given(st.text(ALPHABET, min_size=9, max_size=9))
def test_check_character_completes_any_body(body: str) -> None:
    code = "91510129" + body
    assert parse_credit_code(code + check_character(code)) == code + check_character(code)


def test_shop_without_a_sign_goes_by_its_registered_name() -> None:
    assert merchant().shop_name == "大邑北街小馆"
    assert merchant(shop_name=" 北街小馆 ").shop_name == "北街小馆"
    assert merchant().programme is Programme.NONE


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", " ", "name"),
        ("name", "x" * 121, "name"),
        ("shop_name", "a\nb", "shop-name"),
        ("credit_code", REAL[0][:-1] + "1", "credit-code"),
        ("address", "", "address"),
        ("trade", "餐饮", "trade"),
        ("phone", "call me", "phone"),
        ("phone", "1" * 33, "phone"),
    ],
)
def test_unusable_field_is_refused_by_name(field: str, value: str, code: str) -> None:
    with pytest.raises(InvalidError) as caught:
        merchant(**{field: value})
    assert caught.value.code == code


@pytest.mark.parametrize("phone", ["", "028-8822 1234", "+86 138 0000 0000", "(028)88221234"])
def test_telephone_numbers_are_taken_as_people_write_them(phone: str) -> None:
    assert merchant(phone=phone).phone == phone
