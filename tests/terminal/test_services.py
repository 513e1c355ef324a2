from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from merchant_agent.errors import StartError
from merchant_agent.settings import TerminalSettings
from merchant_agent.terminal.services import central_address, close_terminal, open_terminal
from merchant_agent.terminal.store.opening import DATABASE_NAME
from tests.clocks import ManualClock
from tests.enrolled import enrolled_journal
from tests.terminal.collect.shop import CENTRAL, Shop

ELSEWHERE = """
import sys
from pathlib import Path
from merchant_agent.store.folder import DataFolder
folder = DataFolder(Path(sys.argv[1]))
folder.lock()
print("locked", flush=True)
sys.stdin.read()
"""


def _settings(path: Path) -> TerminalSettings:
    return TerminalSettings(data=path, ballast_bytes=0)


def test_a_terminal_opens_before_its_enrolment(tmp_path: Path, clock: ManualClock) -> None:
    terminal = open_terminal(_settings(tmp_path), clock)
    assert not terminal.journal.enrolled
    assert terminal.catalogue.version == "2026-1"
    close_terminal(terminal)


def test_it_opens_again_as_it_was(tmp_path: Path, clock: ManualClock) -> None:
    with enrolled_journal(tmp_path, clock) as before:
        head = before.journal.head
    terminal = open_terminal(_settings(tmp_path), clock)
    assert terminal.journal.head == head
    close_terminal(terminal)


def test_a_second_process_on_the_folder_is_told_in_one_sentence(tmp_path: Path, clock: ManualClock) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(StartError) as refused:
            open_terminal(_settings(tmp_path), clock)
        assert str(refused.value) == f"The data folder {tmp_path} is in use by another process."
    close_terminal(open_terminal(_settings(tmp_path), clock))


def test_another_programs_file_in_a_new_folder_is_told_and_left_alone(
    tmp_path: Path, clock: ManualClock
) -> None:
    database = tmp_path / DATABASE_NAME
    with closing(sqlite3.connect(database)) as other, other:
        other.execute("CREATE TABLE theirs (id INTEGER)")
    for _ in range(2):
        with pytest.raises(StartError) as refused:
            open_terminal(_settings(tmp_path), clock)
        assert str(refused.value) == f"{database} was not made by this program."
    with closing(sqlite3.connect(database)) as other:
        assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]


def test_a_lost_key_opens_on_hold(tmp_path: Path, clock: ManualClock) -> None:
    with enrolled_journal(tmp_path, clock) as terminal:
        keys = terminal.folder.keys
    (path,) = keys.glob("*.pem")
    path.unlink()
    terminal_on_hold = open_terminal(_settings(tmp_path), clock)
    assert (terminal_on_hold.journal.enrolled, terminal_on_hold.journal.hold) == (True, "key")
    close_terminal(terminal_on_hold)


def test_customers_are_sent_where_central_said(tmp_path: Path, clock: ManualClock) -> None:
    with Shop(tmp_path / "terminal", clock) as shop:
        assert central_address(shop.terminal) == CENTRAL
