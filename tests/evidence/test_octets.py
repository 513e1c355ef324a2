"""One text for bytes and one encoding for values; nothing else gets in, and nothing crashes the reader."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError
from merchant_agent.evidence.octets import (
    MAX_INTEGER,
    decode_b64u,
    decode_json,
    decode_segment,
    encode_b64u,
    encode_json,
    encode_segment,
)

BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary())
def test_bytes_survive_base64url(data: bytes) -> None:
    assert decode_segment(encode_segment(data)) == data
    assert decode_b64u(encode_b64u(data), length=len(data)) == data


@given(st.text(BASE64URL + "=+/ \n"))
def test_what_base64url_takes_it_writes_again(text: str) -> None:
    try:
        data = decode_b64u(text)
    except FormatError:
        return
    assert encode_b64u(data) == text


@given(st.binary())
def test_no_octets_crash_base64url(segment: bytes) -> None:
    try:
        data = decode_segment(segment)
    except FormatError:
        return
    assert encode_segment(data) == segment


@given(st.text())
def test_no_text_crashes_base64url(text: str) -> None:
    try:
        data = decode_b64u(text)
    except FormatError:
        return
    assert encode_b64u(data) == text


def test_another_length_is_refused() -> None:
    with pytest.raises(FormatError):
        decode_b64u("AAAA", length=2)


@given(VALUES)
def test_values_survive_json(value: Any) -> None:
    octets = encode_json(value)
    assert decode_json(octets, object, max_bytes=len(octets)) == value


@given(st.binary() | st.text().map(str.encode))
def test_what_json_takes_it_writes_again(octets: bytes) -> None:
    try:
        value = decode_json(octets, object)
    except FormatError:
        return
    assert encode_json(value) == octets


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b" 1",
        b"1 ",
        b"1\n",
        b"1\x00",
        b"01",
        b"+1",
        b"-0",
        b"1.0",
        b"1e0",
        b"1E2",
        b"0.5",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"9007199254740993",
        b"-9007199254740993",
        b"18446744073709551616",
        b'{"a":1,"a":1}',
        b'{"a":1,}',
        b'{"a": 1}',
        b'{"\\u0061":1}',
        b"[1,]",
        b"[1e0]",
        b'"\\/"',
        b'"\\u0041"',
        b'"\\u001F"',
        b'"\\ud83d\\ude00"',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"\xc0\x80"',
        b'"\x1f"',
        b"\xef\xbb\xbf1",
        b"'a'",
        b"// 1",
        b"[" * 5000 + b"]" * 5000,
        b'{"a":' * 2700,
    ],
)
def test_other_json_is_refused(octets: bytes) -> None:
    with pytest.raises(FormatError):
        decode_json(octets, object)


@pytest.mark.parametrize("number", [MAX_INTEGER, -MAX_INTEGER])
def test_the_largest_integers_are_read(number: int) -> None:
    assert decode_json(str(number).encode(), object) == number


def test_a_long_text_is_refused() -> None:
    octets = encode_json("x" * 100)
    with pytest.raises(FormatError):
        decode_json(octets, str, max_bytes=len(octets) - 1)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        math.nan,
        math.inf,
        [1.0],
        {"a": 1.0},
        MAX_INTEGER + 1,
        -MAX_INTEGER - 1,
        {"a": [2**64]},
        "\ud800",
        {"\udfff": 1},
        {1, 2.5},
        object(),
        nested(100_000),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_no_reader_would_take_is_not_written(value: object) -> None:
    with pytest.raises(FormatError):
        encode_json(value)


class Pair(msgspec.Struct, forbid_unknown_fields=True):
    a: int
    b: str


@pytest.mark.parametrize(
    "octets",
    [
        b'{"b":"","a":1}',
        b'{"a":1}',
        b'{"a":1,"b":"","c":1}',
        b'{"a":"1","b":""}',
        b'{"a":true,"b":""}',
        b"[1,2]",
    ],
)
def test_another_shape_is_refused(octets: bytes) -> None:
    with pytest.raises(FormatError):
        decode_json(octets, Pair)
