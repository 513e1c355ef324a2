"""One shop's terminal as a web application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.clocks import ManualClock
from tests.terminal.collect.shop import Shop
from tests.terminal.web.doors import Kiosk, make_app_of
from tests.terminal.web.people import Person, manager_of, staff_of


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    with Shop(tmp_path / "terminal", clock) as shop:
        yield shop


@pytest.fixture
def app(shop: Shop) -> Flask:
    return make_app_of(shop)


@pytest.fixture
def kiosk(app: Flask, shop: Shop) -> Kiosk:
    return Kiosk.of(app, shop)


@pytest.fixture
def anybody(app: Flask) -> Person:
    return Person.of(app)


@pytest.fixture
def staff(app: Flask, shop: Shop) -> Person:
    return staff_of(app, shop)


@pytest.fixture
def manager(app: Flask, shop: Shop) -> Person:
    return manager_of(app, shop)
