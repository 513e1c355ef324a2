"""A terminal that was enrolled at a real central, closed and opened like a program, its folder copied like a disk.

with Station(tmp_path / "terminal", clock, live_central) as station:
    station.serve(2)
    station.send()
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from merchant_agent.evidence.archive import ExportZip
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.record import Record, decode_record
from merchant_agent.evidence.verdict import Verdict
from merchant_agent.evidence.verify import verify_export
from merchant_agent.settings import TerminalSettings
from merchant_agent.terminal.alarms import open_alarms
from merchant_agent.terminal.enrolment import Enrolled, enrol
from merchant_agent.terminal.export import export_terminal
from merchant_agent.terminal.services import Terminal, close_terminal, open_terminal
from merchant_agent.terminal.store.ledger import read_ledger
from merchant_agent.terminal.store.mark import default_mark
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.outcome import Outcome
from merchant_agent.terminal.upload.uploader import Uploader
from tests.clocks import ManualClock
from tests.enrolled import ask, rate
from tests.live_central import LiveCentral


class Station:
    """The terminal with its uploader; `settings` are those of the next `open`."""

    terminal: Terminal
    uploader: Uploader

    def __init__(self, path: Path, clock: ManualClock, central: LiveCentral) -> None:
        self.path = path
        self.clock = clock
        self.central = central
        self.settings: dict[str, Any] = {}
        self.client = Client(read_timeout_s=10, deadline_s=20)
        self._is_open = False

    def enrol(self) -> Self:
        self.open()
        assert isinstance(enrol(self.terminal, self.central.url, self.central.code()), Enrolled)
        return self

    def open(self) -> None:
        settings = TerminalSettings(data=self.path, ballast_bytes=0, **self.settings)
        self.terminal = open_terminal(settings, self.clock)
        chance = random.Random(7)  # noqa: S311 -- the same every time
        self.uploader = Uploader(self.terminal, self.client, rng=chance)
        self._is_open = True

    def close(self) -> None:
        if self._is_open:
            close_terminal(self.terminal)
        self._is_open = False

    def restart(self) -> None:
        self.close()
        self.open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self.client.close()
        self.client.release()

    @property
    def hold(self) -> str | None:
        return self.terminal.journal.hold

    @property
    def epoch(self) -> int:
        return self.terminal.journal.identity.epoch

    def serve(self, customers: int, *, level: int = 5) -> None:
        """Sales, each with a rating and its words."""
        for _ in range(customers):
            rate(self.terminal.journal, ask(self.terminal.journal), level=level, comment="还行")

    def send(self) -> Outcome:
        return self.uploader.run_once()

    def octets(self) -> list[bytes]:
        with self.terminal.store.read() as reader:
            return [entry.octets for entry in read_ledger(reader)]

    def records(self, epoch: int) -> list[Record]:
        return [
            decode_record(jws.payload)
            for jws in (decode_jws(octets, Typ.RECORD) for octets in self.octets())
            if jws.epoch == epoch
        ]

    def alarms(self) -> list[str]:
        with self.terminal.store.read() as reader:
            return [alarm.code for alarm in open_alarms(reader)]

    def copy_disk(self, target: Path) -> None:
        """The folder as it is, while nothing runs."""
        self.close()
        shutil.copytree(self.path, target)
        self.open()

    def put_disk_back(self, source: Path, *, with_mark: bool) -> None:
        """The folder of then in place of the present one; `with_mark` where the mark is of then as well."""
        self.close()
        shutil.rmtree(self.path)
        shutil.copytree(source, self.path)
        if with_mark:
            default_mark(self.path).unlink()
        self.open()

    def verdict(self) -> Verdict:
        """What a verifier says of an export made now."""
        out = self.path.with_name("export.zip")
        out.unlink(missing_ok=True)
        export_terminal(self.path, out)
        with ExportZip(out) as archive:
            return verify_export(archive, self.terminal.journal.identity.trust)
