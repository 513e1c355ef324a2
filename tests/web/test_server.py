"""The server as a process: ready, busy port, stopped within seconds while requests wait."""

from __future__ import annotations

import json
import logging
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
import urllib3

from merchant_agent.errors import StartError
from merchant_agent.web.app import load_secret
from merchant_agent.web.logs import start_logging
from merchant_agent.web.server import local_url

PROGRAM = """
import threading
from flask import Flask
from merchant_agent.web.server import announce, serve

app = Flask("tried")
app.config["MAX_CONTENT_LENGTH"] = 1000
bell = threading.Event()
arrived = threading.Event()
app.add_url_rule("/wait", "wait", view_func=lambda: arrived.set() or str(bell.wait(20)))
app.add_url_rule("/waits", "waits", view_func=lambda: str(arrived.wait(20)))
serve(app, host="127.0.0.1", port=PORT, threads=4, on_ready=announce("tried", as_json=True), on_stop=bell.set)
print("stopped in order")
"""


@pytest.fixture
def server() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.replace("PORT", "0")], stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def _url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return str(json.loads(process.stdout.readline())["url"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_it_within_seconds_although_a_request_waits(
    server: subprocess.Popen[str], number: signal.Signals
) -> None:
    url = _url(server)
    answers: list[bytes] = []
    http = urllib3.PoolManager(retries=False)
    waiting = threading.Thread(target=lambda: answers.append(http.request("GET", f"{url}/wait").data))
    waiting.start()
    assert http.request("GET", f"{url}/waits").data == b"True"
    began = monotonic()
    server.send_signal(number)
    assert server.wait(5) == 0
    assert monotonic() - began < 4
    waiting.join(5)
    assert answers == [b"True"]
    assert server.stdout is not None
    assert server.stdout.read() == "stopped in order\n"
    http.clear()


def test_busy_port_is_one_plain_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        program = PROGRAM.replace("PORT", str(port))
        ended = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30
        )
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines()[-1] == (
        f"merchant_agent.errors.StartError: Port {port} is in use by another program; choose another with --port."
    )


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:9"),  # noqa: S104 -- told apart, not bound
        ("", "http://127.0.0.1:9"),
        ("192.168.1.5", "http://192.168.1.5:9"),
        ("::1", "http://[::1]:9"),
    ],
)
def test_address_for_this_machine(host: str, url: str) -> None:
    assert local_url(host, 9) == url


def test_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "form.secret"
    first = load_secret(path)
    assert (load_secret(path), len(first)) == (first, 32)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_cut_secret_is_named(tmp_path: Path) -> None:
    path = tmp_path / "form.secret"
    path.write_bytes(b"short")
    with pytest.raises(StartError, match=r"form\.secret is damaged"):
        load_secret(path)


def test_log_is_rotated_at_its_size(tmp_path: Path) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        start_logging(tmp_path, "tried", 2000)
        for number in range(400):
            logging.getLogger("merchant_agent.tried").info("line %d", number)
        sizes = [path.stat().st_size for path in (tmp_path / "log").iterdir()]
        assert len(sizes) == 4
        assert max(sizes) <= 2000
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers[:] = before
        root.setLevel(level)
