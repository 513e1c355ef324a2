"""Reads a receipt's number, sum and time out of its lines.

A label counts where it stands for itself: at a line's beginning, or behind white space. Its value is
what follows it on the line up to the next word, or the line below where nothing follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

_LABEL_BEFORE: Final = r"(?:(?<=\s)|(?<=^)|(?<=[*#=\[(【<:-]))"
_LABEL_AFTER: Final = r"(?![a-z])"
_NUMBER: Final = re.compile(
    r"[\s:.#(\[【]*(?:no\.?|nr\.?|n°|号|编号)?[\s:.#(\[【]*([a-z]{0,6}[-_/]?[0-9][a-z0-9_/-]{0,39})"
)
_BARE_NUMBER: Final = re.compile(r"[#*\s]*([a-z]{0,3}-?[0-9]{1,20})[#*\s号]*")
_DIGITS: Final = r"[0-9]{1,3}(?:[,. ][0-9]{3})+(?:[.,][0-9]{1,2})?|[0-9]+(?:[.,][0-9]{1,2})?"
_AMOUNT: Final = re.compile(
    rf"(?P<minus>-\s*)?(?:[¥$€£]\s*)?(?P<minus2>-\s*)?(?P<digits>{_DIGITS})(?![0-9%])"
)
_COUNT_WORDS: Final = (
    "数量",
    "件数",
    "品数",
    "份数",
    "笔数",
    "单数",
    "数:",
    "items",
    "qty",
    "quantity",
    "discount",
    "tax",
    "saved",
    "savings",
    "points",
    "积分",
    "优惠",
    "折扣",
)
# What may stand between a label and its amount.
_BETWEEN: Final = re.compile(r"(?:[\s:=.·_*-]|\([^)]*\)|rmb|cny|eur|usd|gbp|金额|人民币|元|[¥$€£])*")
_NEXT_WORD: Final = re.compile(r"(?!(?:rmb|cny|eur|usd|gbp|元|x)\b)[a-z\u4e00-\u9fff]{2,}")
_CURRENCIES: Final = (
    ("€", "EUR"),
    ("eur", "EUR"),
    ("$", "USD"),
    ("usd", "USD"),
    ("£", "GBP"),
    ("gbp", "GBP"),
)
_TIME: Final = re.compile(
    r"(20[0-9]{2})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?[\st]*([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?"
)
_MOST_LINES: Final = 400
_MOST_CHARS: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The sum of a sale with its currency's three letters; negative where money went back."""

    amount: Decimal
    currency: str


def bounded(lines: Sequence[str]) -> list[str]:
    """The lines as they are searched: in lower case, the first 400, each up to 120 characters."""
    return [line[:_MOST_CHARS].lower() for line in lines[:_MOST_LINES]]


def present(words: Sequence[str], low: Sequence[str]) -> list[str]:
    """The words that stand anywhere on those lines; `=` before a word is none of it. Most never do."""
    text = "\n".join(low)
    return [word for word in words if word.removeprefix("=") in text]


def find_order(lines: Sequence[str], words: Sequence[str]) -> str | None:
    """The number after the best of these words, as it is printed; None where there is none."""
    low = bounded(lines)
    for word in present(words, low):
        for at, end in _labels(low, word):
            found = _NUMBER.match(low[at], end)
            if found is not None:
                return lines[at][found.start(1) : found.end(1)].rstrip("-_/")
            below = low[at + 1] if at + 1 < len(low) and not low[at][end:].strip(" :#") else ""
            bare = _BARE_NUMBER.fullmatch(below)
            if bare is not None:
                return lines[at + 1][bare.start(1) : bare.end(1)]
    return None


def find_total(lines: Sequence[str], words: Sequence[str]) -> Total | None:
    """The sum after the best of these words; None where there is none."""
    low = bounded(lines)
    for word in present(words, low):
        # The last one: what a discount or a tip changed stands below.
        for at, end in reversed(list(_labels(low, word))):
            amount = _amount_after(low, at, end)
            if amount is not None:
                return Total(amount=amount, currency=_currency(low[at : at + 2]))
    return None


def has_amounts(lines: Sequence[str]) -> bool:
    """Whether anything on it looks like a price."""
    return any(re.search(r"[0-9][.,][0-9]{2}(?![0-9])", line) for line in bounded(lines))


def find_time(lines: Sequence[str]) -> datetime | None:
    """The latest local time that is printed, without a zone: when it was paid; None where there is none."""
    found = [moment for line in bounded(lines) for moment in map(_moment, _TIME.finditer(line)) if moment]
    return max(found, default=None)


def _labels(low: Sequence[str], word: str) -> Iterator[tuple[int, int]]:
    """Line and end of each place where the word stands for itself."""
    pattern = re.compile(rf"{_LABEL_BEFORE}{re.escape(word)}{_LABEL_AFTER if word[-1:].isascii() else ''}")
    for at, line in enumerate(low):
        for match in pattern.finditer(line):
            yield at, match.end()


def _amount_after(low: Sequence[str], at: int, end: int) -> Decimal | None:
    rest = low[at][end:]
    if rest.lstrip(" :").startswith(_COUNT_WORDS):
        return None
    between = _BETWEEN.match(rest)
    start = 0 if between is None else between.end()
    minus = "-" in rest[:start].replace("--", "")
    stop = _NEXT_WORD.search(rest, start)
    value = _last_amount(rest[start : None if stop is None else stop.start()])
    if value is None and not rest[start:].strip() and at + 1 < len(low):
        below = _AMOUNT.fullmatch(low[at + 1].strip(" :元*"))
        value = None if below is None else _value(below)
    return -value if value is not None and minus and value > 0 else value


def _last_amount(text: str) -> Decimal | None:
    """The last one with decimals, else the last one: a count of goods stands before the sum."""
    found = list(_AMOUNT.finditer(text))
    exact = [match for match in found if re.search(r"[.,][0-9]{1,2}$", match["digits"])]
    chosen = exact or found
    return _value(chosen[-1]) if chosen else None


def _value(match: re.Match[str]) -> Decimal | None:
    digits = match["digits"].replace(" ", "")
    decimals = re.search(r"[.,]([0-9]{1,2})$", digits)
    whole = re.sub(r"[.,]", "", digits[: decimals.start()] if decimals else digits)
    value = Decimal(f"{whole}.{decimals[1] if decimals else '0'}")
    return -value if match["minus"] or match["minus2"] else value


def _currency(near: Sequence[str]) -> str:
    text = " ".join(near)
    return next((code for sign, code in _CURRENCIES if sign in text), "CNY")


def _moment(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 -- paper names no zone
    except ValueError:
        return None
