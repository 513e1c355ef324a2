"""A central with a shop's terminal and its customer, and a terminal with a scripted central."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from merchant_agent.settings import CentralSettings
from tests.central.conftest import Site, central, merchant, sender
from tests.central.phone.conftest import visitor
from tests.clocks import ManualClock
from tests.terminal.upload.conftest import client, open_shop, shop, upstream

__all__ = ["central", "client", "merchant", "open_shop", "sender", "shop", "upstream", "visitor"]


@pytest.fixture
def site(tmp_path: Path, clock: ManualClock) -> Site:
    settings = CentralSettings(data=tmp_path / "central")
    return Site(settings=replace(settings, checkpoint_lock=str(tmp_path / "lock")), clock=clock)
