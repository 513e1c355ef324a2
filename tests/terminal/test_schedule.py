"""What a terminal does by itself: real duties on a real store, under a clock that the test moves."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from merchant_agent.errors import StoreError
from merchant_agent.settings import TerminalSettings
from merchant_agent.store.backup import newest_backup
from merchant_agent.terminal.alarms import open_alarms
from merchant_agent.terminal.damage import heal
from merchant_agent.terminal.schedule import Schedule, check_quickly, duties_of
from merchant_agent.terminal.services import Terminal, close_terminal, open_terminal
from merchant_agent.terminal.store.models import Prompt
from merchant_agent.terminal.store.opening import BALLAST_NAME, DATABASE_NAME
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.uploader import Uploader
from tests.clocks import ManualClock
from tests.enrolled import ask, enrolled_journal, rate

STEM = "terminal"


@pytest.fixture
def terminal(tmp_path: Path, clock: ManualClock) -> Iterator[Terminal]:
    """An enrolled terminal that knows no central."""
    enrolled_journal(tmp_path / "terminal", clock).close()
    settings = TerminalSettings(data=tmp_path / "terminal", ballast_bytes=4096, prompt_timeout_s=30)
    opened = open_terminal(settings, clock)
    yield opened
    close_terminal(opened)


@pytest.fixture
def uploader(terminal: Terminal) -> Iterator[Uploader]:
    client = Client()
    yield Uploader(terminal, client, rng=random.Random(7))  # noqa: S311 -- the same chance every time
    client.close()
    client.release()


def _pass(terminal: Terminal, uploader: Uploader, seconds: int, *, each_s: int = 1) -> list[str]:
    """Lets the time pass and does every duty when it is due, slow ones too; the names of what was done."""
    clock = terminal.clock
    assert isinstance(clock, ManualClock)
    duties, done = duties_of(terminal, uploader), []
    for _ in range(0, seconds, each_s):
        for duty in duties:
            if duty.timer.take():
                duty.run()
                done.append(duty.name)
        clock.advance(each_s)
    return done


def _alarms(terminal: Terminal) -> list[str]:
    with terminal.store.read() as reader:
        return [alarm.code for alarm in open_alarms(reader)]


def test_a_day_has_its_duties(terminal: Terminal, uploader: Uploader) -> None:
    # With the day's last look: an upload whose turn is late in its five minutes is seen only there.
    done = _pass(terminal, uploader, 86_400 + 10, each_s=10)
    assert done.count("upload") == 86_400 // 300
    assert done.count("first upload") == done.count("quick check") == 1
    # The terminal was never backed up: soon after the start, and at night.
    assert done.count("backup") == 2
    assert done.count("checkpoint") == 24
    assert newest_backup(terminal.folder.backups, stem=STEM) is not None


def test_a_question_that_nobody_touches_goes_away(terminal: Terminal, uploader: Uploader) -> None:
    ask(terminal.journal)
    _pass(terminal, uploader, 32)
    with terminal.store.read() as reader:
        prompt = reader.first(Prompt.select())
    assert prompt is not None
    assert (prompt.outcome, prompt.reason) == ("lapsed", "timed_out")


def test_what_a_crash_left_is_uploaded_soon_after_the_start(terminal: Terminal, uploader: Uploader) -> None:
    rate(terminal.journal, None)
    assert not uploader.turn()
    _pass(terminal, uploader, 11)
    assert uploader.turn()


def test_a_terminal_that_is_not_enrolled_has_duties_too(tmp_path: Path, clock: ManualClock) -> None:
    terminal = open_terminal(TerminalSettings(data=tmp_path / "fresh", ballast_bytes=0), clock)
    client = Client()
    try:
        assert "sweep" in _pass(terminal, Uploader(terminal, client), 700)
        assert newest_backup(terminal.folder.backups, stem=STEM) is not None
    finally:
        client.close()
        close_terminal(terminal)


def test_ballast_that_was_released_is_laid_again(terminal: Terminal, uploader: Uploader) -> None:
    (terminal.folder.path / BALLAST_NAME).unlink()
    _pass(terminal, uploader, 62)
    assert (terminal.folder.path / BALLAST_NAME).stat().st_size == 4096


def test_a_restart_soon_after_a_backup_makes_no_second_one(
    terminal: Terminal, uploader: Uploader, clock: ManualClock
) -> None:
    _pass(terminal, uploader, 660)
    first = newest_backup(terminal.folder.backups, stem=STEM)
    assert first is not None
    _dated(first, clock)
    assert "backup" not in _pass(terminal, uploader, 3600, each_s=10)
    clock.advance(86_400)
    assert "backup" in _pass(terminal, uploader, 660)


def _dated(path: Path, clock: ManualClock) -> None:
    """Gives the file the time that the test's clock shows."""
    moment = (clock.now() - timedelta(seconds=60)).timestamp()
    os.utime(path, (moment, moment))


def test_a_backup_that_fails_is_an_alarm_and_tried_again(terminal: Terminal, uploader: Uploader) -> None:
    (duty,) = (duty for duty in duties_of(terminal, uploader) if duty.name == "backup")
    blocked = terminal.folder.backups / f"{STEM}-000001.db.new"
    blocked.mkdir()
    with pytest.raises((StoreError, OSError)):
        duty.run()
    assert _alarms(terminal) == ["backup-failed"]
    clock = terminal.clock
    assert isinstance(clock, ManualClock)
    assert not duty.timer.take()
    clock.advance(3600)
    assert duty.timer.take()
    blocked.rmdir()
    duty.run()
    assert _alarms(terminal) == []


def test_a_damaged_database_is_replaced_with_an_alarm(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "terminal"
    enrolled_journal(path, clock).close()
    _damage(path / DATABASE_NAME, "pos_token")
    terminal = open_terminal(TerminalSettings(data=path, ballast_bytes=0), clock)
    try:
        check_quickly(terminal)
        assert heal(terminal)
        assert not heal(terminal)
        assert _alarms(terminal) == ["hold-damage"]
        assert terminal.journal.hold == "damage"
        check_quickly(terminal)
        assert not heal(terminal)
    finally:
        close_terminal(terminal)


def _damage(path: Path, table: str) -> None:
    """Overwrites the first page of a table."""
    with closing(sqlite3.connect(path)) as database:
        (size,) = database.execute("PRAGMA page_size").fetchone()
        root = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        (page,) = database.execute(root, (table,)).fetchone()
    with path.open("rb+") as file:
        file.seek((page - 1) * size)
        file.write(os.urandom(size))


def test_a_sound_database_is_no_alarm(terminal: Terminal) -> None:
    check_quickly(terminal)
    assert _alarms(terminal) == []


def test_the_schedule_runs_and_stops(terminal: Terminal, uploader: Uploader) -> None:
    schedule = Schedule(terminal, uploader)
    schedule.start()
    schedule.tick()
    schedule.stop()


def test_a_mark_that_cannot_be_written_is_told_once_and_over_once_it_can(
    tmp_path: Path, uploader: Uploader, terminal: Terminal
) -> None:
    blocked = tmp_path / "terminal.mark"
    terminal.journal.close()
    blocked.unlink(missing_ok=True)
    blocked.mkdir()
    ask(terminal.journal)
    _pass(terminal, uploader, 300, each_s=10)
    assert _alarms(terminal) == ["mark-unwritable"]
    blocked.rmdir()
    ask(terminal.journal)
    _pass(terminal, uploader, 120, each_s=10)
    assert _alarms(terminal) == []
