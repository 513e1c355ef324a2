"""`merchant-agent central ...`: what each command does, prints and exits with."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.request import urlopen

import pytest

from merchant_agent.central.app import wsgi
from merchant_agent.cli import main
from merchant_agent.evidence.enrolment import parse_code
from merchant_agent.evidence.trust import load_trust
from tests.central.web.office import PASSWORD, credit_code

HEADINGS = "name,credit_code,address,trade"


class Console:
    """A shell on central's machine."""

    def __init__(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.data = data
        self._capsys = capsys

    def call(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        with pytest.raises(SystemExit) as ended:
            main(["central", *arguments, "--data", str(self.data)])
        told = self._capsys.readouterr()
        assert "Traceback" not in told.err
        return int(str(ended.value.code)), told.out, told.err


@pytest.fixture
def console(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Console:
    return Console(tmp_path / "central", capsys)


def _file(tmp_path: Path, *lines: str) -> str:
    path = tmp_path / "merchants.csv"
    path.write_text("\n".join((HEADINGS, *lines)), encoding="utf-8")
    return str(path)


def _command(data: Path) -> list[str]:
    return [sys.executable, "-m", "merchant_agent", "central", "run", "--data", str(data), "--ready-json"]


def _run(data: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """A server that is expected to end by itself."""
    return subprocess.run([*_command(data), *flags], capture_output=True, text=True, timeout=30, check=False)


@contextmanager
def _running(data: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = _command(data)
    with subprocess.Popen(
        [*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()


def test_officer_is_added_with_a_password_from_standard_input(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    code, out, _ = console.call("add-officer", "wang.fang", "--password-stdin")
    assert code == 0
    assert out.endswith("/officer\n")


def test_short_password_is_a_wrong_call(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    code, _, err = console.call("add-officer", "wang.fang", "--password-stdin")
    assert code == 2
    assert "password" in err


def test_file_is_imported_and_a_code_is_made_by_credit_code_or_id(console: Console, tmp_path: Path) -> None:
    file = _file(tmp_path, f"甲,{credit_code(1)},北街1号,餐饮")
    assert console.call("import-merchants", file)[1] == "1 added, 0 changed, 0 unchanged\n"
    added = console.call(
        *("add-merchant", "--name", "乙", "--credit-code", credit_code(2)),
        *("--address", "北街2号", "--trade", "catering"),
    )
    for merchant in (credit_code(1).lower(), added[1].strip()):
        code, out, _ = console.call("make-code", merchant)
        made, expires = out.splitlines()
        assert code == 0
        assert len(parse_code(made)) == 13
        assert datetime.fromisoformat(expires).tzinfo is not None


def test_lines_at_fault_are_listed_and_nothing_is_imported(console: Console, tmp_path: Path) -> None:
    file = _file(tmp_path, f"甲,{credit_code(1)},北街1号,餐饮", "乙,91,,餐饮")
    code, _, err = console.call("import-merchants", file)
    assert code == 1
    assert [line.split(":")[0] for line in err.splitlines()] == [
        "line 3 credit_code",
        "line 3 address",
        "merchant-agent",
    ]
    assert console.call("make-code", credit_code(1))[0] == 1


def test_missing_file_and_unfit_merchant_are_wrong_calls(console: Console, tmp_path: Path) -> None:
    assert console.call("import-merchants", str(tmp_path / "none.csv"))[0] == 2
    unfit = ("--name", "乙", "--credit-code", "91", "--address", "北街2号", "--trade", "catering")
    assert console.call("add-merchant", *unfit)[0] == 2


def test_trust_file_pins_the_root_key(console: Console, tmp_path: Path) -> None:
    out = tmp_path / "trust.json"
    assert console.call("trust", "--out", str(out))[0] == 0
    first = load_trust(out.read_bytes())
    assert console.call("trust", "--out", str(out))[0] == 0
    assert load_trust(out.read_bytes()) == first
    assert console.call("trust", "--out", str(tmp_path / "no" / "trust.json"))[0] == 1


def test_rebuild_of_an_empty_ledger_changes_nothing(console: Console) -> None:
    assert console.call("rebuild")[:2] == (0, "0 records read, 0 rows put right\n")


def test_unreachable_database_is_told_without_a_traceback(console: Console) -> None:
    code, _, err = console.call("trust", "--out", "x", "--database", "postgresql://nobody@127.0.0.1:1/none")
    assert code == 1
    assert err.startswith("merchant-agent: The PostgreSQL server cannot be used")


def test_server_says_where_it_is_and_stops_when_told(console: Console, tmp_path: Path) -> None:
    with _running(console.data, "--port", "0") as (process, url):
        with urlopen(f"{url}/healthz", timeout=10) as answer:  # noqa: S310 -- our own server
            assert json.load(answer)["state"] == "ok"
        code, _, err = console.call("rebuild")
        assert (code, len(err.splitlines())) == (1, 1)
        busy = _run(tmp_path / "other", "--port", url.rpartition(":")[2])
        assert busy.returncode == 1
        assert busy.stderr.startswith("merchant-agent: Port ")
        assert len(busy.stderr.splitlines()) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0


def test_worker_without_a_data_folder_ends_the_whole_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MERCHANT_AGENT_DATA", raising=False)
    with pytest.raises(SystemExit) as ended:
        wsgi()
    assert ended.value.code == 4
    assert capsys.readouterr().err == "merchant-agent: Set MERCHANT_AGENT_DATA to central's data folder.\n"


def test_worker_that_cannot_know_its_address_ends_the_whole_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MERCHANT_AGENT_DATA", str(tmp_path))
    monkeypatch.setenv("MERCHANT_AGENT_PORT", "0")
    with pytest.raises(SystemExit) as ended:
        wsgi()
    assert ended.value.code == 4
    assert "Set public_url" in capsys.readouterr().err
