"""The edge to the network: one bounded request at a time, and an answer or the lack of one.

No redirects, no retries, no proxy from the environment: what may happen again is the
caller's to decide. Another thread may cut a request off at any moment.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Timeout, make_headers, parse_url

from merchant_agent import __version__
from merchant_agent.errors import SettingsError

MAX_ANSWER_BYTES = 65_536
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 30.0
DEADLINE_S = 60.0

# The first that fits; subclasses stand before their bases.
_DETAILS: tuple[tuple[type[Exception], str], ...] = (
    (ProxyError, "the proxy did not let the connection through"),
    (SSLError, "no secure connection: the certificate is not trusted"),
    (NameResolutionError, "the name is not known"),
    (NewConnectionError, "no connection"),
    (ConnectTimeoutError, "no connection in time"),
    (ReadTimeoutError, "no answer in time"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer, whoever gave it; header names in lower case, the body cut at its bound."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """Nothing came back that is a whole answer; whether the request arrived is not known."""

    detail: str


class Client:
    """Connections to one central, kept open between requests; for one requesting thread.

    `ca_file` replaces the system's certificate authorities where it is not empty. Reading
    may take `read_timeout_s` between two bytes and everything together `deadline_s`.

    Raises:
        SettingsError: the file of certificate authorities cannot be used.
    """

    def __init__(
        self,
        *,
        proxy: str = "",
        ca_file: str = "",
        read_timeout_s: float = READ_TIMEOUT_S,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._deadline_s = deadline_s
        self._manager = _manager(proxy, _tls_context(ca_file))
        self._timeout = Timeout(connect=CONNECT_TIMEOUT_S, read=read_timeout_s)
        self._lock = threading.Lock()
        self._connection: HTTPConnection | None = None  # under _lock
        self._was_cut = False  # under _lock
        self._closed = False  # under _lock

    @property
    def closed(self) -> bool:
        """Whether no further request may begin."""
        return self._closed

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answered | NoAnswer:
        """What the server at `url` answers to the body."""
        return self._request("POST", url, body, headers, MAX_ANSWER_BYTES)

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, max_bytes: int = MAX_ANSWER_BYTES
    ) -> Answered | NoAnswer:
        """What the server has at `url`, cut at `max_bytes`."""
        return self._request("GET", url, None, headers or {}, max_bytes)

    def cut(self) -> None:
        """Ends the request that is under way, as if its connection had broken; from any thread."""
        with self._lock:
            self._was_cut = True
            sock = None if self._connection is None else self._connection.sock
        if sock is not None:
            # Not the TLS socket's own shutdown: it takes the TLS state away from the thread that reads.
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends the request that is under way and lets no other begin; from any thread."""
        with self._lock:
            self._closed = True
        self.cut()

    def release(self) -> None:
        """Closes the idle connections; only while no request is under way."""
        self._manager.clear()

    def _request(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], max_bytes: int
    ) -> Answered | NoAnswer:
        with self._lock:
            self._was_cut = False
            if self._closed:
                return NoAnswer(detail="stopped")
        deadline = threading.Timer(self._deadline_s, self.cut)
        deadline.daemon = True
        deadline.start()
        try:
            answer = self._exchange(method, url, body, headers, max_bytes)
        except (HTTPError, OSError, http.client.HTTPException) as error:
            return NoAnswer(detail=_describe(error))
        finally:
            deadline.cancel()
        # http.client takes a head that breaks off for a whole one.
        return NoAnswer(detail="no answer in time") if self._was_cut else answer

    def _exchange(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], max_bytes: int
    ) -> Answered:
        self._remember_connections(url)
        response = self._manager.urlopen(
            method,
            url,
            body=body,
            headers={"User-Agent": f"merchant-agent/{__version__}", **headers},
            redirect=False,
            retries=False,
            timeout=self._timeout,
            preload_content=False,
            decode_content=False,
        )
        try:
            content, whole = _read_bounded(response, max_bytes)
            if whole:
                response.release_conn()
        finally:
            # After a release this changes nothing.
            response.close()
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answered(status=response.status, headers=names, body=content)

    def _remember_connections(self, url: str) -> None:
        """Has the pool of this address tell which connection it makes, so that `cut` can reach it."""
        pool = self._manager.connection_from_url(url)
        make: Callable[..., Any] = pool.ConnectionCls
        if not isinstance(make, type):
            return

        def remembered(*args: Any, **options: Any) -> Any:  # noqa: ANN401 -- urllib3's own
            connection = make(*args, **options)
            with self._lock:
                self._connection = connection
            return connection

        pool.ConnectionCls = remembered  # type: ignore[assignment]  # urllib3 only calls it


def _read_bounded(response: urllib3.BaseHTTPResponse, max_bytes: int) -> tuple[bytes, bool]:
    """The body up to its bound, and whether that was all of it."""
    parts: list[bytes] = []
    left = max_bytes
    while left > 0:
        part = response.read1(left, decode_content=False)
        if not part:
            return b"".join(parts), True
        parts.append(part)
        left -= len(part)
    return b"".join(parts), False


def _manager(proxy: str, context: ssl.SSLContext) -> urllib3.PoolManager:
    if not proxy:
        return urllib3.PoolManager(num_pools=1, maxsize=1, ssl_context=context)
    auth = parse_url(proxy).auth
    credentials = make_headers(proxy_basic_auth=auth) if auth else {}
    return urllib3.ProxyManager(proxy, num_pools=1, maxsize=1, ssl_context=context, proxy_headers=credentials)


def _tls_context(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"The setting central_ca: {ca_file} holds no certificate authority.") from error


def _describe(error: Exception) -> str:
    """Why there is no answer; without addresses, which may hold secrets."""
    return next((text for kind, text in _DETAILS if isinstance(error, kind)), "the connection broke off")
