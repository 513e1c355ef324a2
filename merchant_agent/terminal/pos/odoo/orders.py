"""`pos.order` of Odoo as sales: which fields are read, and what an order means."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from merchant_agent.domain.sales import ORDER_MAX_CHARS, TILL_MAX_CHARS, Sale, SaleKind, SaleSource
from merchant_agent.errors import InvalidError

MODEL: Final = "pos.order"
PAID: Final = ("paid", "done", "invoiced")
_FIELDS: Final = (
    "name",
    "pos_reference",
    "date_order",
    "amount_total",
    "currency_id",
    "state",
    "config_id",
    "write_date",
    # That it is a refund, in one release or another.
    "is_refund",
    "refunded_order_id",
    "refunded_order_ids",
    # How it is eaten.
    "takeaway",
    "table_id",
)
NEEDED: Final = frozenset({"name", "date_order", "amount_total", "state", "write_date"})
_CENT: Final = Decimal("0.01")
_FORM: Final = "%Y-%m-%d %H:%M:%S"


def fields_to_read(known: Collection[str]) -> list[str]:
    """The fields that this release of Odoo has, of those that say something here."""
    return [name for name in _FIELDS if name in known]


def parse_date(text: str) -> datetime:
    """A time as Odoo tells it, which is UTC, to the second.

    Raises:
        ValueError: it is none.
    """
    return datetime.strptime(text[:19], _FORM).replace(tzinfo=UTC)


def format_date(at: datetime) -> str:
    """The time as Odoo takes it."""
    return at.astimezone(UTC).strftime(_FORM)


def sale_of(order: Mapping[str, Any], till: str) -> Sale:
    """The sale that an order tells of, a refund where it is one; `till` empty: its point of sale's name.

    Raises:
        InvalidError: as `Sale`; "odoo-order", a part is not of the type that Odoo documents.
    """
    try:
        amount, at = Decimal(str(order["amount_total"])).quantize(_CENT), parse_date(order["date_order"])
        number = str(order.get("pos_reference") or order["name"]).strip()
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise InvalidError("odoo-order", "an order is not as Odoo documents it") from error
    is_refund = amount < 0 or any(
        order.get(name) for name in ("is_refund", "refunded_order_id", "refunded_order_ids")
    )
    return Sale(
        order=number[:ORDER_MAX_CHARS],
        till=till or _label(order.get("config_id"))[:TILL_MAX_CHARS],
        kind=SaleKind.REFUND if is_refund else _form(order),
        amount=abs(amount),
        currency=_label(order.get("currency_id")) or "CNY",
        at=at,
        source=SaleSource.ODOO,
    )


def _form(order: Mapping[str, Any]) -> SaleKind:
    if order.get("takeaway"):
        return SaleKind.TAKEAWAY
    return SaleKind.TABLE if order.get("table_id") else SaleKind.COUNTER


def _label(value: object) -> str:
    """Of a many2one, `[id, name]`; empty for `false`."""
    return str(value[1]) if isinstance(value, list) and len(value) == 2 else ""  # noqa: PLR2004 -- a pair
