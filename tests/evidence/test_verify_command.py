"""`merchant-agent verify`: exit codes, one line a rule, JSON, and a progress bar for those who wait."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from merchant_agent.evidence.archive import DISCLOSURES, RECORDS, write_export
from merchant_agent.evidence.trust import encode_trust
from merchant_agent.verify_command import verify
from tests.evidence.synthetic import Export, Shop, busy_shop, id_of, trust_of

SHOP = busy_shop()
EXPORT = SHOP.export()


@pytest.fixture
def trust_file(tmp_path: Path) -> Path:
    path = tmp_path / "trust.json"
    path.write_bytes(encode_trust(trust_of()))
    return path


def written(folder: Path, export: Export = EXPORT) -> Path:
    path = folder / "export.zip"
    write_export(path, export.files)
    return path


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(verify, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_a_good_export_exits_with_0(tmp_path: Path, trust_file: Path) -> None:
    result = run(written(tmp_path), "--trust", trust_file)
    assert result.exit_code == 0
    head, compare, outcome = result.stdout.splitlines()
    link = SHOP.chain.link
    assert head == f"head: epoch 2 seq 3 link {link}; last acknowledged: 2026-05-20T12:00:14.000+08:00"
    assert "compare with central" in compare
    assert outcome == "14 records, signatures checked: no rule is violated; trusted: yes"
    assert result.stderr == ""


def test_without_trust_the_fingerprints_are_printed(tmp_path: Path) -> None:
    result = run(written(tmp_path))
    assert result.exit_code == 0
    assert "trusted: no" in result.stdout
    assert result.stdout.count("SHA-256") == 4


def test_hashes_alone_are_said_to_be_so(tmp_path: Path) -> None:
    assert "hashes only" in run(written(tmp_path), "--hashes-only").stdout


def test_each_violated_rule_is_printed_with_its_first_place(tmp_path: Path, trust_file: Path) -> None:
    export = EXPORT.copy()
    del export.files[RECORDS][2], export.files[RECORDS][5]
    result = run(written(tmp_path, export), "--trust", trust_file)
    assert result.exit_code == 1
    violated = [line for line in result.stdout.splitlines() if line.startswith("VIOLATED")]
    assert violated[0].startswith(f"VIOLATED V4 at {id_of('shop')} epoch 1 seq 2: ")
    assert len(violated) == len({line.split()[1] for line in violated})
    assert "violations found" in result.stdout


def test_findings_are_printed_and_exit_with_0(tmp_path: Path, trust_file: Path) -> None:
    export = EXPORT.copy()
    del export.files[DISCLOSURES][0]
    result = run(written(tmp_path, export), "--trust", trust_file)
    assert result.exit_code == 0
    assert f"finding V10 undisclosed at {id_of('shop')} epoch 1 seq 1" in result.stdout


def test_json_is_the_whole_verdict(tmp_path: Path, trust_file: Path) -> None:
    export = EXPORT.copy()
    del export.files[RECORDS][2]
    result = run(written(tmp_path, export), "--trust", trust_file, "--json")
    assert result.exit_code == 1
    verdict = json.loads(result.stdout)
    assert (verdict["trusted"], verdict["records"], verdict["counts"]["V4"]) == (True, 13, 1)
    first = verdict["violations"][0]
    assert first["place"] == {"issuer": id_of("shop"), "epoch": 1, "seq": 2}
    assert (first["rule"], first["file"], first["line"]) == ("V4", RECORDS, 3)


@pytest.mark.parametrize("octets", [b"", b"no zip"])
def test_a_file_that_is_no_export_exits_with_2(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(octets)
    result = run(path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1


def test_a_missing_file_a_folder_and_a_broken_trust_file_exit_with_2(
    tmp_path: Path, trust_file: Path
) -> None:
    missing = tmp_path / "missing.zip"
    trust_file.write_bytes(b"{}")
    for arguments in (
        (missing,),
        (tmp_path,),
        (written(tmp_path), "--trust", trust_file),
        (missing, "--trust", missing),
    ):
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.count("\n") == 1
        assert "Traceback" not in result.stderr


def long_export(folder: Path) -> Path:
    """5 MiB of records, of which only the number matters."""
    shop = Shop()
    shop.sale()
    export = shop.export()
    export.files[RECORDS] = shop.records * 6500
    return written(folder, export)


def test_whoever_waits_at_a_terminal_sees_progress_and_a_pipe_does_not(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "merchant_agent", "verify", str(long_export(tmp_path)), "--hashes-only"]
    piped = subprocess.run(command, capture_output=True, check=False)
    assert (piped.returncode, piped.stderr) == (1, b"")
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        seen = _read_all(ours)
        assert process.stdout is not None
        assert process.stdout.read() == piped.stdout
    os.close(ours)
    assert b"Checking records" in seen
    assert process.returncode == 1


def _read_all(handle: int) -> bytes:
    seen = b""
    while True:
        try:
            chunk = os.read(handle, 4096)
        except OSError:
            return seen
        if not chunk:
            return seen
        seen += chunk
