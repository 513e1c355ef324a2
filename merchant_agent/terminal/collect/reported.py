"""Sales that were reported before: found again whatever happened to clocks in between."""

from __future__ import annotations

from datetime import datetime, timedelta

from merchant_agent.domain.sales import Sale
from merchant_agent.errors import NotFoundError
from merchant_agent.store.fields import to_ms
from merchant_agent.store.lookup import Lookup
from merchant_agent.store.store import Reader
from merchant_agent.terminal.collect.lookup import find_prompt
from merchant_agent.terminal.collect.tills import Arrival
from merchant_agent.terminal.store import models

_SENT_AGAIN_WITHIN = timedelta(minutes=15)

_SALE = Lookup(models.Sale, "prompt_id = ?")
_SAME_ORDER = Lookup(models.Sale, "till = ? AND order_no = ? AND business_day IN (?, ?, ?, ?)")


def find_sale(reader: Reader, prompt_id: str, till: str = "") -> models.Sale:
    """What the till said of a prompt's sale; only of `till`'s own unless that is empty.

    Raises:
        NotFoundError: "prompt".
    """
    row = _SALE.first(reader, prompt_id)
    if row is None or till not in {"", row.till}:
        raise NotFoundError("prompt", "there is no such prompt")
    return row


def find_reported(reader: Reader, sale: Sale, arrival: Arrival) -> models.Sale | None:
    """The row of the same sale: same till and order, and same business day or same time of the till.

    What was learned of the till's clock since may have moved the sale to another day. A till that tells
    no time may send the same once more when the day is just over, and so may whoever recorded it: a
    signature is good for ten minutes.
    """
    around = (arrival.day - timedelta(days=1), arrival.day, arrival.day + timedelta(days=1))
    days = [day.isoformat() for day in (*around, arrival.claimed_day)]
    found = _SAME_ORDER.all(reader, sale.till, sale.order, *days)
    of_day = [one for one in found if one.business_day == arrival.day.isoformat()]
    of_time = [one for one in found if _is_same_time(one.at, sale.at)]
    timeless = [one for one in found if _is_without_time(one.at, sale.at) and agrees(one, sale)]
    just_now = [one for one in timeless if _is_just_now(reader, one, arrival)]
    return next(iter([*of_day, *of_time, *just_now]), None)


def agrees(known: models.Sale, sale: Sale) -> bool:
    """Whether both reports tell the same amount; one that tells none contradicts nothing."""
    if known.amount is None or sale.amount is None:
        return True
    return known.amount == str(sale.amount) and known.currency == sale.currency


def _is_without_time(stored: datetime | None, claimed: datetime | None) -> bool:
    return stored is None and claimed is None


def _is_just_now(reader: Reader, known: models.Sale, arrival: Arrival) -> bool:
    return arrival.received_at - find_prompt(reader, known.prompt_id).at <= _SENT_AGAIN_WITHIN


def _is_same_time(stored: datetime | None, claimed: datetime | None) -> bool:
    return stored is not None and claimed is not None and to_ms(stored) == to_ms(claimed)
