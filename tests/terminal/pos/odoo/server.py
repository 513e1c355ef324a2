"""A server that speaks Odoo's JSON-RPC as far as a reader of orders sees it, on a real port."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DATABASE, LOGIN, KEY = "shop", "reader@example.cn", "an-api-key"
USER = 7
_FIELDS = (
    "name",
    "pos_reference",
    "date_order",
    "amount_total",
    "currency_id",
    "state",
    "config_id",
    "write_date",
    "is_refund",
    "table_id",
)
_DENIED = {"name": "odoo.exceptions.AccessDenied", "message": "Access Denied"}
_NO_RIGHT = {
    "name": "odoo.exceptions.AccessError",
    "message": "You are not allowed to access 'Point of Sale Orders' (pos.order) records.",
}


class Odoo:
    """Its orders are `orders`; `is_allowed` are the user's rights. Sorts by finer time than it tells, as Odoo does."""

    def __init__(self, port: int = 0) -> None:
        self.orders: list[dict[str, Any]] = []
        self.is_allowed = True
        self.key = KEY
        self.searches = 0
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.odoo = self
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """It is gone, until another is made with its port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def sell(self, number: str, written: str, **members: object) -> dict[str, Any]:
        """An order that is paid; `written` may have a fraction of a second."""
        order = {
            "id": len(self.orders) + 1,
            "name": f"Shop/{number}",
            "pos_reference": number,
            "date_order": written[:19],
            "amount_total": 64.0,
            "currency_id": [6, "CNY"],
            "state": "paid",
            "config_id": [1, "till-1"],
            "write_date": written,
            "is_refund": False,
            "table_id": False,
        } | members
        self.orders.append(order)
        return order

    def answer(self, params: dict[str, Any]) -> tuple[str, object]:  # noqa: PLR0911 -- a table
        """`result` or `error`, and which."""
        match params:
            case {"service": "common", "method": "authenticate", "args": [database, login, key, _]}:
                is_right = (database, login, key) == (DATABASE, LOGIN, self.key)
                return "result", USER if is_right else False
            case {"args": [_, _, key, *_]} if key != self.key:
                return "error", {"code": 200, "message": "Odoo Server Error", "data": _DENIED}
            case {"args": [*_]} if not self.is_allowed:
                return "error", {"code": 200, "message": "Odoo Server Error", "data": _NO_RIGHT}
            case {"args": [_, _, _, "pos.order", "search_count", _, _]}:
                return "result", len(self.orders)
            case {"args": [_, _, _, "pos.order", "fields_get", _, _]}:
                return "result", {name: {"type": "char"} for name in _FIELDS}
            case {"args": [_, _, _, "pos.order", "search_read", [domain], options]}:
                return "result", self._search(domain, options)
            case _:
                return "error", {"code": 404, "message": "no such method", "data": {}}

    def _search(self, domain: list[list[Any]], options: dict[str, Any]) -> list[dict[str, Any]]:
        self.searches += 1
        (_, _, start), (_, _, states) = domain
        assert options["order"] == "write_date asc, id asc"
        found = [order for order in self.orders if order["write_date"] >= start and order["state"] in states]
        found.sort(key=lambda order: (order["write_date"], order["id"]))
        page = found[options["offset"] : options["offset"] + options["limit"]]
        told = [{name: order[name] for name in ("id", *options["fields"])} for order in page]
        return [order | {"write_date": order["write_date"][:19]} for order in told]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    odoo: Odoo


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """One call."""
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, value = self.server.odoo.answer(message["params"])
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], name: value}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name above
        """Nobody reads it."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Its clock stands where the shop's does."""
        return super().date_time_string(1_779_249_600 if timestamp is None else timestamp)
