"""Who may sign in, who is signed in, and what they did; both programs have these tables.

Secrets are kept as hashes only: argon2 for what people type, SHA-256 for random tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import peewee

from merchant_agent.store.fields import InstantField
from merchant_agent.store.store import Reader, Writer
from merchant_agent.store.table import Table


class Account(Table):
    """Somebody who signs in: `role` is `staff`, `manager` or `officer`."""

    name = peewee.TextField(primary_key=True)
    role = peewee.TextField()
    secret_hash = peewee.TextField()
    failed = peewee.IntegerField(default=0)
    locked_until = InstantField(null=True)

    class Meta:
        table_name = "account"


class Session(Table):
    """A signed-in browser; `token_hash` is SHA-256 of its cookie."""

    token_hash = peewee.BlobField(primary_key=True)
    account = peewee.TextField()
    role = peewee.TextField()
    created_at = InstantField()
    expires_at = InstantField()

    class Meta:
        table_name = "session"


class AuditEntry(Table):
    """Something that somebody did, for those who ask later; never personal data."""

    number = peewee.AutoField()
    at = InstantField()
    who = peewee.TextField()
    what = peewee.TextField()
    detail = peewee.TextField(default="")

    class Meta:
        table_name = "audit_entry"


CREDENTIAL_MODELS: tuple[type[Table], ...] = (Account, Session, AuditEntry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Wrong attempts in a row, and until when the account is locked (None: it is not)."""

    failed: int
    locked_until: datetime | None


def find_account(reader: Reader, name: str) -> Account | None:
    """The account of that name."""
    return reader.first(Account.select().where(Account.name == name))


def has_account(reader: Reader, role: str) -> bool:
    """Whether anybody has that role."""
    return reader.first(Account.select().where(Account.role == role)) is not None


def save_account(writer: Writer, *, name: str, role: str, secret_hash: str) -> None:
    """Makes the account or gives it a new secret; unlocks it and ends its sessions."""
    changed = {
        Account.role: role,
        Account.secret_hash: secret_hash,
        Account.failed: 0,
        Account.locked_until: None,
    }
    writer.execute(
        Account.insert(name=name, role=role, secret_hash=secret_hash).on_conflict(
            conflict_target=[Account.name], update=changed
        )
    )
    writer.execute(Session.delete().where(Session.account == name))


def note_failures(writer: Writer, name: str, failures: Failures) -> None:
    """Keeps the count of wrong attempts; a right one sets it to zero."""
    changed = {Account.failed: failures.failed, Account.locked_until: failures.locked_until}
    writer.execute(Account.update(changed).where(Account.name == name))


def open_session(
    writer: Writer, *, token_hash: bytes, account: Account, created_at: datetime, expires_at: datetime
) -> None:
    """Signs a browser in and forgets sessions that are over."""
    writer.execute(Session.delete().where(Session.expires_at <= created_at))
    writer.execute(
        Session.insert(
            token_hash=token_hash,
            account=account.name,
            role=account.role,
            created_at=created_at,
            expires_at=expires_at,
        )
    )


def find_session(reader: Reader, token_hash: bytes, now: datetime) -> Session | None:
    """The session of that cookie, unless it is over."""
    query = Session.select().where((Session.token_hash == token_hash) & (Session.expires_at > now))
    return reader.first(query)


def close_session(writer: Writer, token_hash: bytes) -> None:
    """Signs a browser out."""
    writer.execute(Session.delete().where(Session.token_hash == token_hash))


def audit(writer: Writer, *, at: datetime, who: str, what: str, detail: str = "") -> None:
    """Writes down what somebody did, in the transaction in which it is done."""
    writer.execute(AuditEntry.insert(at=at, who=who, what=what, detail=detail))
