"""Records whose time lies outside what checkpoints and acknowledgements bound it by: findings of V8."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from merchant_agent.terminal.upload.outcome import Code
from tests.clocks import ManualClock
from tests.enrolled import ask
from tests.terminal.log.conftest import LoggedCentral, Shop


@pytest.fixture
def shop(tmp_path: Path, central: LoggedCentral) -> Iterator[Shop]:
    """A shop with a clock of its own, which has verified a checkpoint."""
    shop = Shop(tmp_path / "terminal", ManualClock(), central)
    central.publish(3)
    ask(shop.terminal.journal)
    assert shop.upload().code is Code.ACCEPTED
    yield shop
    shop.close()


def _times(shop: Shop, out: Path) -> list[tuple[str, int]]:
    verdict = shop.verdict(out)
    assert verdict.violations == ()
    return [(found.rule, found.place.seq) for found in verdict.findings if found.code == "time"]


def test_a_record_dated_before_its_anchor_is_found(shop: Shop, tmp_path: Path) -> None:
    shop.clock.step_wall(-3600)
    ask(shop.terminal.journal)
    assert [record.kind.value for record in shop.records()] == ["prompt", "clock", "prompt"]
    assert _times(shop, tmp_path / "export.zip") == [("V8", 1)]


def test_a_record_dated_after_central_had_it_is_found(shop: Shop, tmp_path: Path) -> None:
    shop.clock.step_wall(3600)
    ask(shop.terminal.journal)
    assert shop.upload().code is Code.ACCEPTED
    assert _times(shop, tmp_path / "export.zip") == [("V8", 1)]


def test_a_clock_that_is_off_by_minutes_is_no_finding(shop: Shop, tmp_path: Path) -> None:
    for step_s in (-120, 240):
        shop.clock.step_wall(step_s)
        ask(shop.terminal.journal)
        assert shop.upload().code is Code.ACCEPTED
    assert _times(shop, tmp_path / "export.zip") == []
