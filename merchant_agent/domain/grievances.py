"""What a customer fills in about a sale that went wrong, alike on the tablet and on the phone.

Each field may be empty; what is given is kept in the one form in which records state it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from merchant_agent.domain.sales import ORDER_MAX_CHARS, format_amount, parse_time, read_amount
from merchant_agent.domain.text import check_line, half_width
from merchant_agent.errors import InvalidError

_CURRENCY = "CNY"
# Clocks differ, and so do time zones; nothing that went wrong lies further ahead.
_LONGEST_AHEAD = timedelta(days=1)
_LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII)


def check_order(text: str) -> str:
    """The order number, with full-width digits as plain ones.

    Raises:
        InvalidError: "order".
    """
    return check_line(half_width(text), code="order", max_chars=ORDER_MAX_CHARS)


def check_occurred_at(text: str, now: datetime) -> str:
    """The time as it was given: RFC 3339, or `2026-11-24T10:26` in the zone of `now`.

    Raises:
        InvalidError: "occurred-at", when it is none; "occurred-in-future", by more than a day.
    """
    given = text.strip()
    if not given:
        return ""
    try:
        is_local = _LOCAL_TIME.fullmatch(given)
        at = datetime.fromisoformat(given).replace(tzinfo=now.tzinfo) if is_local else parse_time(given)
    except (ValueError, InvalidError) as error:
        raise InvalidError("occurred-at", "a date and time of day are expected") from error
    if at > now + _LONGEST_AHEAD:
        raise InvalidError("occurred-in-future", "a time that has come is expected")
    return given


def check_amount(text: str) -> str:
    """The amount in yuan, as `64.00 CNY`.

    Raises:
        InvalidError: "amount", when it is other than digits with at most two decimals.
    """
    given = text.strip()
    return format_amount(read_amount(given), _CURRENCY) if given else ""
