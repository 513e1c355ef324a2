"""Crockford's base 32: codes that people read out, type and mistype.

Source: https://www.crockford.com/base32.html, without its check symbol.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from merchant_agent.errors import FormatError

SIZE = 32
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_LEFT_OUT = frozenset(" -\N{EN DASH}\N{EM DASH}\N{HYPHEN}\N{MINUS SIGN}\t\r\n")


def write_values(values: Sequence[int]) -> str:
    """The characters of these values, each from 0 to 31."""
    return "".join(_ALPHABET[value] for value in values)


def values_of(number: int, count: int) -> list[int]:
    """The lowest 5 * `count` bits of the number as values, the highest first."""
    return [number >> 5 * place & 31 for place in reversed(range(count))]


def read_values(text: str, count: int) -> list[int]:
    """The values of a code as people write it.

    Any case, O for 0, I and L for 1; spaces and dashes are left out; full-width
    characters, as Chinese keyboards make them, count as their narrow ones.

    Raises:
        FormatError: not `count` characters of the alphabet.
    """
    letters = unicodedata.normalize("NFKC", text).upper().translate(_READ_AS)
    values = [_ALPHABET.find(letter) for letter in letters if letter not in _LEFT_OUT]
    if len(values) != count or min(values, default=-1) < 0:
        raise FormatError(f"code: not {count} characters of its alphabet")
    return values
