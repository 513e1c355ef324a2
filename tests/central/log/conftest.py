"""A central whose log was begun, on each of the two databases; the lock lies apart from both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.services import Central
from merchant_agent.settings import CentralSettings
from tests.central.conftest import Site
from tests.clocks import ManualClock


@pytest.fixture(params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Site:
    """A fresh folder, a fresh database of either kind, and a place for the lock."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    settings = CentralSettings(data=tmp_path / "central", database=url, log_origin="central.example/log")
    (tmp_path / "apart").mkdir()
    return Site(settings=replace(settings, checkpoint_lock=str(tmp_path / "apart" / "lock")), clock=clock)


@pytest.fixture
def lock_file(site: Site) -> Path:
    return Path(site.settings.checkpoint_lock)


@pytest.fixture
def sequencer(central: Central) -> Sequencer:
    """The sequencer of a log that has just begun."""
    begin_log(central, again=False)
    return Sequencer(central)
