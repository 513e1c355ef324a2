from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from merchant_agent.errors import StoreError
from merchant_agent.store.store import Store
from tests.store.things import add, numbers

THREADS = 5


def fill_pool(store: Store) -> None:
    """Leaves as many idle connections in the pool."""
    together = Barrier(THREADS)

    def hold(_: int) -> None:
        with store.read() as reader:
            together.wait()
            numbers(reader)

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(hold, range(THREADS)))


def cut_connections(url: str) -> int:
    """Ends all other connections, as a restart of the server does; how many they were."""
    with psycopg.connect(url, autocommit=True) as connection:
        cut = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return len(cut.fetchall())


def test_connections_lost_while_idle_are_passed_over(server_store: Store, postgres_url: str) -> None:
    fill_pool(server_store)
    assert cut_connections(postgres_url) == THREADS
    with server_store.write() as writer:
        add(writer, 1)
    fill_pool(server_store)
    assert cut_connections(postgres_url) == THREADS
    with server_store.read() as reader:
        assert numbers(reader) == [1]


def test_a_connection_lost_in_a_transaction_loses_all_of_it(server_store: Store, postgres_url: str) -> None:
    with pytest.raises(StoreError), server_store.write() as writer:  # noqa: PT012 -- all of it is the claim
        add(writer, 1)
        cut_connections(postgres_url)
        add(writer, 2)
    with server_store.read() as reader:
        assert numbers(reader) == []
