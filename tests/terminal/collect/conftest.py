"""A whole terminal, enrolled without a network, with two tablets on its till."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clocks import ManualClock
from tests.terminal.collect.shop import Shop


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    with Shop(tmp_path / "terminal", clock) as shop:
        yield shop


@pytest.fixture
def receipt_shop(tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    """One of a trade in which only the receipt asks."""
    with Shop(tmp_path / "terminal", clock, ask="receipt") as shop:
        yield shop
