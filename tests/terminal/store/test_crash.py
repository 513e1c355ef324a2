"""Killing the process in the middle of appending, again and again."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from merchant_agent.evidence.chain import Chain
from merchant_agent.store.integrity import integrity_problems
from merchant_agent.terminal.rebuild import rebuild
from merchant_agent.terminal.store.ledger import read_ledger
from tests.clocks import ManualClock
from tests.enrolled import EnrolledJournal, OfflineCentral, enrolled_journal

_KILLS = 8

# Thanks only after the commit, one line each, until it is killed.
_APPEND = """
import sys
from pathlib import Path
from merchant_agent.clock import SystemClock
from tests.enrolled import EnrolledJournal, OfflineCentral, ask, rate
terminal = EnrolledJournal(Path(sys.argv[1]), SystemClock(), OfflineCentral())
while True:
    rating = rate(terminal.journal, ask(terminal.journal), comment="谢谢")
    print(rating.place.seq, rating.record.id, flush=True)
"""

# The same by eight at once, who share their transactions.
_APPEND_TOGETHER = """
import sys
import threading
from pathlib import Path
from merchant_agent.clock import SystemClock
from tests.enrolled import EnrolledJournal, OfflineCentral, ask, rate
terminal = EnrolledJournal(Path(sys.argv[1]), SystemClock(), OfflineCentral())
def serve():
    while True:
        rating = rate(terminal.journal, ask(terminal.journal), comment="谢谢")
        sys.stdout.write(f"{rating.place.seq} {rating.record.id}\\n")
        sys.stdout.flush()
for _ in range(8):
    threading.Thread(target=serve).start()
"""


def _thanked_until_killed(program: str, path: Path, lines: int) -> list[str]:
    """What was thanked for; the process is killed while it goes on after so many lines."""
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        thanked = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        thanked += process.stdout.readlines()
    return [line.rstrip() for line in thanked if line.endswith("\n")]


def _stored(terminal: EnrolledJournal) -> set[str]:
    """`seq id` of every record, all of them verified."""
    identity = terminal.journal.identity
    chain = Chain.begin(identity.grant_octets, identity.grant)
    found = set()
    with terminal.store.read() as reader:
        for entry in read_ledger(reader):
            record = chain.accept(entry.octets, entry.disclosures)
            found.add(f"{record.seq} {record.id}")
    return found


@pytest.mark.parametrize("program", [_APPEND, _APPEND_TOGETHER], ids=["alone", "together"])
def test_nothing_that_was_thanked_for_is_lost(program: str, tmp_path: Path, clock: ManualClock) -> None:
    enrolled_journal(tmp_path, clock).close()
    chance = random.Random(1)  # noqa: S311  # moments, not secrets
    thanked: list[str] = []
    for _ in range(_KILLS):
        thanked += _thanked_until_killed(program, tmp_path, chance.randint(1, 40))
    with EnrolledJournal(tmp_path, clock, OfflineCentral()) as terminal:
        stored = _stored(terminal)
        assert len(thanked) == len(set(thanked)) >= _KILLS
        assert set(thanked) <= stored
        assert len({line.split()[1] for line in stored}) == len(stored)
        assert integrity_problems(terminal.store, quick=False) == []
        assert rebuild(terminal.store).count == 0
