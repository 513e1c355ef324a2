"""The log as Go's own code for logs reads it: golang.org/x/mod, sumdb/note and sumdb/tlog.

Nothing of this project's evidence is used to check: `check.go` gets what was published.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from merchant_agent.central.app import create_app
from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.log.proofs import inclusion_proof
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.log.tree import reading_nodes
from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.services import Central, close_central, open_central
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.merkle import prove_consistency
from merchant_agent.evidence.tiles import tile_path, tiles_of
from merchant_agent.settings import CentralSettings
from tests.central.conftest import NOODLES
from tests.central.log.looking import newest, put, tick
from tests.central.sender import Sender, enrol_sender
from tests.clocks import ManualClock

SOURCE = Path(__file__).with_name("check.go")
# As Debian's golang-golang-x-mod-dev installs it.
GOPATH = "/usr/share/gocode"

Case = dict[str, Any]


@pytest.fixture(scope="session")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled checker."""
    folder = tmp_path_factory.mktemp("go")
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": GOPATH, "GOCACHE": str(folder / "cache")}
    program = folder / "check"
    subprocess.run(["go", "build", "-o", str(program), str(SOURCE)], env=environment, check=True)
    return program


@pytest.fixture
def central(tmp_path: Path, clock: ManualClock) -> Iterator[Central]:
    """A log of some hundred leaves, begun with a terminal's grant and records."""
    settings = CentralSettings(
        data=tmp_path / "central", checkpoint_lock=str(tmp_path / "lock"), log_origin="central.example/log"
    )
    opened = open_central(settings, clock)
    begin_log(opened, again=False)
    yield opened
    close_central(opened)


def publish(central: Central, folder: Path) -> Case:
    """What outsiders get: checkpoints on the way, proofs between them and of records, and all tiles."""
    sender = enrol_sender(central, add_merchant(central, NOODLES, who="officer"))
    case: Case = {"checkpoints": [], "consistencies": []}
    size = 1
    for more in (1, 2, 120, 133, 400):
        tick(central)
        if more == 2:
            sell(central, sender)
        else:
            put(central, more, begin=size)
        Sequencer(central).run()
        case["checkpoints"].append(newest(central).octets.decode())
        size = newest(central).size
    sizes = [int(note.split("\n")[1]) for note in case["checkpoints"]]
    records = [sender.grant_octets, *(record.octets for record in sender.sent)]
    trust = central.identity.trust()
    app = create_app(central).test_client()
    for tile in tiles_of(size):
        path = folder / "tile" / tile_path(tile)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(app.get(f"/log/tile/{tile_path(tile)}").get_data())
    return case | {
        "log_key": trust.log[0],
        "cosigning_key": trust.log[1],
        "consistencies": [_between(central, old, new) for old, new in itertools.pairwise(sizes)],
        "proofs": [inclusion_proof(central, leaf_hash(octets)).decode() for octets in records],
        "records": [_b64(octets) for octets in records],
    }


def sell(central: Central, sender: Sender) -> None:
    sender.sell(3)
    sender.complain(comment="等了很久")
    sender.upload_all(central)


def check(checker: Path, folder: Path, case: Case) -> subprocess.CompletedProcess[str]:
    (folder / "case.json").write_text(json.dumps(case), encoding="utf-8")
    return subprocess.run([str(checker), str(folder)], capture_output=True, text=True, check=False)


def test_go_accepts_checkpoints_proofs_and_tiles(checker: Path, central: Central, tmp_path: Path) -> None:
    case = publish(central, tmp_path)
    result = check(checker, tmp_path, case)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{newest(central).size} leaves, 8 proofs\n"


def _other_record(case: Case) -> None:
    case["records"][3] = _b64(b"another record")


def _other_signature(case: Case) -> None:
    text, _, lines = case["checkpoints"][1].partition("\n\n")
    _, _, others = case["checkpoints"][2].partition("\n\n")
    assert lines != others
    case["checkpoints"][1] = f"{text}\n\n{others}"


def _other_cosigner(case: Case) -> None:
    name, _, _ = case["cosigning_key"].partition("+")
    case["cosigning_key"] = f"{name}+00000000+{_b64(bytes([4]) + bytes(32))}"


def _other_consistency(case: Case) -> None:
    case["consistencies"][1][0] = _b64(bytes(32))


def _other_index(case: Case) -> None:
    case["proofs"][0] = case["proofs"][0].replace("index 0", "index 1")


@pytest.mark.parametrize(
    ("attack", "word"),
    [
        (_other_record, "inclusion"),
        (_other_signature, "checkpoint"),
        (_other_cosigner, "cosignature"),
        (_other_consistency, "consistency"),
        (_other_index, "inclusion"),
    ],
)
def test_go_refuses_what_was_changed(
    checker: Path, central: Central, tmp_path: Path, attack: Callable[[Case], None], word: str
) -> None:
    case = publish(central, tmp_path)
    attack(case)
    result = check(checker, tmp_path, case)
    assert result.returncode == 1
    assert result.stderr.startswith(word)


def test_go_refuses_a_changed_tile(checker: Path, central: Central, tmp_path: Path) -> None:
    case = publish(central, tmp_path)
    path = tmp_path / "tile" / "0" / "000"
    octets = path.read_bytes()
    path.write_bytes(octets[:-1] + bytes([octets[-1] ^ 1]))
    result = check(checker, tmp_path, case)
    assert (result.returncode, result.stderr.split(":")[0]) == (1, "tiles")


def _between(central: Central, old: int, new: int) -> list[str]:
    """The proof from one published size to another, which is the newest only for the last."""
    with central.store.read() as reader, reading_nodes(reader) as nodes:
        return [_b64(node) for node in prove_consistency(nodes, old, new)]


def _b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
