from __future__ import annotations

from datetime import timedelta

import pytest

from merchant_agent.store.credentials import (
    CREDENTIAL_MODELS,
    AuditEntry,
    Failures,
    audit,
    close_session,
    find_account,
    find_session,
    has_account,
    note_failures,
    open_session,
    save_account,
)
from merchant_agent.store.store import Store
from tests.clocks import START

_HOUR = timedelta(hours=1)


@pytest.fixture
def accounts(store: Store) -> Store:
    with store.write() as writer:
        writer.create_tables(CREDENTIAL_MODELS)
        save_account(writer, name="manager", role="manager", secret_hash="argon2 one")
    return store


def _sign_in(store: Store, token: bytes, *, hours: int = 1) -> None:
    with store.write() as writer:
        account = find_account(writer, "manager")
        assert account is not None
        open_session(
            writer, token_hash=token, account=account, created_at=START, expires_at=START + hours * _HOUR
        )


def test_roles_that_nobody_has_are_known_as_such(accounts: Store) -> None:
    with accounts.read() as reader:
        assert has_account(reader, "manager")
        assert not has_account(reader, "staff")
        assert find_account(reader, "nobody") is None


def test_a_session_ends_at_its_hour(accounts: Store) -> None:
    _sign_in(accounts, b"token")
    with accounts.read() as reader:
        found = find_session(reader, b"token", START)
        assert found is not None
        assert (found.account, found.role) == ("manager", "manager")
        assert find_session(reader, b"token", START + _HOUR) is None
        assert find_session(reader, b"other", START) is None


def test_signing_out_ends_one_session_alone(accounts: Store) -> None:
    _sign_in(accounts, b"one")
    _sign_in(accounts, b"two")
    with accounts.write() as writer:
        close_session(writer, b"one")
    with accounts.read() as reader:
        assert find_session(reader, b"one", START) is None
        assert find_session(reader, b"two", START) is not None


def test_a_new_secret_ends_all_sessions_and_unlocks(accounts: Store) -> None:
    _sign_in(accounts, b"token")
    with accounts.write() as writer:
        note_failures(writer, "manager", Failures(failed=5, locked_until=START + _HOUR))
    with accounts.write() as writer:
        save_account(writer, name="manager", role="manager", secret_hash="argon2 two")
    with accounts.read() as reader:
        account = find_account(reader, "manager")
        assert account is not None
        assert (account.secret_hash, account.failed) == ("argon2 two", 0)
        assert not account.locked_until
        assert find_session(reader, b"token", START) is None


def test_failures_are_kept_with_the_end_of_the_lock(accounts: Store) -> None:
    with accounts.write() as writer:
        note_failures(writer, "manager", Failures(failed=5, locked_until=START + _HOUR))
    with accounts.read() as reader:
        account = find_account(reader, "manager")
    assert account is not None
    assert (account.failed, account.locked_until) == (5, START + _HOUR)


def test_what_somebody_did_is_written_in_the_order_of_doing(accounts: Store) -> None:
    with accounts.write() as writer:
        audit(writer, at=START, who="manager", what="pair", detail="till-1")
        audit(writer, at=START, who="manager", what="unpair")
    with accounts.read() as reader:
        rows = reader.all(AuditEntry.select().order_by(AuditEntry.number))
    assert [(row.who, row.what, row.detail) for row in rows] == [
        ("manager", "pair", "till-1"),
        ("manager", "unpair", ""),
    ]
