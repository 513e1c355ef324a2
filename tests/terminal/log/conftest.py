"""A terminal, and a real central whose log goes on as the test says."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.log.checkpoints import Published
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.services import close_central, open_central
from merchant_agent.evidence.archive import ExportZip
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.record import Record, decode_record
from merchant_agent.evidence.trust import Trust
from merchant_agent.evidence.verdict import Verdict
from merchant_agent.evidence.verify import verify_export
from merchant_agent.settings import TerminalSettings
from merchant_agent.terminal.alarms import open_alarms
from merchant_agent.terminal.enrolment import Enrolled, enrol
from merchant_agent.terminal.export import export_terminal
from merchant_agent.terminal.services import Terminal, close_terminal, open_terminal
from merchant_agent.terminal.store.ledger import read_ledger
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.outcome import Outcome
from merchant_agent.terminal.upload.uploader import Uploader
from tests.central.log.looking import newest, put
from tests.clocks import ManualClock
from tests.live_central import LiveCentral

MINUTE = 60


class LoggedCentral(LiveCentral):
    """Central with a log, whose rounds the test calls for."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        super().__init__(path, clock)
        self.clock = clock
        close_central(self.central)
        self.settings = replace(self.settings, checkpoint_lock=str(path.with_suffix(".lock")))
        self.central = open_central(self.settings, clock)
        begin_log(self.central, again=False)

    def publish(self, others: int = 0, *, what: str = "leaf") -> Published:
        """A round of the sequencer, with so many leaves of other shops before it."""
        if others:
            put(self.central, others, begin=newest(self.central).size, what=what)
        self.clock.advance(2)
        Sequencer(self.central).run()
        self.central.newest.forget()
        return newest(self.central)

    def lie(self, path: Path) -> LoggedCentral:
        """A central of the same keys, shops and records, whose log will go on otherwise."""
        self.stop()
        close_central(self.central)
        shutil.copytree(self.settings.data, path)
        shutil.copy(self.settings.checkpoint_lock, path.with_suffix(".lock"))
        self.central = open_central(self.settings, self.clock)
        other = object.__new__(LoggedCentral)
        other.__dict__.update(self.__dict__)
        other.settings = replace(self.settings, data=path, checkpoint_lock=str(path.with_suffix(".lock")))
        other.central = open_central(other.settings, self.clock)
        return other


class Shop:
    """An enrolled terminal that is served by whichever central runs at its address."""

    def __init__(self, path: Path, clock: ManualClock, central: LoggedCentral) -> None:
        self.path = path
        self.clock = clock
        self.trust: Trust = central.central.identity.trust()
        self.client = Client(read_timeout_s=10, deadline_s=20)
        self.open()
        assert isinstance(enrol(self.terminal, central.url, central.code()), Enrolled)

    def open(self) -> None:
        settings = TerminalSettings(data=self.path, ballast_bytes=0)
        self.terminal: Terminal = open_terminal(settings, self.clock)
        self.uploader = Uploader(self.terminal, self.client, rng=random.Random(7))  # noqa: S311 -- as said

    def restart(self) -> None:
        close_terminal(self.terminal)
        self.open()

    def close(self) -> None:
        close_terminal(self.terminal)
        self.client.close()
        self.client.release()

    def upload(self) -> Outcome:
        """An upload at a time at which the log is looked at again."""
        self.clock.advance(MINUTE)
        return self.uploader.run_once()

    def alarms(self) -> list[str]:
        with self.terminal.store.read() as reader:
            return [alarm.code for alarm in open_alarms(reader)]

    def records(self) -> list[Record]:
        with self.terminal.store.read() as reader:
            octets = [entry.octets for entry in read_ledger(reader)]
        return [decode_record(decode_jws(each, Typ.RECORD).payload) for each in octets]

    def anchors(self) -> list[int | None]:
        """The size that each record states."""
        return [None if record.anchor is None else record.anchor.size for record in self.records()]

    def verdict(self, out: Path) -> Verdict:
        """What a stranger says of the shop's export, who trusts its central."""
        export_terminal(self.path, out)
        with ExportZip(out) as source:
            return verify_export(source, self.trust)


@pytest.fixture
def central(tmp_path: Path, clock: ManualClock) -> Iterator[LoggedCentral]:
    central = LoggedCentral(tmp_path / "central", clock)
    central.start()
    yield central
    central.close()


@pytest.fixture
def liar(tmp_path: Path, central: LoggedCentral) -> Iterator[Callable[[], LoggedCentral]]:
    """Makes the central that takes the first one's place at its address."""
    made: list[LoggedCentral] = []

    def lie() -> LoggedCentral:
        made.append(central.lie(tmp_path / "liar"))
        made[-1].start()
        return made[-1]

    yield lie
    for each in made:
        each.close()


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock, central: LoggedCentral) -> Iterator[Shop]:
    shop = Shop(tmp_path / "terminal", clock, central)
    yield shop
    shop.close()
