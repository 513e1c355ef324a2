"""`merchant-agent demo` as somebody calls it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import urllib3

from tests.programs import require_one_sentence, run_program, running_program

KEYS = {
    *("terminal", "central", "kiosk", "counter", "manager", "officer"),
    *("pos_token", "issuer", "merchant", "trust", "data"),
}
PORTS = ("--terminal-port", "0", "--central-port", "0")


def _ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr is not None else ""
    told: dict[str, Any] = json.loads(line)
    return told


def _status(url: str) -> int:
    return urllib3.request("GET", url, redirect=False, retries=False).status


def _children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_ready_line_has_the_keys_of_the_interface_and_they_work(tmp_path: Path) -> None:
    with running_program("demo", "--data", str(tmp_path), *PORTS, "--json") as process:
        told = _ready(process)
        assert set(told) == KEYS
        assert _status(told["kiosk"]) == 302
        assert _status(f"{told['terminal']}/healthz") == 200
        assert _status(f"{told['central']}/m/{told['merchant']}") == 200
        assert told["officer"]["user"] == "officer"
        for who in ("counter", "manager", "officer"):
            assert _status(told[who]["url"]) == 302
            assert told[who]["secret"]
        assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600
        out = tmp_path / "out.zip"
        assert run_program("export", "--data", told["data"], "--out", str(out)).code == 0
        assert run_program("verify", str(out), "--trust", told["trust"]).code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_both_programs_within_five_seconds(number: signal.Signals, tmp_path: Path) -> None:
    with running_program("demo", "--data", str(tmp_path), *PORTS, "--json") as process:
        told = _ready(process)
        children = _children(process.pid)
        assert len(children) == 2
        begun = monotonic()
        process.send_signal(number)
        assert process.wait(10) == 0
        assert monotonic() - begun < 5
        assert not any(Path(f"/proc/{pid}").exists() for pid in children)
        for url in (told["terminal"], told["central"]):
            with pytest.raises(urllib3.exceptions.HTTPError):
                _status(f"{url}/healthz")


def test_next_start_goes_on_with_the_folder(tmp_path: Path) -> None:
    told = []
    for _ in range(2):
        with running_program("demo", "--data", str(tmp_path), *PORTS, "--json") as process:
            told.append(_ready(process))
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
    for key in ("issuer", "merchant", "pos_token", "data", "trust"):
        assert told[0][key] == told[1][key]
    for who in ("counter", "manager", "officer"):
        assert told[0][who]["secret"] == told[1][who]["secret"]


def test_killed_program_is_started_again(tmp_path: Path) -> None:
    with running_program("demo", "--data", str(tmp_path), *PORTS, "--json") as process:
        told = _ready(process)
        for pid in _children(process.pid):
            os.kill(pid, signal.SIGKILL)
        for url in (told["terminal"], told["central"]):
            retries = urllib3.Retry(total=None, connect=100, read=100, backoff_factor=0.1, backoff_max=0.5)
            assert urllib3.request("GET", f"{url}/healthz", retries=retries).status == 200
        assert process.poll() is None


def test_programs_end_by_themselves_when_the_demo_is_killed(tmp_path: Path) -> None:
    with running_program("demo", "--data", str(tmp_path), *PORTS, "--json") as process:
        _ready(process)
        ends = [os.pidfd_open(pid) for pid in _children(process.pid)]
        process.kill()
        left = set(ends)
        while left:
            ended, _, _ = select.select(list(left), [], [], 5)
            assert ended, "a program goes on without the demo"
            left -= set(ended)
        for descriptor in ends:
            os.close(descriptor)


def test_feed_ends_with_everything_verified(tmp_path: Path) -> None:
    lines = ["label,review", *(f"{number % 2},第 {number} 位顾客说的话" for number in range(60))]
    feed = tmp_path / "reviews.csv"
    feed.write_text("\n".join(lines), encoding="utf-8")
    ended = run_program(
        "demo", "--data", str(tmp_path / "demo"), *PORTS, "--json", "--feed", str(feed), "--exit"
    )
    assert ended.code == 0, ended
    outcome = json.loads(ended.out.splitlines()[1])["feed"]
    assert outcome.pop("complete") is True
    assert set(outcome.values()) == {60}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"label,review\n2,x\n", "Line 2"),
        (b"a,b\n1,x\n", "Line 2"),
        ("label,review\n1,好".encode("gb18030"), "UTF-8"),
    ],
    ids=["label", "columns", "encoding"],
)
def test_unusable_feed_is_told_before_anything_starts(text: bytes, words: str, tmp_path: Path) -> None:
    feed = tmp_path / "reviews.csv"
    feed.write_bytes(text)
    ended = run_program("demo", "--data", str(tmp_path / "demo"), *PORTS, "--feed", str(feed))
    require_one_sentence(ended, words)
    assert not (tmp_path / "demo").exists()


def test_missing_feed_is_told(tmp_path: Path) -> None:
    ended = run_program("demo", "--data", str(tmp_path / "demo"), "--feed", str(tmp_path / "none.csv"))
    require_one_sentence(ended, "none.csv", "cannot be read")
