"""What a terminal signs about itself, and what verifiers say where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from merchant_agent.evidence.archive import ExportZip
from merchant_agent.evidence.bodies import (
    ClockBody,
    Closure,
    DayCloseBody,
    HeartbeatBody,
    Kind,
    SettingsBody,
    StartBody,
)
from merchant_agent.evidence.verify import verify_export
from merchant_agent.terminal.administration import note_stop, record_start
from merchant_agent.terminal.duties import Duty
from merchant_agent.terminal.export import export_terminal
from merchant_agent.terminal.schedule import duties_of
from merchant_agent.terminal.store.ledger import newest_of
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.uploader import Uploader
from tests.clocks import ManualClock
from tests.terminal.collect.shop import Shop

HOUR = 3600.0
OPEN_ALL_DAY = "1-7 00:00-24:00"
_MINE = frozenset({"heartbeat", "day close"})


class Days:
    """A shop whose own duties run while time goes by."""

    def __init__(self, shop: Shop, client: Client) -> None:
        self.shop = shop
        self.clock = shop.clock
        self._client = client
        self._duties: tuple[Duty, ...] = ()

    def start(self, *, hours: str = "", closures: str = "") -> None:
        """The program starts, with these opening hours."""
        self.shop.settings = replace(self.shop.settings, opening_hours=hours, closures=closures)
        self.shop.restart()
        record_start(self.shop.terminal)
        uploader = Uploader(self.shop.terminal, self._client)
        self._duties = tuple(duty for duty in duties_of(self.shop.terminal, uploader) if duty.name in _MINE)

    def tick(self) -> None:
        for duty in self._duties:
            if duty.timer.take():
                duty.run()

    def pass_by(self, seconds: float) -> None:
        """Time goes by, with a tick each half minute."""
        while seconds > 0:
            self.clock.advance(min(30.0, seconds))
            seconds -= 30
            self.tick()

    def sleep(self, seconds: float) -> None:
        """Time goes by while the program does not run."""
        self.clock.advance(seconds)

    def kinds(self) -> list[str]:
        return [record.kind.value for record in self.shop.records()]

    def bodies(self, kind: Kind) -> list[object]:
        return [record.body for record in self.shop.records() if record.kind is kind]

    def findings(self, out: Path) -> dict[str, int]:
        """Where a verifier finds something about clocks and presence, by its code; nothing may be violated."""
        export_terminal(self.shop.settings.data, out)
        with ExportZip(out) as source:
            verdict = verify_export(source, self.shop.central.trust)
        assert verdict.violations == ()
        return {found.code: found.place.seq for found in verdict.findings if found.rule in {"V9", "V13"}}


@pytest.fixture
def days(shop: Shop) -> Iterator[Days]:
    client = Client()
    yield Days(shop, client)
    client.close()
    client.release()


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    with Shop(tmp_path / "terminal", clock) as shop:
        yield shop


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "export.zip"


def test_a_start_says_whether_the_program_had_been_stopped_in_order(days: Days) -> None:
    days.start()
    note_stop(days.shop.terminal)
    note_stop(days.shop.terminal)
    days.start()
    days.start()
    starts = days.bodies(Kind.START)
    assert [body.clean for body in starts if isinstance(body, StartBody)] == [True, True, False]


def test_opening_hours_are_signed_when_they_change_and_only_then(days: Days) -> None:
    days.start()
    days.start(hours=OPEN_ALL_DAY)
    days.start(hours=OPEN_ALL_DAY)
    days.start(hours=OPEN_ALL_DAY, closures="2026-10-01..2026-10-07")
    days.start()
    signed = [body for body in days.bodies(Kind.SETTINGS) if isinstance(body, SettingsBody)]
    assert [(len(body.opening), body.closures) for body in signed] == [
        (7, ()),
        (7, (Closure(first="2026-10-01", last="2026-10-07"),)),
        (0, ()),
    ]


def test_an_idle_terminal_tells_every_four_hours_that_it_lives(days: Days, out: Path) -> None:
    days.start(hours=OPEN_ALL_DAY)
    days.pass_by(13 * HOUR)
    beats = [body for body in days.bodies(Kind.HEARTBEAT) if isinstance(body, HeartbeatBody)]
    assert [body.waiting for body in beats] == [2, 3, 4]
    assert days.findings(out) == {}


def test_whatever_is_signed_is_a_sign_of_life_as_well(days: Days) -> None:
    days.start()
    for number in range(6):
        days.pass_by(2 * HOUR)
        days.shop.sell(f"{number:03}")
    assert "heartbeat" not in days.kinds()


def test_a_terminal_that_was_off_while_the_shop_was_open_is_found_silent(days: Days, out: Path) -> None:
    days.start(hours=OPEN_ALL_DAY)
    days.sleep(5 * HOUR)
    days.start(hours=OPEN_ALL_DAY)
    assert days.findings(out) == {"silent": 2}


def test_silence_outside_opening_hours_or_in_a_closure_is_no_finding(days: Days, out: Path) -> None:
    hours = "1-7 09:00-14:00"
    days.start(hours=hours)
    days.sleep(19 * HOUR)  # from noon to 07:00
    days.start(hours=hours, closures="2026-05-21")
    days.sleep(12 * HOUR)
    days.start(hours=hours, closures="2026-05-21")
    assert days.findings(out) == {}


def test_a_day_is_closed_when_it_is_over_with_its_prompts(days: Days, out: Path) -> None:
    days.start(hours=OPEN_ALL_DAY)
    for number in range(3):
        days.shop.sell(f"{number:03}")
    days.pass_by(17 * HOUR)  # to 05:00
    days.shop.sell("900")
    days.pass_by(48 * HOUR)
    assert days.bodies(Kind.DAY_CLOSE) == [
        DayCloseBody(day="2026-05-20", prompts=3, sales=None),
        DayCloseBody(day="2026-05-21", prompts=1, sales=None),
        DayCloseBody(day="2026-05-22", prompts=0, sales=None),
    ]
    assert days.findings(out) == {}


def test_a_day_that_ended_while_the_terminal_was_off_is_closed_at_its_start(days: Days) -> None:
    days.start()
    days.shop.sell()
    days.sleep(40 * HOUR)
    days.start()
    days.pass_by(60)
    assert days.bodies(Kind.DAY_CLOSE) == [DayCloseBody(day="2026-05-21", prompts=1, sales=None)]
    days.start()
    days.pass_by(60)
    assert len(days.bodies(Kind.DAY_CLOSE)) == 1


def test_a_day_that_is_not_closed_is_found(days: Days, out: Path) -> None:
    days.start(hours=OPEN_ALL_DAY)
    for number in range(13):
        days.shop.sell(f"{number:03}")
        days.sleep(4 * HOUR)
    days.shop.sell("900")
    assert set(days.findings(out)) == {"day_close"}


@pytest.mark.parametrize("step_s", [-3600, -5, 5, 3600, 86_400 * 365 * 70, -86_400 * 365 * 50])
def test_a_clock_that_is_set_is_told_of_before_the_next_record(days: Days, out: Path, step_s: int) -> None:
    days.start()
    days.sleep(100)
    days.clock.step_wall(step_s)
    days.shop.sell()
    days.shop.sell("088")
    assert days.kinds()[:3] == ["start", "clock", "prompt"]
    told = ClockBody(wall_ms=1000 * (100 + step_s), boot_ms=100_000)
    assert days.bodies(Kind.CLOCK) == [told]
    assert days.findings(out) == {}


def test_a_clock_that_is_slewed_is_not_told_of(days: Days, out: Path) -> None:
    days.start()
    for number in range(4):
        days.sleep(HOUR)
        days.clock.step_wall(2.5)
        days.shop.sell(f"{number:03}")
    assert "clock" not in days.kinds()
    assert days.findings(out) == {}


def test_the_clock_record_comes_first_in_the_same_transaction(days: Days) -> None:
    days.start()
    days.clock.step_wall(600)
    with days.shop.failing("INSERT ON prompt"), pytest.raises(Exception, match="refused"):
        days.shop.sell()
    assert days.kinds() == ["start"]
    days.shop.sell()
    assert days.kinds() == ["start", "clock", "prompt"]


def test_after_a_restart_of_the_machine_a_clock_that_went_back_is_told_of(days: Days, out: Path) -> None:
    days.start()
    days.clock.boot = "BBBBBBBBBBA"
    days.clock.step_wall(-7200)
    days.start()
    days.clock.boot = "CCCCCCCCCCA"
    days.clock.step_wall(7200)
    days.start()
    assert days.kinds() == ["start", "clock", "start", "start"]
    assert days.bodies(Kind.CLOCK) == [ClockBody(wall_ms=-7_200_000, boot_ms=None)]
    assert days.findings(out) == {}


@pytest.mark.parametrize("fold", ["2026-10-25T02:50:00+02:00", "2026-03-29T01:50:00+01:00"])
def test_daylight_saving_moves_the_offset_and_no_clock(tmp_path: Path, out: Path, fold: str) -> None:
    clock = _Berlin(datetime.fromisoformat(fold))
    with Shop(tmp_path / "berlin", clock) as shop:
        for number in range(4):
            shop.sell(f"{number:03}")
            clock.advance(600)
        records = shop.records()
        assert [record.kind.value for record in records if record.kind is Kind.CLOCK] == []
        assert len({record.at[-6:] for record in records}) == 2
        export_terminal(shop.settings.data, out)
        with ExportZip(out) as source:
            found = verify_export(source, shop.central.trust).findings
        assert {each.rule for each in found} & {"V9", "V13"} == set()


class _Berlin(ManualClock):
    """A wall clock where summer time ends and begins."""

    def __init__(self, start: datetime) -> None:
        self._zone = ZoneInfo("Europe/Berlin")
        super().__init__(start.astimezone(self._zone))

    def advance(self, seconds: float) -> None:
        later = self._wall.astimezone(ZoneInfo("UTC")) + timedelta(seconds=seconds)
        self._wall = later.astimezone(self._zone)
        self._mono_ms += round(seconds * 1000)


def test_on_hold_nothing_about_the_terminal_itself_is_signed(days: Days) -> None:
    days.start()
    journal = days.shop.terminal.journal
    note_stop(days.shop.terminal)
    journal.put_on_hold("restored")
    head = journal.head
    record_start(days.shop.terminal)
    days.pass_by(30 * HOUR)
    assert journal.head == head
    journal.release()
    record_start(days.shop.terminal)
    with days.shop.terminal.store.read() as reader:
        started = newest_of(reader, Kind.START)
    assert started is not None
    assert isinstance(started.body, StartBody)
    assert not started.body.clean
