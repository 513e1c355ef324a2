"""Codes that people read out: typing errors are noticed, spellings are forgiven."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError
from merchant_agent.evidence.query_code import parse_query_code, query_code

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LEAVES = st.binary(min_size=32, max_size=32)


@given(LEAVES)
def test_a_code_is_read_as_it_is_written(leaf: bytes) -> None:
    code = query_code(leaf)
    assert [len(part) for part in code.split("-")] == [4, 4, 3]
    assert parse_query_code(code) == code


@given(LEAVES, st.data())
def test_spellings_are_forgiven(leaf: bytes, data: st.DataObject) -> None:
    code = query_code(leaf)
    spelt = "".join(data.draw(spellings(letter)) for letter in code)
    assert parse_query_code(spelt) == code


def spellings(letter: str) -> st.SearchStrategy[str]:
    if letter == "-":
        return st.sampled_from(
            ["-", "", " ", "\N{EM DASH}", "\N{FULLWIDTH HYPHEN-MINUS}", "\N{IDEOGRAPHIC SPACE}"]
        )
    alike = {"0": "oO", "1": "iIlL"}.get(letter, "")
    full_width = chr(ord(letter) + 0xFEE0)
    return st.sampled_from([letter, letter.lower(), full_width, *alike])


def test_every_wrong_character_is_noticed() -> None:
    letters = query_code(bytes(range(32))).replace("-", "")
    for position, right in enumerate(letters):
        for wrong in ALPHABET.replace(right, ""):
            with pytest.raises(FormatError):
                parse_query_code(letters[:position] + wrong + letters[position + 1 :])


def is_code(letters: str) -> bool:
    try:
        parse_query_code(letters)
    except FormatError:
        return False
    return True


def test_neighbours_exchanged_are_nearly_always_noticed() -> None:
    exchanged = []
    for seed in range(200):
        letters = query_code(hashlib.sha256(bytes([seed])).digest()).replace("-", "")
        for position in range(len(letters) - 1):
            pair = letters[position : position + 2]
            if pair != pair[::-1]:
                exchanged.append(letters[:position] + pair[::-1] + letters[position + 2 :])
    # Of all pairs in all states of the check system, 1 of 496 goes through.
    assert len([letters for letters in exchanged if is_code(letters)]) < len(exchanged) / 100


@given(st.text() | st.text(ALPHABET, min_size=11, max_size=11))
def test_no_text_crashes_the_reader(text: str) -> None:
    try:
        code = parse_query_code(text)
    except FormatError:
        return
    assert parse_query_code(code) == code


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_leaf_has_32_bytes(length: int) -> None:
    with pytest.raises(FormatError):
        query_code(bytes(length))
