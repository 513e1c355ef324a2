"""Polls the orders that changed since the last poll, with a (write_date, id) cursor that loses none.

Odoo tells `write_date` to the second though it sorts by finer time, and an order becomes visible
after the transaction that wrote it, which began earlier. So each poll begins a minute before the
cursor, and orders are known by (id, write_date) over that minute. Closing a session writes all
its orders again: what was ordered before the connection stays old then too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from merchant_agent.errors import InvalidError
from merchant_agent.terminal.pos.odoo.client import OdooClient, OdooError
from merchant_agent.terminal.pos.odoo.orders import (
    MODEL,
    PAID,
    fields_to_read,
    format_date,
    parse_date,
    sale_of,
)
from merchant_agent.terminal.pos.sightings import Outcome, Sighting
from merchant_agent.terminal.pos.states import State, StateCode
from merchant_agent.terminal.pos.taking import Came, amount_of, take
from merchant_agent.terminal.pos.ways import OdooDetails, Way, load_progress, save_progress
from merchant_agent.terminal.services import Terminal

POLL_EVERY_S: Final = 5.0
PAGE: Final = 100
_OVERLAP: Final = timedelta(seconds=60)

Order = Mapping[str, Any]


class Progress(msgspec.Struct, kw_only=True):
    """The cursor: everything up to `newest` was read; `seen` are id and `write_date` of its last minute.

    Orders of before `since` are old. Times are Odoo's.
    """

    since: str
    newest: str
    seen: set[tuple[int, str]]


class OdooPolling:
    """Reads one Odoo; `look` is called again and again by one thread."""

    def __init__(
        self, terminal: Terminal, way: Way, details: OdooDetails, *, show: Callable[[Sighting], None]
    ) -> None:
        self._terminal = terminal
        self._way = way
        self._client = OdooClient(details)
        self._show = show
        self._fields: list[str] | None = None
        self.state = State(code=StateCode.WAITING)

    def look(self) -> None:
        """Takes what is new.

        Raises:
            StoreError: it could not be kept what was taken; the same is read again.
        """
        try:
            progress = self._load()
            if progress is None:
                self._save(self._begin())
            else:
                self._poll(progress)
        except OdooError as error:
            self.state, self._fields = error.state, None
        except (ValueError, KeyError, TypeError):
            self.state = State(code=StateCode.FOREIGN)
        else:
            self.state = State(code=StateCode.CONNECTED)

    def _begin(self) -> Progress:
        """What is there at the first poll is old."""
        self._client.read(MODEL, "search_count", [["state", "in", list(PAID)]])
        now = format_date(self._client.date or self._terminal.clock.now())
        return Progress(since=now, newest=now, seen=set())

    def _poll(self, progress: Progress) -> None:
        for orders in self._pages(progress):
            for order in orders:
                key = (int(order["id"]), str(order["write_date"])[:19])
                if key in progress.seen:
                    continue
                if not self._take(order, progress):
                    return
                progress.seen.add(key)
                progress.newest = max(progress.newest, key[1])
            self._save(progress)

    def _pages(self, progress: Progress) -> Iterator[list[Order]]:
        """By where the last page ended; within one second by numbers."""
        start, offset = format_date(parse_date(progress.newest) - _OVERLAP), 0
        while True:
            orders = self._read(start, offset)
            yield orders
            if len(orders) < PAGE:
                return
            last = str(orders[-1]["write_date"])[:19]
            start, offset = (last, 0) if last > start else (start, offset + len(orders))

    def _read(self, start: str, offset: int) -> list[Order]:
        if self._fields is None:
            self._fields = fields_to_read(self._client.read(MODEL, "fields_get", [], attributes=["type"]))
        orders: list[Order] = self._client.read(
            MODEL,
            "search_read",
            [["write_date", ">=", start], ["state", "in", list(PAID)]],
            fields=self._fields,
            order="write_date asc, id asc",
            limit=PAGE,
            offset=offset,
        )
        return orders

    def _take(self, order: Order, progress: Progress) -> bool:
        """Whether the order is dealt with; not where the same may work later."""
        if str(order["date_order"])[:19] < progress.since:
            return True
        try:
            sale = sale_of(order, self._way.till)
        except InvalidError as error:
            self._tell(Came(outcome=Outcome.REFUSED, why=error.code), str(order.get("name", "")), "")
            return True
        came = take(self._terminal, sale, dry_run=self._way.dry_run)
        if came.outcome is not Outcome.KNOWN:
            self._tell(came, sale.order, amount_of(sale))
        return not came.again

    def _tell(self, came: Came, order: str, amount: str) -> None:
        at = self._terminal.clock.now()
        self._show(Sighting(at=at, outcome=came.outcome, order=order, amount=amount, why=came.why))

    def _load(self) -> Progress | None:
        with self._terminal.store.read() as reader:
            kept = load_progress(reader, self._way.number)
        return None if kept is None else msgspec.convert(kept, Progress)

    def _save(self, progress: Progress) -> None:
        oldest = format_date(parse_date(progress.newest) - _OVERLAP)
        progress.seen = {key for key in progress.seen if key[1] >= oldest}
        kept = msgspec.to_builtins(progress)
        with self._terminal.store.write() as writer:
            save_progress(writer, self._way, kept)
