"""A central whose log lives, with a shop's terminal, on each of the two databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from merchant_agent.central.app import create_app
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


@pytest.fixture
def port(central: Central) -> Iterator[int]:
    """Where central's pages are served."""
    server = make_server("127.0.0.1", 0, create_app(central), threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield server.server_port
    server.shutdown()
    serving.join()
