"""A sale as a till reports it over HTTP: the message, and what it means.

Strict: an unknown member, a number where a decimal string belongs, or a time without its
offset is refused, for a till's author to see while the till is being connected.
"""

from __future__ import annotations

import msgspec

from merchant_agent.domain.sales import Sale, SaleKind, SaleSource, parse_amount, parse_time
from merchant_agent.errors import ForbiddenError


class SaleMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /pos/v1/sales`; `amount` is a decimal string, `at` RFC 3339."""

    order: str
    till: str
    kind: SaleKind = SaleKind.COUNTER
    amount: str | None = None
    currency: str = "CNY"
    at: str | None = None


def read_sale(message: SaleMessage, token_till: str) -> Sale:
    """The sale that a till reports with a token of `token_till`, which is empty for any till's.

    Raises:
        InvalidError: "order", "till", "amount", "currency" or "at".
        ForbiddenError: "till", when the token is another till's.
    """
    sale = Sale(
        order=message.order,
        till=message.till,
        kind=message.kind,
        amount=None if message.amount is None else parse_amount(message.amount),
        currency=message.currency,
        at=None if message.at is None else parse_time(message.at),
        source=SaleSource.HTTP,
    )
    if token_till not in {"", sale.till}:
        raise ForbiddenError("till", "the token is another till's")
    return sale
