"""A terminal and its central under whatever happens to them, in any order that Hypothesis thinks of."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.strategies import integers, sampled_from, text

from merchant_agent.central.store.models import Rating as CentralRating
from merchant_agent.domain.sales import Sale
from merchant_agent.errors import ConflictError
from merchant_agent.evidence.archive import ExportZip
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.record import new_id
from merchant_agent.evidence.verify import verify_export
from merchant_agent.settings import TerminalSettings
from merchant_agent.store.backup import backup, newest_backup
from merchant_agent.store.folder import DataFolder
from merchant_agent.terminal.collect.answers import finish
from merchant_agent.terminal.collect.prompts import take_sale
from merchant_agent.terminal.collect.recovery import sign_kept
from merchant_agent.terminal.collect.said import Answer
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.damage import heal
from merchant_agent.terminal.enrolment import Enrolled, enrol
from merchant_agent.terminal.erasure import erase
from merchant_agent.terminal.export import export_terminal
from merchant_agent.terminal.restoring import restore
from merchant_agent.terminal.rotation import rotate
from merchant_agent.terminal.schedule import check_quickly
from merchant_agent.terminal.services import Terminal, close_terminal, open_terminal
from merchant_agent.terminal.store.mark import default_mark
from merchant_agent.terminal.store.models import LedgerDisclosure, LedgerRecord, Rating
from merchant_agent.terminal.store.opening import DATABASE_NAME
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.outcome import Code
from merchant_agent.terminal.upload.uploader import Uploader
from tests.clocks import ManualClock
from tests.live_central import LiveCentral

TILL = "till-1"
_MOST_TURNS = 40
_PAGE = 4096
_COMMENTS = text("慢热好\n?", max_size=6)


class TillClock(ManualClock):
    """A till's clock, which may be set; `true` is everybody else's, and passes with it."""

    def __init__(self) -> None:
        super().__init__()
        self.true = ManualClock()

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self.true.advance(seconds)

    def set_by_hours(self, hours: int) -> None:
        """By so many hours from the true time."""
        self.step_wall((self.true.now() - self.now()).total_seconds() + 3600 * hours)


class TerminalMachine(RuleBasedStateMachine):
    """What was thanked for arrives at central once, what central acknowledged stays, and the chain verifies."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="merchant-agent-machine-"))
        self.clock = TillClock()
        self.central = LiveCentral(self.folder / "central", self.clock.true)
        self.central.start()
        self.client = Client(read_timeout_s=10, deadline_s=20)
        self.data = self.folder / "terminal"
        self._copied = self.folder / "copied"
        self.copied_epoch = 0
        self.terminal: Terminal | None = None
        self.thanked: dict[str, int] = {}
        self.forgivable: set[str] = set()
        self.acknowledged: set[bytes] = set()
        self.sales = 0
        self.generation = 0

    @initialize()
    def enrol(self) -> None:
        self._open()
        assert isinstance(enrol(self._terminal, self.central.url, self.central.code()), Enrolled)

    @rule(level=integers(1, 5), comment=_COMMENTS)
    def append(self, level: int, comment: str) -> None:
        """A sale, and a customer who is thanked."""
        self.sales += 1
        self.clock.advance(7)
        sale = take_sale(self._terminal, Sale(order=f"A{self.sales}", till=TILL))
        assert sale is not None
        answer_id = new_id(self.clock.now())
        answer = Answer(prompt_id=sale.prompt_id, level=level, comment=comment)
        finish(self._terminal, self._tablet, answer_id, answer, ended="done", dwell_ms=4000)
        self.thanked[answer_id] = level

    @rule()
    def upload(self) -> None:
        self.uploader.run_once()
        sign_kept(self._terminal)
        self.acknowledged.update(self.central.records())

    @rule(answers=integers(1, 3))
    def lose_answers(self, answers: int) -> None:
        """Central does what it is asked, and its answers do not arrive."""
        self.central.answers_to_lose = answers
        self.upload()
        self.central.answers_to_lose = 0

    @rule()
    def be_alone(self) -> None:
        """Central cannot be reached."""
        self.central.stop()
        assert self.uploader.run_once().code in {Code.UNREACHABLE, Code.NOTHING}
        self.central.start()

    @rule()
    def crash(self) -> None:
        """The power goes: nothing but what is on the disk is left."""
        self.generation += 1
        left = self.folder / f"left-{self.generation}"
        shutil.copytree(self.data, left, ignore=shutil.ignore_patterns("*.lock"))
        close_terminal(self._terminal)
        shutil.rmtree(self.data)
        left.rename(self.data)
        self._open()

    @rule()
    def restart(self) -> None:
        close_terminal(self._terminal)
        self._open()

    @rule()
    def keep_backup(self) -> None:
        folder = self._terminal.folder.backups
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        newest = newest_backup(folder, stem="terminal")
        number = 1 if newest is None else int(newest.stem.rpartition("-")[2]) + 1
        backup(self._terminal.store, folder / f"terminal-{number:06d}.db")

    @precondition(lambda self: newest_backup(self._terminal.folder.backups, stem="terminal") is not None)
    @rule()
    def restore(self) -> None:
        """What was never sent is gone with the database; all else comes back."""
        path = newest_backup(self._terminal.folder.backups, stem="terminal")
        assert path is not None
        self._forgive()
        close_terminal(self._terminal)
        folder = DataFolder(self.data)
        folder.lock()
        try:
            restore(folder, path, self.clock)
        finally:
            folder.unlock()
        self._open()

    @rule()
    def copy_folder(self) -> None:
        """Somebody copies the data folder while nothing runs."""
        close_terminal(self._terminal)
        shutil.rmtree(self._copied, ignore_errors=True)
        shutil.copytree(self.data, self._copied)
        self._open()
        self.copied_epoch = self._terminal.journal.identity.epoch

    @precondition(lambda self: self.copied_epoch == self._terminal.journal.identity.epoch)
    @rule()
    def roll_back(self) -> None:
        """The copy takes the folder's place, as if nothing had happened since; only the mark knows.

        One of an epoch that is over is a clone, which gets no key.
        """
        self._forgive()
        close_terminal(self._terminal)
        shutil.rmtree(self.data)
        shutil.copytree(self._copied, self.data)
        self._open()

    @rule(page=integers(0, 60))
    def rot(self, page: int) -> None:
        """A page of the database is overwritten; the first one, and every one at once, too."""
        self._forgive()
        close_terminal(self._terminal)
        path = self.data / DATABASE_NAME
        octets = bytearray(path.read_bytes())
        page = page % (len(octets) // _PAGE + 1)
        rotten = (
            range(len(octets)) if page == len(octets) // _PAGE else range(page * _PAGE, (page + 1) * _PAGE)
        )
        octets[rotten.start : rotten.stop] = bytes(len(rotten))
        path.write_bytes(octets)
        self._open()
        check_quickly(self._terminal)
        heal(self._terminal)

    @rule()
    def lose_key(self) -> None:
        """The key is gone; an officer gives out a new code."""
        close_terminal(self._terminal)
        for path in (self.data / "keys").glob("*.pem"):
            path.unlink()
        self._open()
        assert self._terminal.journal.hold is not None
        assert isinstance(enrol(self._terminal, self.central.url, self.central.code()), Enrolled)
        sign_kept(self._terminal)

    @rule(hours=sampled_from([-400_000, -26, -1, 1, 26, 400_000]))
    def set_clock(self, hours: int) -> None:
        """Somebody sets the till's clock, or its battery is empty."""
        self.clock.set_by_hours(hours)

    @rule(reason=sampled_from(["planned", "suspected"]))
    def rotate(self, reason: str) -> None:
        planned: Literal["planned", "suspected"] = "planned" if reason == "planned" else "suspected"
        if self._terminal.journal.hold is None:
            rotate(self._terminal, planned)
        else:
            with pytest.raises(ConflictError, match="Nothing is signed"):
                rotate(self._terminal, planned)

    @rule(which=integers(0, 50))
    def erase(self, which: int) -> None:
        """Somebody has their words erased."""
        if self._terminal.journal.hold is not None:
            return
        with self._terminal.store.read() as reader:
            places = reader.all(
                LedgerDisclosure.select(LedgerDisclosure.epoch, LedgerDisclosure.seq).distinct().tuples()
            )
        if places:
            epoch, seq = places[which % len(places)]
            place = Place(issuer=self._terminal.journal.identity.issuer, epoch=epoch, seq=seq)
            erase(self._terminal, place, who="manager")

    @invariant()
    def nothing_acknowledged_is_lost(self) -> None:
        assert self.acknowledged <= set(self.central.records())

    def teardown(self) -> None:
        try:
            if self.terminal is not None:
                self._settle()
                self._compare()
        finally:
            if self.terminal is not None:
                close_terminal(self.terminal)
            self.client.close()
            self.client.release()
            self.central.close()
            shutil.rmtree(self.folder)
            default_mark(self.data).unlink(missing_ok=True)

    @property
    def _terminal(self) -> Terminal:
        assert self.terminal is not None
        return self.terminal

    @property
    def _tablet(self) -> Tablet:
        return Tablet(id="0198-tablet", till=TILL)

    def _open(self) -> None:
        self.terminal = open_terminal(
            TerminalSettings(data=self.data, central_url=self.central.url, ballast_bytes=0), self.clock
        )
        chance = random.Random(7)  # noqa: S311 -- the same every time
        self.uploader = Uploader(self.terminal, self.client, rng=chance)

    def _forgive(self) -> None:
        """What only the present database has may be lost with it."""
        self.forgivable |= self.thanked.keys() - self._arrived().keys()

    def _settle(self) -> None:
        """Everything is in order again, and time passes."""
        for _ in range(_MOST_TURNS):
            self.clock.advance(60)
            outcome = self.uploader.run_once()
            sign_kept(self._terminal)
            if outcome.code is Code.NOTHING and self._terminal.journal.hold is None:
                return
        raise AssertionError(f"not settled: {outcome}, {self._terminal.journal.hold}")

    def _arrived(self) -> dict[str, int]:
        with self.central.central.store.read() as reader:
            rows = reader.all(CentralRating.select(CentralRating.id, CentralRating.level).tuples())
        assert len(rows) == len(dict(rows)), "a rating stands twice at central"
        return dict(rows)

    def _compare(self) -> None:
        arrived = self._arrived()
        missing = self.thanked.keys() - arrived.keys()
        assert missing <= self.forgivable
        assert {key: arrived[key] for key in self.thanked if key in arrived} == {
            key: level for key, level in self.thanked.items() if key in arrived
        }
        with self._terminal.store.read() as reader:
            ledger = {bytes(row.octets) for row in reader.all(LedgerRecord.select(LedgerRecord.octets))}
            here = {row.rating_id for row in reader.all(Rating.select(Rating.rating_id))}
        assert ledger == set(self.central.records())
        assert here == arrived.keys()
        target = self.folder / "export.zip"
        export_terminal(self.data, target)
        with ExportZip(target) as archive:
            verdict = verify_export(archive, self.central.central.identity.trust())
        assert verdict.trusted
        assert verdict.violations == ()


TestTerminalMachine = TerminalMachine.TestCase
TestTerminalMachine.settings = settings(
    max_examples=12,
    stateful_step_count=24,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
