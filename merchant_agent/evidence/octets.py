"""The one way to write bytes as text and values as JSON; everything else is refused.

Readers decode, encode again and compare: that one comparison refuses duplicate members,
other orders, spaces, escaped keys, `-0`, padding and trailing bits alike.
"""

from __future__ import annotations

import binascii
from collections.abc import Hashable
from functools import cache
from typing import Any, NoReturn, TypeVar

import msgspec

from merchant_agent.errors import FormatError

MAX_PAYLOAD_BYTES = 16_384
MAX_INTEGER = 2**53

T = TypeVar("T")

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# Base64 in a JSON string: msgspec reads it in half of binascii's time.
_ENDS = (b'"', b'==="', b'=="', b'="')
_BASE64: msgspec.json.Decoder[bytes] = msgspec.json.Decoder(bytes)
# Last characters whose unused low bits are 0, by what the length leaves over four.
_LAST: tuple[frozenset[int], ...] = (
    frozenset(_ALPHABET),
    frozenset(),
    frozenset(b"AQgw"),
    frozenset(b"AEIMQUYcgkosw048"),
)
# Fewer digits in a row than these cannot leave the bounds; looking so is ten times a regex.
_ALL_DIGITS_0 = bytes.maketrans(b"0123456789", b"0000000000")
_MANY_DIGITS = b"0" * 16
_ENCODER = msgspec.json.Encoder()


def encode_b64u(data: bytes) -> str:
    """Base64url without padding.

    Source: RFC 4648, section 5; RFC 7515, section 2.
    """
    return encode_segment(data).decode("ascii")


def decode_b64u(text: str, *, length: int | None = None) -> bytes:
    """The bytes that encode to exactly this text; `length` is how many they must be.

    Raises:
        FormatError: another alphabet, padding, trailing bits, white space, or another length.
    """
    try:
        segment = text.encode("ascii")
    except UnicodeEncodeError as error:
        raise FormatError("base64url: not ASCII") from error
    data = decode_segment(segment)
    if length is not None and len(data) != length:
        raise FormatError(f"base64url: {len(data)} bytes where {length} are expected")
    return data


def encode_segment(data: bytes) -> bytes:
    """`encode_b64u` as ASCII octets."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL_SAFE).rstrip(b"=")


def decode_segment(segment: bytes) -> bytes:
    """`decode_b64u` over ASCII octets.

    Raises:
        FormatError: the octets are not what `encode_segment` makes.
    """
    over = len(segment) % 4
    if segment and segment[-1] not in _LAST[over]:
        raise FormatError("base64url: bits left over, or a wrong length")
    if segment.translate(None, _ALPHABET):
        raise FormatError("base64url: another character")
    return _BASE64.decode(b'"' + segment.translate(_TO_STANDARD) + _ENDS[over])


def encode_json(value: object) -> bytes:
    """The one JSON encoding: given order, no white space, fewest escapes, integers alone.

    Source: RFC 8259; escapes as in RFC 8785, section 3.2.2.2.

    Raises:
        FormatError: an integer beyond +-2^53, a float, a lone surrogate, or no JSON value.
    """
    try:
        octets = _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise FormatError(f"JSON: {error}") from error
    if not _is_plain(msgspec.to_builtins(value)):
        raise FormatError("JSON: a number is no integer within +-2^53")
    return octets


def decode_json(octets: bytes, type_: type[T], *, max_bytes: int = MAX_PAYLOAD_BYTES) -> T:
    """The value of type `type_` whose one encoding these octets are.

    Raises:
        FormatError: too long, not JSON, not of that type, or not its one encoding.
    """
    if len(octets) > max_bytes:
        raise FormatError(f"JSON: {len(octets)} bytes, at most {max_bytes} are allowed")
    decoder: msgspec.json.Decoder[T] = _decoder(type_)  # type: ignore[arg-type]  # classes are hashable
    value = decode_with(decoder, octets)
    if _MANY_DIGITS in octets.translate(_ALL_DIGITS_0) and not _is_plain(msgspec.to_builtins(value)):
        raise FormatError("JSON: an integer beyond +-2^53")
    require_encoding(value, octets)
    return value


def decode_with(decoder: msgspec.json.Decoder[T], octets: bytes | msgspec.Raw) -> T:
    """What the decoder makes of the octets; alone it does not prove them to be the one encoding.

    Raises:
        FormatError: whatever way the octets displease the decoder.
    """
    try:
        return decoder.decode(octets)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise FormatError(f"JSON: {error}") from error


def require_encoding(value: object, octets: bytes) -> None:
    """Returns when the octets are the value's one encoding.

    Raises:
        FormatError: they are not.
    """
    if _ENCODER.encode(value) != octets:
        raise FormatError("JSON: not the one encoding of its value")


@cache
def _decoder(type_: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_, float_hook=_refuse_float)


def _refuse_float(text: str) -> NoReturn:
    raise FormatError(f"JSON: {text[:40]} is no integer")


def _is_plain(value: Any) -> bool:  # noqa: ANN401 -- any JSON value
    """Whether all numbers inside are integers within +-2^53."""
    match value:
        case None | bool() | str():
            return True
        case int():
            return -MAX_INTEGER <= value <= MAX_INTEGER
        case list() | tuple():
            return all(_is_plain(item) for item in value)
        case dict():
            return all(_is_plain(item) for item in value.values())
        case _:
            return False
