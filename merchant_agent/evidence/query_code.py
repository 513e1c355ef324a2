"""The query code: the one number that stands for a record towards people.

Ten Crockford characters of the leaf and a check character, as `7K4M-2QPX-9RT`.
Source: PROTOCOL.md, "Query code"; ISO/IEC 7064, hybrid system MOD 33,32.
"""

from __future__ import annotations

from merchant_agent.errors import FormatError
from merchant_agent.evidence.crockford import SIZE, read_values, values_of, write_values

_CHARACTERS = 10
_LEAF_BYTES = 32


def query_code(leaf: bytes) -> str:
    """The code of a 32-byte leaf, 11 characters grouped 4-4-3.

    Raises:
        FormatError: not 32 bytes.
    """
    if len(leaf) != _LEAF_BYTES:
        raise FormatError(f"query code: a leaf of {len(leaf)} bytes")
    values = values_of(int.from_bytes(leaf[:7], "big") >> 6, _CHARACTERS)
    return _grouped([*values, _check_value(values)])


def parse_query_code(text: str) -> str:
    """The canonical form of a code as people write it, in any case and grouping; see `read_values`.

    Raises:
        FormatError: another length or character, or the check character does not fit.
    """
    values = read_values(text, _CHARACTERS + 1)
    if _check_value(values[:-1]) != values[-1]:
        raise FormatError("query code: the check character does not fit")
    return _grouped(values)


def _check_value(values: list[int]) -> int:
    """The value that makes the string's final sum 1 modulo 32."""
    product = SIZE
    for value in values:
        product = ((product + value) % SIZE or SIZE) * 2 % (SIZE + 1)
    return (1 - product) % SIZE


def _grouped(values: list[int]) -> str:
    letters = write_values(values)
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"
