"""A server on loopback that misbehaves as scripted, and fails the test on any call that is not in its script.

with Upstream() as upstream:
    upstream.script(Reply(status=503), Cut(), accept)
    ...
    assert upstream.requests[0].path == "/api/v1/..."
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_DRIP_S = 0.02


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it came; header names in lower case. `connection` numbers the connections from 1."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A whole answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The connection breaks after these octets of the answer."""

    after: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Drip:
    """These octets, then one more every 20 ms without an end, until the client gives up."""

    head: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Nothing at all, until the client gives up."""


Step = Reply | Cut | Drip | Silence | Callable[[Request], Reply | Cut]


class Upstream:
    """The server; `url` is its address, `requests` what came, `heard` is set by the first of them."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.unexpected: list[Request] = []
        self.heard = threading.Event()
        self.closing = threading.Event()
        self._steps: list[Step] = []
        self._rest: Step | None = None
        self._lock = threading.Lock()
        self._connections = 0
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.upstream = self
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def script(self, *steps: Step) -> None:
        """Adds what the next requests get, one step each."""
        with self._lock:
            self._steps.extend(steps)

    def script_rest(self, step: Step) -> None:
        """What every request gets once the script is through."""
        self._rest = step

    @property
    def left(self) -> int:
        """Steps that no request took yet."""
        with self._lock:
            return len(self._steps)

    def next_step(self, request: Request) -> Step:
        with self._lock:
            self.requests.append(request)
            self.heard.set()
            if self._steps:
                return self._steps.pop(0)
            if self._rest is not None:
                return self._rest
            self.unexpected.append(request)
        return Reply(status=500, body=b"unexpected")

    def next_connection(self) -> int:
        with self._lock:
            self._connections += 1
            return self._connections

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        if kind is None:
            assert self.unexpected == [], "a request that the script does not know"
            assert self.left == 0, "steps that no request came for"


class _Server(ThreadingHTTPServer):
    upstream: Upstream
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 10

    def setup(self) -> None:
        super().setup()
        self._number = self.server.upstream.next_connection()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(
            method=self.command, path=self.path, headers=headers, body=body, connection=self._number
        )
        step = self.server.upstream.next_step(request)
        if callable(step):
            step = step(request)
        match step:
            case Reply():
                self._reply(step)
            case Cut():
                self._cut(step.after)
            case Drip():
                self._drip(step.head)
            case Silence():
                self._drip(None)

    do_GET = do_POST  # noqa: N815 -- the base's name

    def _reply(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def _cut(self, after: bytes) -> None:
        self.wfile.write(after)
        self.close_connection = True

    def _drip(self, head: bytes | None) -> None:
        self.close_connection = True
        try:
            self.wfile.write(head or b"")
            while not self.server.upstream.closing.wait(_DRIP_S) and not self._is_gone():
                if head is not None:
                    self.wfile.write(b"x")
        except OSError:
            return

    def _is_gone(self) -> bool:
        """Whether the client closed its side."""
        self.connection.settimeout(0)
        try:
            return len(self.connection.recv(1, socket.MSG_PEEK)) == 0
        except BlockingIOError:
            return False
        finally:
            self.connection.settimeout(self.timeout)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
        """Nothing: pytest shows what matters."""
