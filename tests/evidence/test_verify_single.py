"""The single file, which shares no code with the program, says of every export what the program says."""

from __future__ import annotations

import ast
import json
import random
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from merchant_agent.clock import format_at
from merchant_agent.errors import FormatError
from merchant_agent.evidence import verify_single
from merchant_agent.evidence.archive import ACKS, BATCHES, GRANTS, KEYS, RECORDS, write_export
from merchant_agent.evidence.bodies import Kind, OutageBody
from merchant_agent.evidence.trust import Trust, encode_trust, load_trust
from merchant_agent.evidence.verify import Verdict, verify_export
from tests.evidence.logged import OPEN, LoggedShop, logged_shop, logged_trust
from tests.evidence.rotated import rotated_shop
from tests.evidence.synthetic import START, Export, Shop, busy_shop, trust_of
from tests.evidence.test_vectors import bad_of, edited_vectors, export_of, load

PROGRAM = Path(verify_single.__file__)


def alone(export: Export, folder: Path, trust: Trust | None, *, signatures: bool = True) -> Any:
    """The single file's verdict; None where it cannot read the export."""
    path = folder / "export.zip"
    path.unlink(missing_ok=True)
    write_export(path, export.files)
    believed = None if trust is None else verify_single.read_trust(encode_trust(trust))
    try:
        with closing(verify_single.Export(path)) as source:
            return verify_single.verify(source, believed, signatures=signatures)
    except verify_single.Unreadable:
        return None


def within(export: Export, trust: Trust | None, *, signatures: bool = True) -> Verdict | None:
    try:
        return verify_export(export, trust, signatures=signatures)
    except FormatError:
        return None


def comparable(verdict: Any) -> Any:
    """All of it but the words of a violation, which each program chooses for itself."""
    plain = json.loads(msgspec.json.encode(verdict))
    if plain is None:
        return None
    told = plain.pop("violations")
    first: dict[str, Any] = {}
    for violation in told:
        first.setdefault(violation["rule"], (violation["place"], violation["file"], violation["line"]))
    each = sorted(
        [violation["rule"], violation["file"], violation["line"], json.dumps(violation["place"])]
        for violation in told
    )
    return {**plain, "first": first, "each": each}


def require_same(export: Export, folder: Path, trust: Trust | None, *, signatures: bool = True) -> Any:
    expected = comparable(within(export, trust, signatures=signatures))
    assert comparable(alone(export, folder, trust, signatures=signatures)) == expected
    return expected


def test_single_file_shares_no_code_with_the_program() -> None:
    tree = ast.parse(PROGRAM.read_text(encoding="utf-8"))
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name) or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    beyond = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    assert beyond == {"cryptography"}


@pytest.mark.parametrize("signatures", [True, False])
@pytest.mark.parametrize("name", ["exports", "logged"])
def test_good_vectors_are_flawless_for_both(name: str, tmp_path: Path, *, signatures: bool) -> None:
    vectors = load(name)
    trust = load_trust(vectors["trust"].encode())
    verdict = require_same(export_of(vectors), tmp_path, trust, signatures=signatures)
    assert verdict["trusted"]
    assert not verdict["counts"]
    assert not verdict["findings"]


@pytest.mark.parametrize("signatures", [True, False])
@pytest.mark.parametrize(("name", "bad"), edited_vectors())
def test_edited_vectors_break_the_same_rules(
    name: str, bad: dict[str, Any], tmp_path: Path, *, signatures: bool
) -> None:
    vectors = load(name)
    export = export_of(vectors)
    for edit in sorted(bad["edits"], key=lambda edit: -edit["line"]):
        export.files[edit["file"]][edit["line"] - 1 : edit["line"]] = [
            line.encode() for line in edit["lines"]
        ]
    trust = load_trust(vectors["trust"].encode())
    verdict = require_same(export, tmp_path, trust, signatures=signatures)
    assert bad["rule"] in verdict["counts"] or not signatures
    require_same(export, tmp_path, None, signatures=signatures)


@pytest.mark.parametrize("bad", bad_of("logged"))
def test_logged_vectors_break_the_same_rules(bad: dict[str, Any], tmp_path: Path) -> None:
    vectors = load("logged")
    export = export_of(vectors)
    for name, lines in bad["files"].items():
        if lines is None:
            del export.files[name]
        else:
            export.files[name] = [line.encode() for line in lines]
    trust = load_trust(vectors["trust"].encode())
    assert bad["rule"] in require_same(export, tmp_path, trust)["counts"]
    require_same(export, tmp_path, None)


def shops() -> dict[str, tuple[Export, Trust]]:
    return {
        "busy": (busy_shop().export(), trust_of()),
        "logged": (logged_shop().export(), logged_trust()),
        "rotated": (rotated_shop().export(), trust_of()),
    }


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("name", ["busy", "logged", "rotated"])
def test_tampering_at_random_is_told_alike(name: str, seed: int, tmp_path: Path) -> None:
    export, trust = shops()[name]
    chance = random.Random(seed)  # noqa: S311 -- a choice that comes again
    for _ in range(chance.randint(1, 4)):
        tamper(export, chance)
    require_same(export, tmp_path, trust if seed % 3 else None, signatures=bool(seed % 4))


def tamper(export: Export, chance: random.Random) -> None:
    """Drops, doubles, exchanges, moves or changes a line, or drops a file."""
    name = chance.choice(sorted(export.files))
    lines = export.files[name]
    if not lines:
        return
    here, there = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(7):
        case 0:
            del lines[here]
        case 1:
            lines.insert(there, lines[here])
        case 2:
            lines[here], lines[there] = lines[there], lines[here]
        case 3:
            lines[here] = b""
        case 4 if lines[here]:
            changed = bytearray(lines[here])
            changed[chance.randrange(len(changed))] = chance.choice(b'AQgw049.~{}"\x00\xff-_')
            lines[here] = bytes(changed)
        case 5 if name not in {RECORDS, GRANTS, BATCHES, ACKS, KEYS}:
            del export.files[name]
        case _:
            del lines[here:]


def test_only_keys_of_grants_that_count_are_named_by_both(tmp_path: Path) -> None:
    export = rotated_shop().export()
    other = Shop("other")
    other.next_epoch()
    export.files[GRANTS][2] = other.grants[1]
    verdict = require_same(export, tmp_path, trust_of())
    assert not [
        kid for kid in verdict["fingerprints"] if kid.endswith(".3") or kid.startswith(other.chain.issuer)
    ]


def test_things_to_explain_are_told_alike(tmp_path: Path) -> None:
    shop = LoggedShop()
    shop.append(Kind.SETTINGS, OPEN)
    prompt = shop.sale()
    shop.now_ms += 6 * 3_600_000
    shop.rate(4, "很好", prompt=prompt)
    shop.slip(level=4)
    shop.ahead_ms += 900_000
    shop.sale()
    shop.now_ms += 30 * 3_600_000
    shop.sale()
    shop.upload()
    shop.sale()
    shop.take_up()
    export = shop.export()
    export.files["disclosures.jsonl"].clear()
    verdict = require_same(export, tmp_path, logged_trust())
    codes = {finding["code"] for finding in verdict["findings"]}
    assert codes >= {"unanswered", "undisclosed", "time", "clock", "deadline", "silent", "unended"}


@pytest.mark.parametrize("late_min", [-60, 0, 4, 11, 200])
@pytest.mark.parametrize("open_min", [1, 9, 11])
def test_prompts_around_an_outage_are_judged_alike(tmp_path: Path, late_min: int, open_min: int) -> None:
    shop = Shop()
    open_before = shop.sale()
    shop.now_ms += open_min * 60_000
    since = START + timedelta(milliseconds=shop.now_ms, minutes=late_min)
    shop.now_ms += 3 * 3_600_000
    shop.append(Kind.OUTAGE, OutageBody(reason="key", since=format_at(since), kept=1))
    shop.lapse(open_before)
    shop.lapse(shop.sale())
    verdict = require_same(shop.export(), tmp_path, trust_of())
    told = [finding for finding in verdict["findings"] if finding["code"] == "unended"]
    assert bool(told) == (open_min + late_min > 10)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(PROGRAM), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def trust_file(tmp_path: Path) -> Path:
    path = tmp_path / "trust.json"
    path.write_bytes(encode_trust(trust_of()))
    return path


def written(folder: Path, export: Export) -> Path:
    path = folder / "written.zip"
    write_export(path, export.files)
    return path


def test_good_export_exits_with_0(tmp_path: Path, trust_file: Path) -> None:
    done = run(written(tmp_path, busy_shop().export()), "--trust", trust_file)
    assert (done.returncode, done.stderr) == (0, "")
    head, outcome = done.stdout.splitlines()
    assert head.startswith("head: epoch 2 seq 3 link ")
    assert outcome == "14 records, signatures checked: no rule is violated; trusted: yes"


def test_violations_exit_with_1_and_json_has_them_all(tmp_path: Path, trust_file: Path) -> None:
    export = busy_shop().export()
    del export.files[RECORDS][4]
    path = written(tmp_path, export)
    told = run(path, "--trust", trust_file, "--hashes-only")
    assert told.returncode == 1
    assert told.stdout.startswith("VIOLATED V4 at ")
    assert "hashes only: violations found" in told.stdout
    verdict = json.loads(run(path, "--json").stdout)
    assert not verdict["trusted"]
    assert comparable(verdict) == comparable(within(export, None))


@pytest.mark.parametrize("octets", [None, b"", b"PK\x03\x04 no zip"])
def test_file_that_cannot_be_read_exits_with_2(tmp_path: Path, octets: bytes | None) -> None:
    path = tmp_path / "broken.zip"
    if octets is not None:
        path.write_bytes(octets)
    done = run(path)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_broken_trust_file_exits_with_2(tmp_path: Path, trust_file: Path) -> None:
    trust_file.write_bytes(b'{"root":[],"log":[]}')
    assert run(written(tmp_path, Shop().export()), "--trust", trust_file).returncode == 2
