"""kill -9 at any step of what ends or begins an epoch: the same again goes on, and nothing is lost or doubled."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from merchant_agent.domain.sales import Sale
from merchant_agent.evidence.record import new_id
from merchant_agent.store.backup import backup_into
from merchant_agent.terminal.collect.answers import finish
from merchant_agent.terminal.collect.prompts import take_sale
from merchant_agent.terminal.collect.recovery import sign_kept
from merchant_agent.terminal.collect.said import Answer
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.store.models import Rating
from merchant_agent.terminal.store.opening import DATABASE_NAME
from tests.clocks import ManualClock
from tests.live_central import LiveCentral
from tests.terminal.conftest import live_central
from tests.terminal.station import Station

__all__ = ["live_central"]

_KILLS = 6
_TABLET = Tablet(id="0198-tablet", till="")


class Killer:
    """The process that does deeds, and dies at a step of each."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def do(self, deed: str, last: int = 0) -> str:
        """What became of the deed; `last` is the step at which it is killed, 0 for none."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{deed} {last}\n")
        stdin.flush()
        return stdout.readline().strip()

    def steps(self, deed: str) -> int:
        """How many steps it has, done to the end."""
        told = self.do(deed)
        assert told.startswith("done "), told
        return int(told.removeprefix("done "))


@contextmanager
def killer(data: Path) -> Iterator[Killer]:
    command = [sys.executable, "-m", "tests.faults.killed", str(data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Killer(process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def station(tmp_path: Path, clock: ManualClock, live_central: LiveCentral) -> Iterator[Station]:
    with Station(tmp_path / "terminal", clock, live_central) as station:
        yield station.enrol()


def come(station: Station, thanked: list[str]) -> None:
    """A customer who is thanked, whether that can be signed or not."""
    sale = take_sale(station.terminal, Sale(order=new_id(station.clock.now()), till="1"))
    assert sale is not None
    answer_id = new_id(station.clock.now())
    answer = Answer(prompt_id=sale.prompt_id, level=2, comment="慢")
    finish(station.terminal, _TABLET, answer_id, answer, ended="done", dwell_ms=4000)
    thanked.append(answer_id)


def settle(station: Station) -> None:
    for _ in range(6):
        station.send()
        sign_kept(station.terminal)


def require_whole(station: Station, thanked: list[str]) -> None:
    """Everything is at central once, and a verifier finds no violation."""
    with station.terminal.store.read() as reader:
        ratings = [row.rating_id for row in reader.all(Rating.select(Rating.rating_id))]
    assert sorted(ratings) == sorted(thanked)
    assert station.central.records() == station.octets()
    assert station.verdict().violations == ()


def keep_backup(station: Station) -> None:
    backup_into(station.terminal.store, station.terminal.folder.backups, stem="terminal", keep=7)


@pytest.mark.parametrize("deed", ["rotate", "restore", "settle"])
def test_what_was_killed_at_any_step_goes_on_and_loses_nothing(station: Station, deed: str) -> None:
    chance, thanked = random.Random(deed), list[str]()  # noqa: S311 -- the same every time
    come(station, thanked)
    keep_backup(station)
    with killer(station.path) as process:
        steps = 0
        for kill in range(_KILLS + 1):
            come(station, thanked)
            if deed == "settle":
                station.terminal.journal.put_on_hold("restored")
            come(station, thanked)
            station.close()
            if kill == 0:
                steps = process.steps(deed)
            else:
                process.do(deed, chance.randrange(steps // 20, steps))
            station.open()
            come(station, thanked)
            if kill % 3 == 0:
                settle(station)
    settle(station)
    require_whole(station, thanked)


def test_a_salvage_that_is_killed_at_any_step_goes_on(station: Station) -> None:
    chance, thanked = random.Random(3), list[str]()  # noqa: S311 -- the same every time
    for _ in range(5):
        come(station, thanked)
    keep_backup(station)
    with killer(station.path) as process:
        for kill in range(_KILLS // 2):
            settle(station)
            come(station, thanked)
            station.close()
            path = station.path / DATABASE_NAME
            octets = bytearray(path.read_bytes())
            octets[:4096] = bytes(4096)
            path.write_bytes(octets)
            for _ in range(kill % 3):
                process.do("settle", chance.randrange(100, 12_000))
            station.open()
            come(station, thanked)
    settle(station)
    require_whole(station, thanked)


def test_an_end_that_is_killed_is_an_end_or_none(station: Station) -> None:
    chance, thanked = random.Random(4), list[str]()  # noqa: S311 -- the same every time
    with killer(station.path) as process:
        while station.hold != "ended":
            come(station, thanked)
            station.close()
            process.do("end", chance.randrange(1000, 6_000))
            station.open()
            sign_kept(station.terminal)
    settle(station)
    assert station.hold == "ended"
    require_whole(station, thanked)
