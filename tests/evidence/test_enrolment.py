"""One-time codes, and the signature by which a key claims one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.enrolment import (
    format_code,
    new_code,
    parse_code,
    sign_enrolment,
    verify_enrolment,
)
from tests.evidence.synthetic import id_of, key_of

KEY = key_of("shop 1")


def test_codes_are_fresh_and_in_their_one_form() -> None:
    codes = {new_code() for _ in range(100)}
    assert len(codes) == 100
    assert all(parse_code(code) == code and len(code) == 13 for code in codes)


def test_a_code_is_grouped_for_people_and_read_again() -> None:
    code = new_code()
    grouped = format_code(code)
    assert [len(part) for part in grouped.split("-")] == [4, 4, 5]
    for text in (grouped, grouped.lower(), grouped.replace("-", " "), f"\N{IDEOGRAPHIC SPACE}{grouped}\n"):
        assert parse_code(text) == code


def test_the_holder_of_the_key_claims_the_code() -> None:
    code = new_code()
    verify_enrolment(KEY.public, code, sign_enrolment(KEY, code))


def test_a_signature_claims_no_other_code() -> None:
    signature = sign_enrolment(KEY, "0000000000001")
    with pytest.raises(VerificationError) as caught:
        verify_enrolment(KEY.public, "0000000000002", signature)
    assert caught.value.rule == "V3"


def test_a_signature_claims_for_no_other_key() -> None:
    code = new_code()
    with pytest.raises(VerificationError):
        verify_enrolment(key_of("shop 2").public, code, sign_enrolment(KEY, code))


def test_a_signature_continues_no_other_epoch() -> None:
    code, continued = new_code(), f"{id_of('shop')}.2"
    signature = sign_enrolment(KEY, code, continued)
    verify_enrolment(KEY.public, code, signature, continued)
    for other in (None, f"{id_of('shop')}.3", f"{id_of('other')}.2"):
        with pytest.raises(VerificationError) as caught:
            verify_enrolment(KEY.public, code, signature, other)
        assert caught.value.rule == "V3"


@pytest.mark.parametrize(
    "continues", ["", "shop.1", f"{id_of('shop')}", f"{id_of('shop')}.0", "A" * 11 + ".65536"]
)
def test_nothing_continues_what_is_no_epoch(continues: str) -> None:
    with pytest.raises(FormatError):
        sign_enrolment(KEY, new_code(), continues)
    with pytest.raises(FormatError):
        verify_enrolment(KEY.public, new_code(), bytes(64), continues)


def test_a_weak_key_claims_nothing() -> None:
    code = new_code()
    with pytest.raises(FormatError):
        verify_enrolment(b"\x01" + bytes(31), code, bytes(64))


@pytest.mark.parametrize("text", ["", "000000000000", "00000000000000", "000000000000u", "G000000000000"])
def test_other_texts_are_no_codes(text: str) -> None:
    with pytest.raises(FormatError):
        parse_code(text)
    with pytest.raises(FormatError):
        format_code(text)


@pytest.mark.parametrize("text", ["0000-0000-00001", "o000000000001", "a00000000000b"])
def test_a_spelling_is_not_signed(text: str) -> None:
    assert parse_code(text)
    with pytest.raises(FormatError):
        sign_enrolment(KEY, text)
    with pytest.raises(FormatError):
        verify_enrolment(KEY.public, text, bytes(64))


@given(st.text())
def test_no_text_crashes_the_reader(text: str) -> None:
    try:
        code = parse_code(text)
    except FormatError:
        return
    assert parse_code(code) == code


@given(st.binary(max_size=40), st.text(max_size=20), st.binary(max_size=70), st.none() | st.text())
def test_nothing_crashes_the_check(public: bytes, code: str, signature: bytes, continues: str | None) -> None:
    with pytest.raises((FormatError, VerificationError)):
        verify_enrolment(public, code, signature, continues)
