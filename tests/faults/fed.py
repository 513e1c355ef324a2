"""A demo whose customers keep coming while things are done to it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic

from merchant_agent.clock import SystemClock
from merchant_agent.demo.feed import Counter, Review
from merchant_agent.demo.outcome import Outcome, look_up
from merchant_agent.demo.running import Running, running_demo
from merchant_agent.demo.rush import Rush
from merchant_agent.evidence.archive import ExportZip
from merchant_agent.evidence.trust import load_trust
from merchant_agent.evidence.verify import verify_export
from merchant_agent.terminal.export import export_terminal

_ARRIVE_WITHIN_S = 90.0
_LOOK_EVERY_S = 0.2


class FedDemo:
    """The demo and its customers; `pause` lets them come for a while."""

    def __init__(self, running: Running, reviews: Iterable[Review], tmp_path: Path) -> None:
        self.running = running
        self._tmp_path = tmp_path
        self._stopped = threading.Event()
        self._rush = Rush(reviews, self._stopped)
        clock = SystemClock()
        self._rush.begin(
            Counter(
                terminal=running.terminal.url,
                till=str(number),
                pos_token=running.state.pos_token,
                tablet=tablet,
                clock=clock,
                stopped=self._stopped,
            )
            for number, tablet in enumerate(running.state.tablets, start=1)
        )

    def pause(self, seconds: float) -> None:
        """Customers come; fails if one of them was refused."""
        self._stopped.wait(seconds)
        self._rush.is_over()

    def wait_until_over(self) -> None:
        """Until everybody was served."""
        while not self._rush.is_over():
            self._stopped.wait(_LOOK_EVERY_S)

    def close(self) -> None:
        """Nobody comes any more; whoever was being served leaves."""
        self._stopped.set()
        self._rush.join(60.0)
        self._rush.is_over()

    def settle(self) -> Outcome:
        """Where the thanked ratings are once all are at central, or once they had the time to be."""
        until = monotonic() + _ARRIVE_WITHIN_S
        answer_ids = [thanked.answer_id for thanked in self._rush.thanked]
        assert len(set(answer_ids)) == len(answer_ids)
        while True:
            outcome = look_up(self.running.folder, sent=self._rush.sent, answer_ids=answer_ids)
            if min(outcome.uploaded, outcome.verified) >= outcome.thanked or monotonic() > until:
                return outcome
            threading.Event().wait(_LOOK_EVERY_S)

    def kinds(self) -> dict[str, int]:
        """How many records of each kind the terminal has."""
        path = self.running.folder.terminal / "terminal.db"
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            return dict(database.execute("SELECT kind, count(*) FROM record GROUP BY kind"))

    def verify(self) -> int:
        """Exports the terminal as it is and verifies it against the pinned root; its number of records."""
        out = self._tmp_path / "export.zip"
        export_terminal(self.running.folder.terminal, out)
        trust = load_trust(self.running.folder.trust.read_bytes())
        with ExportZip(out) as source:
            verdict = verify_export(source, trust)
        assert verdict.violations == ()
        assert verdict.trusted
        return verdict.records


@contextmanager
def fed_demo(tmp_path: Path, reviews: Iterable[Review], *, counters: int) -> Iterator[FedDemo]:
    """A demo with customers at so many counters."""
    with running_demo(tmp_path / "demo", terminal_port=0, central_port=0, tablets=counters) as running:
        fed = FedDemo(running, reviews, tmp_path)
        try:
            yield fed
        finally:
            fed.close()


def require_exactly_once(outcome: Outcome) -> None:
    """Every thanked rating is in the ledger, acknowledged and at central, and none of them twice."""
    assert outcome.thanked > 0
    assert outcome.stored == outcome.thanked
    assert outcome.uploaded == outcome.thanked
    assert outcome.verified == outcome.thanked
