"""A real central for the terminal's own side of the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clocks import ManualClock
from tests.live_central import LiveCentral


@pytest.fixture
def live_central(tmp_path: Path, clock: ManualClock) -> Iterator[LiveCentral]:
    """A running central with one shop."""
    central = LiveCentral(tmp_path / "central", clock)
    central.start()
    yield central
    central.close()
