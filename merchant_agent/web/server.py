"""Serving an application with waitress, until somebody asks the process to stop."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from flask import Flask
from waitress.server import create_server
from waitress.task import ThreadedTaskDispatcher

from merchant_agent.errors import StartError

_CONNECTION_LIMIT = 500
_NOT_HERE = {errno.EADDRNOTAVAIL, errno.EACCES}


class Crew:
    """The threads that answer requests; any thread may ask for more while the server runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._dispatcher: ThreadedTaskDispatcher | None = None  # under _lock
        self._count = 0  # under _lock

    def begin(self, dispatcher: ThreadedTaskDispatcher, count: int) -> None:
        """Belongs to a server from now on, which has so many."""
        with self._lock:
            self._dispatcher, self._count = dispatcher, count

    def raise_to(self, count: int) -> None:
        """There are at least so many from now on; nothing before the server has begun."""
        with self._lock:
            if self._dispatcher is not None and count > self._count:
                self._count = count
                self._dispatcher.set_thread_count(count)


def serve(  # noqa: PLR0913 -- what a server needs to know
    app: Flask,
    *,
    host: str,
    port: int,
    threads: int,
    on_ready: Callable[[str], None],
    on_stop: Callable[[], None],
    crew: Crew | None = None,
) -> None:
    """Answers requests until SIGTERM or SIGINT; to be called from the main thread.

    Through `crew` the threads become more meanwhile.

    `on_ready` gets the address once connections are taken; `on_stop` is called at the
    signal and must end whatever requests are waiting for.

    Raises:
        StartError: the port is busy, or the address is not this machine's.
    """
    try:
        server = create_server(
            app,
            host=host,
            port=port,
            threads=threads,
            connection_limit=_CONNECTION_LIMIT,
            ident="",
            max_request_body_size=app.config["MAX_CONTENT_LENGTH"],
        )
    except OSError as error:
        raise StartError(_why_not(error, host, port)) from error
    if crew is not None:
        crew.begin(server.task_dispatcher, threads)
    ends = _Ends(on_stop)
    ends.install()
    on_ready(local_url(host, _port_of(server)))
    server.run()
    server.close()


def announce(program: str, *, as_json: bool) -> Callable[[str], None]:
    """What to do once ready: tell people on stderr, or programs by one line of JSON on stdout."""

    def tell(url: str) -> None:
        if as_json:
            sys.stdout.write(json.dumps({"url": url}) + "\n")
            sys.stdout.flush()
        else:
            sys.stderr.write(f"{program} ready at {url} (Ctrl-C stops it)\n")

    return tell


def local_url(host: str, port: int) -> str:
    """An address under which this machine itself reaches a server listening there."""
    if host in {"0.0.0.0", "", "::", "*"}:  # noqa: S104 -- told apart, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def end_with_parent() -> None:
    """Asks this process to stop once its standard input ends: a pipe that the starting process holds open.

    However that process dies, the system closes the pipe. To be called from the main thread.
    """
    threading.Thread(target=_await_end, args=(sys.stdin.fileno(),), name="parent", daemon=True).start()


def _await_end(descriptor: int) -> None:
    # Not sys.stdin's own read: the lock that it holds would be missed when the interpreter ends.
    while os.read(descriptor, 1):
        pass
    signal.raise_signal(signal.SIGTERM)


class _Ends:
    """Turns the first signal to stop into the server's end."""

    def __init__(self, on_stop: Callable[[], None]) -> None:
        self._on_stop = on_stop

    def install(self) -> None:
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)

    def _end(self, _number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._on_stop()
        raise SystemExit(0)


def _port_of(server: object) -> int:
    """The port that the system gave; with several addresses the first one's."""
    listening = getattr(server, "effective_listen", None)
    return int(listening[0][1] if listening else server.effective_port)  # type: ignore[attr-defined]


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use by another program; choose another with --port."
    if error.errno in _NOT_HERE:
        return f"This machine cannot listen on {host}:{port}: {error.strerror}."
    return f"Listening on {host}:{port} failed: {error.strerror or error}."
