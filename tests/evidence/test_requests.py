"""A signed request is for one purpose, one chain, one nonce and one thing that is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.requests import MAX_DETAIL, Purpose, epoch_of, sign_request, verify_request
from tests.evidence.synthetic import id_of, key_of, nonce_of

KEY = key_of("shop 1")
SHOP, NONCE = id_of("shop"), nonce_of("asked")
PURPOSES: tuple[Purpose, ...] = ("inbox", "records", "leaves", "head")


def verify(header: str, *, purpose: Purpose = "records", nonce: str = NONCE, detail: str = "1.7") -> None:
    verify_request(header, VerifyingKey(KEY.public), purpose, SHOP, nonce, detail)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_request_serves_one_purpose_alone(purpose: Purpose) -> None:
    header = sign_request(KEY, purpose, SHOP, 1, NONCE, "1.7")
    verify(header, purpose=purpose)
    for other in PURPOSES:
        if other != purpose:
            with pytest.raises(VerificationError) as caught:
                verify(header, purpose=other)
            assert caught.value.rule == "V3"


def test_a_request_is_good_for_one_nonce_and_detail() -> None:
    header = sign_request(KEY, "records", SHOP, 65_535, NONCE, "1.7")
    assert epoch_of(header) == 65_535
    for nonce, detail in ((nonce_of("other"), "1.7"), (NONCE, "1.8"), (NONCE, "")):
        with pytest.raises(VerificationError) as caught:
            verify(header, nonce=nonce, detail=detail)
        assert caught.value.rule == "V3"


def test_every_proper_prefix_and_changed_character_is_refused() -> None:
    header = sign_request(KEY, "records", SHOP, 1, NONCE, "1.7")
    for position, old in enumerate(header):
        for attempt in (header[:position], header[:position] + chr(ord(old) ^ 1) + header[position + 1 :]):
            with pytest.raises(VerificationError):
                verify(attempt)


@pytest.mark.parametrize(
    ("issuer", "epoch", "nonce", "detail"),
    [
        ("shop", 1, NONCE, ""),
        (f"{SHOP}\n", 1, NONCE, ""),
        (SHOP, 0, NONCE, ""),
        (SHOP, 65_536, NONCE, ""),
        (SHOP, 1, f"{NONCE}\n", ""),
        (SHOP, 1, "", ""),
        (SHOP, 1, NONCE, "two words"),
        (SHOP, 1, NONCE, "two\nlines"),
        (SHOP, 1, NONCE, "查"),
        (SHOP, 1, NONCE, "x" * (MAX_DETAIL + 1)),
    ],
)
def test_no_malformed_request_is_signed(issuer: str, epoch: int, nonce: str, detail: str) -> None:
    with pytest.raises(FormatError):
        sign_request(KEY, "records", issuer, epoch, nonce, detail)


@given(st.text(), st.text(), st.text(), st.text())
def test_no_text_crashes_the_check(header: str, issuer: str, nonce: str, detail: str) -> None:
    with pytest.raises(FormatError):
        epoch_of(header)
    with pytest.raises(VerificationError):
        verify_request(header, VerifyingKey(KEY.public), "head", issuer, nonce, detail)
    with pytest.raises(VerificationError):
        verify_request(
            sign_request(KEY, "head", SHOP, 1, NONCE, ""),
            VerifyingKey(KEY.public),
            "head",
            issuer,
            nonce,
            detail,
        )
