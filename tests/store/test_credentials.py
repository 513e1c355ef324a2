from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from merchant_agent.store.credentials import (
    CREDENTIAL_MODELS,
    EVERYWHERE,
    Attempts,
    AuditEntry,
    audit,
    close_session,
    find_account,
    find_attempts,
    find_audited,
    find_session,
    forget_attempts,
    has_account,
    open_session,
    save_account,
    save_attempts,
)
from merchant_agent.store.store import Store
from tests.clocks import START

_HOUR = timedelta(hours=1)
LOCKED = Attempts(failed=5, since=START, locked_until=START + _HOUR, known=False)


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
        save_attempts(writer, "manager", "192.0.2.1", LOCKED)
    with accounts.write() as writer:
        save_account(writer, name="manager", role="manager", secret_hash="argon2 two")
    with accounts.read() as reader:
        account = find_account(reader, "manager")
        assert account is not None
        assert account.secret_hash == "argon2 two"
        assert find_attempts(reader, "manager", "192.0.2.1") is None
        assert find_session(reader, b"token", START) is None


def test_attempts_are_kept_by_account_and_origin(accounts: Store) -> None:
    with accounts.write() as writer:
        save_attempts(writer, "manager", "192.0.2.1", LOCKED)
        save_attempts(writer, "manager", EVERYWHERE, replace(LOCKED, failed=1))
        save_attempts(writer, "manager", EVERYWHERE, replace(LOCKED, failed=6, locked_until=None))
    with accounts.read() as reader:
        assert find_attempts(reader, "manager", "192.0.2.1") == LOCKED
        assert find_attempts(reader, "manager", EVERYWHERE) == replace(LOCKED, failed=6, locked_until=None)
        assert find_attempts(reader, "manager", "192.0.2.2") is None
        assert find_attempts(reader, "staff", "192.0.2.1") is None


def test_old_attempts_are_forgotten_where_nobody_signed_in(accounts: Store) -> None:
    with accounts.write() as writer:
        save_attempts(writer, "manager", "192.0.2.1", LOCKED)
        save_attempts(writer, "manager", "192.0.2.2", replace(LOCKED, known=True))
        save_attempts(writer, "manager", "192.0.2.3", replace(LOCKED, since=START + _HOUR))
        forget_attempts(writer, START)
    with accounts.read() as reader:
        left = [find_attempts(reader, "manager", f"192.0.2.{number}") is not None for number in (1, 2, 3)]
    assert left == [False, True, True]


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


def test_what_was_done_is_found_without_a_look_at_everything_else(accounts: Store) -> None:
    with accounts.write() as writer:
        for what, detail in (("looked", "a 1"), ("called", "a 1"), ("looked", "a 2"), ("looked", "a 1")):
            audit(writer, at=START, who="wang.fang", what=what, detail=detail)
    with accounts.read() as reader:
        found = find_audited(reader, ["looked"], ["a 1", "a 3"])
        if accounts.is_file:
            query = "EXPLAIN QUERY PLAN SELECT what FROM audit_entry WHERE detail IN (?, ?)"
            assert all("USING INDEX" in row[3] for row in reader.rows(query, "a 1", "a 3"))
    assert [(entry.number, entry.what) for entry in found] == [(1, "looked"), (4, "looked")]
