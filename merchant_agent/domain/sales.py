"""A sale as a till reports it, its business day and the tag that stands for its order number.

An order number is unique within its till and business day only: tills start again
at 001 every morning. The signed `prompt` record never holds the number itself, but
an HMAC of (till, business day, order), which the same printed invitation carries.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from merchant_agent.domain.text import check_line, half_width
from merchant_agent.errors import InvalidError

ORDER_MAX_CHARS = 64
TILL_MAX_CHARS = 32
TAG_BYTES = 8

_AMOUNT = re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_CENT = Decimal("0.01")
_AMOUNT_LIMIT = Decimal(10) ** 8
# What tills with dead batteries tell lies inside, and time zones cannot lead out of a calendar.
_YEARS = range(1970, 2200)


class SaleKind(StrEnum):
    """How goods and money change hands; a refund is no occasion to ask anybody."""

    COUNTER = "counter"
    TABLE = "table"
    TAKEAWAY = "takeaway"
    DELIVERY = "delivery"
    REFUND = "refund"


class SaleSource(StrEnum):
    """How the terminal came to know of a sale."""

    HTTP = "http"
    PRINTER = "printer"
    FOLDER = "folder"
    ODOO = "odoo"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """One sale, checked and in the one form that is stored and compared.

    `order` has 1 to 64 characters, `till` at most 32 and may be empty. `amount` has
    two decimals and at most 8 digits before them, None where the till tells none.
    `at` is the till's own aware time in the years 1970 to 2199, None where it tells none.

    Raises:
        InvalidError: "order", "till", "amount", "currency" or "at".
    """

    order: str
    till: str
    kind: SaleKind = SaleKind.COUNTER
    amount: Decimal | None = None
    currency: str = "CNY"
    at: datetime | None = None
    source: SaleSource = SaleSource.HTTP

    def __post_init__(self) -> None:
        order = check_line(self.order, code="order", min_chars=1, max_chars=ORDER_MAX_CHARS)
        object.__setattr__(self, "order", order)
        object.__setattr__(self, "till", check_line(self.till, code="till", max_chars=TILL_MAX_CHARS))
        if self.amount is not None:
            object.__setattr__(self, "amount", _check_amount(self.amount))
        if not _CURRENCY.fullmatch(self.currency):
            raise InvalidError("currency", "three capital letters are expected")
        if self.at is not None and self.at.utcoffset() is None:
            raise InvalidError("at", "a time needs its offset from UTC")
        if self.at is not None and self.at.year not in _YEARS:
            raise InvalidError("at", "the years 1970 to 2199 are expected")


def parse_amount(text: str) -> Decimal:
    """The amount written as digits with at most two decimals, as `64` or `64.00`.

    Raises:
        InvalidError: "amount", for anything else: signs, exponents, more than 8 digits.
    """
    if not _AMOUNT.fullmatch(text):
        raise InvalidError("amount", "digits with at most two decimals are expected")
    return Decimal(text).quantize(_CENT)


def read_amount(text: str) -> Decimal:
    """The amount as people type it, also with the full-width digits of Chinese keyboards.

    Raises:
        InvalidError: as `parse_amount`.
    """
    return parse_amount(half_width(text))


def format_amount(amount: Decimal, currency: str) -> str:
    """The one way in which records state money, as `64.00 CNY`."""
    return f"{amount.quantize(_CENT)} {currency}"


def parse_time(text: str) -> datetime:
    """An RFC 3339 time with its offset; what is finer than a microsecond is cut off.

    Raises:
        InvalidError: "at", when it is no such time.
    """
    if not _TIME.fullmatch(text):
        raise InvalidError("at", "an RFC 3339 time with its offset is expected")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidError("at", "there is no such time") from error


def parse_day_start(text: str) -> time:
    """The local time at which a business day begins, written `HH:MM`.

    Raises:
        InvalidError: "business-day", when it is no such time.
    """
    if not re.fullmatch(r"[0-9]{2}:[0-9]{2}", text):
        raise InvalidError("business-day", "HH:MM is expected")
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        raise InvalidError("business-day", "HH:MM is expected") from error


def business_day(at: datetime, starts: str = "04:00") -> date:
    """The day whose business a local, aware moment belongs to; it lasts until `starts` next morning.

    Only the wall time counts, so that a repeated or missing hour moves no sale to another day.
    """
    return at.date() if at.time() >= parse_day_start(starts) else at.date() - timedelta(days=1)


def order_tag(key: bytes, till: str, day: date, order: str) -> bytes:
    """8 bytes that stand for an order number towards everybody without the terminal's `key`.

    The parts hold no line feed, so no two different triples share an input.
    """
    message = f"{till}\n{day.isoformat()}\n{order}".encode()
    return hmac.new(key, message, hashlib.sha256).digest()[:TAG_BYTES]


def _check_amount(amount: Decimal) -> Decimal:
    if not amount.is_finite() or amount.is_signed() or amount >= _AMOUNT_LIMIT:
        raise InvalidError("amount", "0 to 99999999.99 is expected")
    if amount != amount.quantize(_CENT):
        raise InvalidError("amount", "at most two decimals are expected")
    return amount.quantize(_CENT)
