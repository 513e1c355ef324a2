"""A central with its pages, on SQLite, and a browser that goes to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from merchant_agent.central.services import close_central, open_central
from merchant_agent.settings import CentralSettings
from tests.central.web.office import Office
from tests.clocks import ManualClock


@pytest.fixture
def office(tmp_path: Path, clock: ManualClock) -> Iterator[Office]:
    """Nobody is registered and nobody is signed in."""
    central = open_central(CentralSettings(data=tmp_path / "office"), clock)
    yield Office(central, clock)
    close_central(central)
