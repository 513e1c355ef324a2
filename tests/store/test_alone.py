"""Being the only one: numbered locks of a transaction, and locked files."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from merchant_agent.store.folder import file_lock
from merchant_agent.store.store import Store


def test_one_transaction_at_a_time_has_a_number(server_store: Store) -> None:
    told: list[tuple[bool, bool]] = []

    def other() -> None:
        with server_store.write() as tx:
            told.append((tx.is_alone(1), tx.is_alone(2)))

    def ask_other() -> tuple[bool, bool]:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return told.pop()

    with server_store.write() as tx:
        assert tx.is_alone(1)
        assert tx.is_alone(1)
        assert ask_other() == (False, True)
    assert ask_other() == (True, True)


def test_a_writer_of_a_file_is_alone(file_store: Store) -> None:
    with file_store.write() as tx:
        assert tx.is_alone(1)


def test_a_locked_file_lets_nobody_else_in(tmp_path: Path) -> None:
    path = tmp_path / "guard"
    with file_lock(path):
        with pytest.raises(OSError, match="unavailable"), file_lock(path):
            pass
        with file_lock(tmp_path / "another"):
            pass
    with file_lock(path):
        pass
    assert path.read_bytes() == b""
