"""A real central on loopback, in this process, that can be stopped and started again at its address."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from merchant_agent.central.app import create_app
from merchant_agent.central.codes import CodeKind, make_code
from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.services import Central, close_central, open_central
from merchant_agent.central.store.models import Record
from merchant_agent.domain.merchants import Merchant, Programme
from merchant_agent.settings import CentralSettings
from tests.clocks import ManualClock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SHOP = Merchant(
    name="示例餐饮有限公司",
    shop_name="示例面馆",
    credit_code="91310000MA1K000006",
    address="示例路 1 号",
    trade="catering",
    phone="021-00000000",
    programme=Programme.SITE,
)


class LiveCentral:
    """Central with one registered shop; `url` stays the same over `stop` and `start`."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = CentralSettings(data=path, port=self.port)
        self.central: Central = open_central(self.settings, clock)
        self.merchant = add_merchant(self.central, SHOP, who="officer")
        self.answers_to_lose = 0
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        app = create_app(self.central)
        app.wsgi_app = _Losing(self, app.wsgi_app)  # type: ignore[method-assign]
        self._server = make_server("127.0.0.1", self.port, app, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server = None

    def close(self) -> None:
        self.stop()
        close_central(self.central)

    def code(self, kind: CodeKind = CodeKind.SCREEN) -> str:
        """A fresh code for the shop."""
        return make_code(self.central, self.merchant, kind, who="officer").code

    def records(self) -> list[bytes]:
        """The octets of every record that central accepted, in their order."""
        with self.central.store.read() as reader:
            rows = reader.all(Record.select().order_by(Record.issuer, Record.epoch, Record.seq))
        return [bytes(row.octets) for row in rows]


class _Losing:
    """Does what is asked, and then cuts the connection instead of answering, as often as it is told to."""

    def __init__(self, central: LiveCentral, app: WSGIApplication) -> None:
        self._central = central
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = self._app(environ, start_response)
        if self._central.answers_to_lose > 0:
            self._central.answers_to_lose -= 1
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return answer


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 -- the base's name
        """Nothing: pytest shows what matters."""
