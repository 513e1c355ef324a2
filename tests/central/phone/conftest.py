"""A central whose log lives, with a shop's terminal, on each of the two databases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.services import Central
from merchant_agent.settings import CentralSettings
from tests.central.conftest import Site
from tests.central.phone.customers import Visitor
from tests.central.sender import Sender
from tests.clocks import ManualClock


@pytest.fixture(params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Site:
    """A fresh folder, a fresh database of either kind, and a place for the log's lock."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    settings = CentralSettings(data=tmp_path / "central", database=url)
    return Site(settings=replace(settings, checkpoint_lock=str(tmp_path / "lock")), clock=clock)


@pytest.fixture
def visitor(central: Central, sender: Sender, clock: ManualClock) -> Visitor:
    """A customer of the shop, after the log has begun."""
    begin_log(central, again=False)
    return Visitor(central, sender, clock)
