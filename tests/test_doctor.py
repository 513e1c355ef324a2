"""`merchant-agent doctor`, as people call it, on real data folders."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import apsw
import pytest

from merchant_agent.domain.sales import SaleSource
from merchant_agent.store.whereabouts import tell_whereabouts
from merchant_agent.terminal.alarms import raise_alarm
from merchant_agent.terminal.pos.ways import (
    Details,
    FolderDetails,
    OdooDetails,
    PrinterDetails,
    add_way,
    switch_way,
)
from merchant_agent.terminal.store.opening import open_existing
from tests.clocks import START, ManualClock
from tests.programs import run_program, running_program
from tests.terminal.collect.shop import Shop

PORTS = ("--terminal-port", "0", "--central-port", "0")


def examine(data: Path, code: int) -> dict[str, Any]:
    """Each check's state by its name, after the exit code was as expected."""
    ended = run_program("doctor", "--data", str(data), "--json")
    assert ended.code == code, ended
    told = json.loads(ended.out)
    assert told["state"] == ("healthy", "attention", "broken")[code]
    return {each["name"]: each["state"] for each in told["checks"]}


@pytest.fixture
def data(tmp_path: Path, clock: ManualClock) -> Path:
    """The folder of an enrolled terminal with a sale, that does not run."""
    path = tmp_path / "terminal"
    with Shop(path, clock) as shop:
        shop.sell("087")
    (path / "terminal.toml").write_text('port = 0\ncentral_url = "http://127.0.0.1:1"\nballast_bytes = 0\n')
    return path


def test_a_running_demo_is_healthy_and_once_stopped_needs_attention(tmp_path: Path) -> None:
    with running_program("demo", "--data", str(tmp_path), *PORTS, "--json") as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        assert set(examine(tmp_path, 0).values()) == {"healthy"}
        assert set(examine(tmp_path / "central", 0).values()) == {"healthy"}
    for folder, but in ((tmp_path, {"port", "central"}), (tmp_path / "central", {"port", "log"})):
        told = examine(folder, 1)
        # What was signed last may not have gone up before the end.
        assert {name for name, state in told.items() if state != "healthy"} - {"upload"} == but


def test_nothing_in_the_folder_is_changed(data: Path) -> None:
    def seen() -> dict[str, tuple[int, int]]:
        files = [path for path in data.rglob("*") if not path.name.endswith(("-shm", "-wal"))]
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files if path.is_file()}

    before = seen()
    examine(data, 1)
    assert seen() == before


def test_a_changed_record_is_found(data: Path) -> None:
    database = apsw.Connection(str(data / "terminal.db"))
    database.execute("UPDATE record SET octets = CAST(replace(octets, 'eyJ', 'eyK') AS BLOB)")
    database.close()
    assert examine(data, 2)["chain"] == "broken"


def test_a_lost_key_is_found(data: Path) -> None:
    for path in (data / "keys").rglob("*.pem"):
        path.unlink()
    assert examine(data, 2)["key"] == "broken"


def test_a_damaged_database_is_found(data: Path) -> None:
    (data / "terminal.db").write_bytes(b"x" * 8192)
    assert examine(data, 2)["database"] == "broken"


def test_an_open_alarm_needs_attention(data: Path) -> None:
    store = open_existing(data, read_only=False)
    with store.write() as writer:
        raise_alarm(writer, at=START, code="backup-failed")
    store.close()
    assert examine(data, 1)["alarms"] == "attention"


def test_an_old_backup_needs_attention(data: Path) -> None:
    copy = data / "backups" / "terminal-000001.db"
    copy.write_bytes(b"")
    assert examine(data, 1)["backup"] == "healthy"
    os.utime(copy, times=(time.time() - 3 * 86_400,) * 2)
    assert examine(data, 1)["backup"] == "attention"


def test_a_port_of_somebody_else_is_found(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (data / "terminal.toml").write_text(f"port = {port}\n")
        assert examine(data, 2)["port"] == "broken"


def test_what_a_killed_program_left_is_not_believed(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    tell_whereabouts(data, "127.0.0.1", port)
    assert examine(data, 1)["port"] == "attention"


def test_a_central_without_its_keys_is_broken_and_gets_no_new_ones(tmp_path: Path) -> None:
    (tmp_path / "central.toml").write_text("")
    (tmp_path / "keys").mkdir()
    assert examine(tmp_path, 2)["missing keys"] == "broken"
    assert not list((tmp_path / "keys").iterdir())


def test_another_folder_is_none_of_ours(tmp_path: Path) -> None:
    ended = run_program("doctor", "--data", str(tmp_path))
    assert ended.code == 1
    assert "no data folder" in ended.said


def test_each_way_by_which_sales_come_is_tried(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "terminal"
    with Shop(path, clock) as shop:
        shop.sell("087", source=SaleSource.FOLDER)
        with shop.terminal.store.write() as writer:
            ways: dict[str, Details] = {
                "works": FolderDetails(path=str(tmp_path)),
                "tried only": FolderDetails(path=str(tmp_path)),
                "away": FolderDetails(path=str(tmp_path / "away")),
                "off": FolderDetails(path=str(tmp_path / "away")),
                "printer": PrinterDetails(address="tcp://127.0.0.1:1"),
                "Odoo": OdooDetails(url="http://127.0.0.1:1", database="d", login="l", api_key="hush"),
            }
            for name, details in ways.items():
                number = add_way(writer, name=name, till="", details=details)
                switch_way(writer, number, enabled=name != "off", dry_run=name == "tried only")
    (path / "terminal.toml").write_text('port = 0\ncentral_url = "http://127.0.0.1:1"\nballast_bytes = 0\n')
    ended = run_program("doctor", "--data", str(path), "--json")
    assert "hush" not in ended.out
    told = [(one["state"], one["text"]) for one in json.loads(ended.out)["checks"] if one["name"] == "pos"]
    assert [state for state, _ in told] == ["healthy", *["attention"] * 4]
    for (_, text), part in zip(
        told,
        (
            "'works' is ready; the last sale came ",
            "tried out",
            "is not there",
            "'printer' cannot",
            "'Odoo' cannot",
        ),
        strict=True,
    ):
        assert part in text
