"""Stores with a table of things: on SQLite, and on both databases where nothing else is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from merchant_agent.store.database import open_postgres
from merchant_agent.store.store import Store
from tests.store.things import Thing, sqlite_store


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Store]:
    with sqlite_store(tmp_path / "things.db") as store:
        with store.write() as writer:
            writer.create_tables([Thing])
        yield store


@pytest.fixture
def server_store(postgres_url: str) -> Iterator[Store]:
    store = Store(open_postgres(postgres_url))
    with store.write() as writer:
        writer.create_tables([Thing])
    yield store
    store.close()


@pytest.fixture(params=["file_store", "server_store"])
def store(request: pytest.FixtureRequest) -> Store:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Store)
    return found
