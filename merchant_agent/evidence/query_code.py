"""The query code: the one number that stands for a record towards people.

Ten Crockford characters of the leaf and a check character, as `7K4M-2QPX-9RT`.
Source: PROTOCOL.md, "Query code"; ISO/IEC 7064, hybrid system MOD 33,32.
"""

from __future__ import annotations

from merchant_agent.errors import FormatError

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})
_SIZE = len(_ALPHABET)
_CHARACTERS = 10
_LEAF_BYTES = 32


def query_code(leaf: bytes) -> str:
    """The code of a 32-byte leaf, 11 characters grouped 4-4-3.

    Raises:
        FormatError: not 32 bytes.
    """
    if len(leaf) != _LEAF_BYTES:
        raise FormatError(f"query code: a leaf of {len(leaf)} bytes")
    number = int.from_bytes(leaf[:7], "big") >> 6
    values = [number >> 5 * place & 31 for place in reversed(range(_CHARACTERS))]
    return _grouped([*values, _check_value(values)])


def parse_query_code(text: str) -> str:
    """The canonical form of a code as people write it: any case, spaces, O for 0, I and L for 1.

    Raises:
        FormatError: another length or character, or the check character does not fit.
    """
    letters = text.strip().upper().translate(_READ_AS)
    if len(letters) != _CHARACTERS + 1 or any(letter not in _ALPHABET for letter in letters):
        raise FormatError("query code: not 11 characters of its alphabet")
    values = [_ALPHABET.index(letter) for letter in letters]
    if _check_value(values[:-1]) != values[-1]:
        raise FormatError("query code: the check character does not fit")
    return _grouped(values)


def _check_value(values: list[int]) -> int:
    """The value that makes the string's final sum 1 modulo 32."""
    product = _SIZE
    for value in values:
        product = ((product + value) % _SIZE or _SIZE) * 2 % (_SIZE + 1)
    return (1 - product) % _SIZE


def _grouped(values: list[int]) -> str:
    letters = "".join(_ALPHABET[value] for value in values)
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"
