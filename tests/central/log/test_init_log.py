"""`merchant-agent central init-log`, and the server that goes on from it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from merchant_agent.cli import main
from merchant_agent.evidence.checkpoint import open_checkpoint
from merchant_agent.evidence.note import parse_vkey


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def call(capsys: pytest.CaptureFixture[str], data: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as ended:
        main(["central", "init-log", "--data", str(data), *arguments])
    told = capsys.readouterr()
    return int(str(ended.value.code)), told.out, told.err


def test_it_begins_the_log_and_tells_its_keys(
    tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told, _ = call(capsys, tmp_path / "central", "--checkpoint-lock", str(lock))
    assert code == 0
    begun, *keys = told.splitlines()
    assert begun.endswith("begins with 0 entries.")
    head = open_checkpoint(lock.read_bytes(), [parse_vkey(key) for key in keys]).head
    assert f"The log {head.origin} " in begun
    assert head.size == 0


def test_the_file_may_be_named_in_the_settings(
    tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "central").mkdir()
    (tmp_path / "central" / "central.toml").write_text('checkpoint_lock = "../lock"\nlog_origin = "a/log"\n')
    code, told, _ = call(capsys, tmp_path / "central")
    assert (code, told.splitlines()[0]) == (0, "The log a/log begins with 0 entries.")
    assert lock.exists()


def test_it_begins_once_and_tells_so_in_one_sentence(
    tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (capsys, tmp_path / "central", "--checkpoint-lock", str(lock))
    call(*arguments)
    held = lock.read_bytes()
    for more in ((), ("--again",)):
        code, told, error = call(*arguments, *more)
        assert (code, told, error.count("\n")) == (1, "", 1)
    assert lock.read_bytes() == held


@pytest.mark.parametrize("flags", [(), ("--checkpoint-lock", "nowhere/lock"), ("--checkpoint-lock", ".")])
def test_without_a_place_for_the_file_nothing_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...]
) -> None:
    code, told, error = call(capsys, tmp_path / "central", *flags)
    assert (code, told, error.count("\n")) == (1, "", 1)
    assert not (tmp_path / "central" / "nowhere").exists()


def test_a_running_central_publishes(tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "central"
    _, told, _ = call(capsys, data, "--checkpoint-lock", str(lock))
    keys = [parse_vkey(key) for key in told.splitlines()[1:]]
    command = [sys.executable, "-m", "merchant_agent", "central", "run", "--data", str(data), "--ready-json"]
    flags = ["--port", "0", "--checkpoint-lock", str(lock)]
    with subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"]
        with urlopen(f"{url}/log/checkpoint", timeout=10) as answer:  # noqa: S310 -- our own server
            assert open_checkpoint(answer.read(), keys).head.size == 0
        with urlopen(f"{url}/healthz", timeout=10) as answer:  # noqa: S310 -- our own server
            assert json.load(answer)["log"] == "ok"
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=10) == 0
