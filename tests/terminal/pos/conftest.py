"""A shop whose POS plugs in, with what runs beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from merchant_agent.terminal.pos.connections import Connections
from tests.clocks import ManualClock
from tests.terminal.collect.shop import Shop


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    with Shop(tmp_path / "terminal", clock) as shop:
        yield shop


@pytest.fixture
def connections(shop: Shop) -> Iterator[Connections]:
    connections = Connections(shop.terminal)
    yield connections
    connections.stop()
