"""One kept connection that costs its process next to nothing: what is measured is the other side."""

from __future__ import annotations

import http.client
import json
import re
import socket
from typing import Any
from urllib.parse import urlsplit

_HEAD_ENDS = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_AT_ONCE = 65_536
_TIMEOUT_S = 60.0


class Line:
    """A connection to `url` for answers that tell their length; one request at a time."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.netloc
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=_TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""

    def request(self, method: str, path: str, headers: dict[str, str], message: object = None) -> bytes:
        """A request's octets, for `send`."""
        body = b"" if message is None else json.dumps(message).encode()
        told = {"Host": self._host, "Content-Length": str(len(body)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body

    def send(self, request: bytes) -> None:
        """Sends it whole."""
        self._read = b""
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The body of a good answer once all of it is there, else None after what has come.

        Raises:
            ConnectionError: the other side closed the connection.
            RuntimeError: it is no good answer.
        """
        came = self.socket.recv(_AT_ONCE)
        if not came:
            raise ConnectionError("the connection was closed")
        self._read += came
        head, ended, body = self._read.partition(_HEAD_ENDS)
        length = _LENGTH.search(head)
        if not ended or length is None or len(body) < int(length[1]):
            return None
        if int(head.split(b" ", 2)[1]) not in {http.client.OK, http.client.CREATED}:
            raise RuntimeError(f"answered with {self._read[:300]!r}")
        return body

    def call(self, request: bytes) -> dict[str, Any]:
        """Sends it; the answer's JSON.

        Raises:
            ConnectionError: as `receive`.
            RuntimeError: as `receive`.
        """
        self.send(request)
        while (body := self.receive()) is None:
            pass
        told: dict[str, Any] = json.loads(body)
        return told

    def close(self) -> None:
        """Closes the connection."""
        self.socket.close()
