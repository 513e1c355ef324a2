"""Killing the process between keeping and signing, and a disk that fills meanwhile: no loss, no double."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from merchant_agent.errors import StoreFullError
from merchant_agent.evidence.bodies import Kind
from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.collect.prompts import SaleTaken
from merchant_agent.terminal.collect.recovery import sign_kept
from tests.clocks import ManualClock
from tests.terminal.collect.shop import Shop
from tests.terminal.collect.test_kept import all_records, begin_epoch, kept_rows

_CUSTOMERS = 450
_KILLS = 6

# One line for each transaction; it is killed while it goes on.
_SIGN = """
import sys
from pathlib import Path
from merchant_agent.clock import SystemClock
from merchant_agent.settings import TerminalSettings
from merchant_agent.terminal.collect.recovery import sign_kept
from merchant_agent.terminal.services import open_terminal
terminal = open_terminal(TerminalSettings(data=Path(sys.argv[1]), ballast_bytes=0), SystemClock())
print("begins", flush=True)
terminal.journal.on_commit(lambda appended: print(len(appended), flush=True))
sign_kept(terminal)
"""


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    with Shop(tmp_path / "terminal", clock) as shop:
        yield shop


def _killed_after(path: Path, lines: int) -> None:
    command = [sys.executable, "-c", _SIGN, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.kill()


def _fill(shop: Shop, sale: SaleTaken, words: str) -> None:
    """Customers with much to say, until the disk has no page left."""
    while True:
        shop.done(sale, 1, comment=words)
        sale = shop.sell(new_id(shop.clock.now()))


def test_a_program_killed_while_it_signs_what_was_kept_signs_each_once(shop: Shop) -> None:
    shop.terminal.journal.put_on_hold("epoch")
    thanked = []
    for number in range(_CUSTOMERS):
        answer_id = new_id(shop.clock.now())
        shop.done(shop.sell(f"{number:03}"), 1 + number % 5, answer_id=answer_id)
        thanked.append(answer_id)
    begin_epoch(shop)
    for kill in range(_KILLS):
        shop.stop()
        _killed_after(shop.settings.data, 1 + kill % 3)
        shop.start()
    sign_kept(shop.terminal)
    assert kept_rows(shop) == []
    records = all_records(shop)
    assert [record.id for record in records if record.kind is Kind.RATING] == thanked
    assert [record.kind for record in records[:2]] == [Kind.OUTAGE, Kind.RECOVER]
    assert sum(record.kind is Kind.OUTAGE for record in records) == 1


def test_a_full_disk_while_nothing_is_signed_is_told_and_costs_nothing_that_was_thanked(shop: Shop) -> None:
    shop.terminal.journal.put_on_hold("damage")
    thanked, sale = new_id(shop.clock.now()), shop.sell("001")
    shop.done(sale, 2, answer_id=thanked)
    other, words = shop.sell("002"), "满" * 1000
    with shop.full_disk(), pytest.raises(StoreFullError):
        _fill(shop, other, words)
    begin_epoch(shop)
    sign_kept(shop.terminal)
    found = [record.id for record in all_records(shop) if record.kind is Kind.RATING]
    assert thanked in found
    assert len(found) == len(set(found))
