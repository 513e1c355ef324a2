"""What any text typed by people or sent by tills must be like before it is kept.

Texts are kept as they were given: nothing is rewritten apart from line ends and
the blanks around them. What cannot be shown safely is refused instead.
"""

from __future__ import annotations

import unicodedata

from merchant_agent.errors import InvalidError

_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def check_line(text: str, *, code: str, max_chars: int, min_chars: int = 0) -> str:
    """The text without blanks around it, on one line.

    Raises:
        InvalidError: with `code`, when it is too short, too long, or holds
            control characters, lone surrogates or direction overrides.
    """
    line = text.strip()
    _check_chars(line, code)
    _check_length(line, code, min_chars, max_chars)
    return line


def check_paragraphs(text: str, *, code: str, max_chars: int, min_chars: int = 0) -> str:
    """The text without blanks around it; lines end in a line feed.

    Raises:
        InvalidError: as `check_line`; line feeds are allowed.
    """
    paragraphs = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    _check_chars(paragraphs.replace("\n", ""), code)
    _check_length(paragraphs, code, min_chars, max_chars)
    return paragraphs


def half_width(text: str) -> str:
    """What people typed for a number, with the full-width digits and dots of Chinese keyboards as plain ones."""
    return unicodedata.normalize("NFKC", text).replace("。", ".")


def _check_chars(text: str, code: str) -> None:
    for char in text:
        if char in _BIDI_OVERRIDES or unicodedata.category(char) in _REFUSED:
            raise InvalidError(code, f"U+{ord(char):04X} is not allowed in text")


def _check_length(text: str, code: str, min_chars: int, max_chars: int) -> None:
    if not min_chars <= len(text) <= max_chars:
        raise InvalidError(code, f"{len(text)} characters, {min_chars} to {max_chars} are allowed")
