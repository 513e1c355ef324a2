"""Who may sign in, who is signed in, and what they did; both programs have these tables.

Secrets are kept as hashes only: argon2 for what people type, SHA-256 for random tokens.
"""

from __future__ import annotations

from collections.abc import Collection
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

    class Meta:
        table_name = "account"


class SignInOrigin(Table):
    """Wrong attempts at an account from one network address; `EVERYWHERE` counts those of all.

    `known` is 1 where somebody signed in from there, else 0.
    """

    account = peewee.TextField()
    origin = peewee.TextField()
    failed = peewee.IntegerField()
    since = InstantField()
    locked_until = InstantField(null=True)
    known = peewee.IntegerField()

    class Meta:
        table_name = "sign_in_origin"
        primary_key = peewee.CompositeKey("account", "origin")


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
        # A customer's page asks who looked at their complaint, and the table only grows.
        indexes = ((("detail",), False),)


CREDENTIAL_MODELS: tuple[type[Table], ...] = (Account, SignInOrigin, Session, AuditEntry)

EVERYWHERE = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Wrong attempts since a moment, and until when no other may be made (None: one may at once).

    `known` tells that somebody signed in from there.
    """

    failed: int
    since: datetime
    locked_until: datetime | None
    known: bool


def find_account(reader: Reader, name: str) -> Account | None:
    """The account of that name."""
    return reader.first(Account.select().where(Account.name == name))


def has_account(reader: Reader, role: str) -> bool:
    """Whether anybody has that role."""
    return reader.first(Account.select().where(Account.role == role)) is not None


def save_account(writer: Writer, *, name: str, role: str, secret_hash: str) -> None:
    """Makes the account or gives it a new secret; unlocks it and ends its sessions."""
    changed = {Account.role: role, Account.secret_hash: secret_hash}
    writer.execute(
        Account.insert(name=name, role=role, secret_hash=secret_hash).on_conflict(
            conflict_target=[Account.name], update=changed
        )
    )
    writer.execute(SignInOrigin.delete().where(SignInOrigin.account == name))
    writer.execute(Session.delete().where(Session.account == name))


def find_attempts(reader: Reader, name: str, origin: str) -> Attempts | None:
    """What is remembered of attempts at the account from there; None where nothing is."""
    row = SignInOrigin
    found: SignInOrigin | None = reader.first(
        row.select().where((row.account == name) & (row.origin == origin))
    )
    if found is None:
        return None
    return Attempts(
        failed=found.failed, since=found.since, locked_until=found.locked_until, known=bool(found.known)
    )


def save_attempts(writer: Writer, name: str, origin: str, attempts: Attempts) -> None:
    """Remembers that of attempts at the account from there."""
    row = SignInOrigin
    counted = {
        row.failed: attempts.failed,
        row.since: attempts.since,
        row.locked_until: attempts.locked_until,
        row.known: int(attempts.known),
    }
    place = {row.account: name, row.origin: origin}
    writer.execute(
        row.insert({**place, **counted}).on_conflict(
            conflict_target=[row.account, row.origin], update=counted
        )
    )


def forget_attempts(writer: Writer, before: datetime) -> None:
    """Forgets wrong attempts that began before that, where nobody ever signed in."""
    row = SignInOrigin
    writer.execute(row.delete().where((row.known == 0) & (row.since <= before)))


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


def find_audited(reader: Reader, what: Collection[str], details: Collection[str]) -> list[AuditEntry]:
    """What was done of these kinds with one of these details, oldest first."""
    found = AuditEntry.what.in_(list(what)) & AuditEntry.detail.in_(list(details))
    rows: list[AuditEntry] = reader.all(AuditEntry.select().where(found).order_by(AuditEntry.number))
    return rows
