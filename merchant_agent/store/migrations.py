"""Bringing a database to the shape that this version's models have.

Each migration is a numbered script with `up(migrator, db)` and `down(migrator, db)`, and
declares its tables itself, so that it stays what it was when models move on. Its tables
are made with `create_tables`, which makes them STRICT on SQLite.

`alter_column_type` of peewee 4.5 drops STRICT silently: make a new table and copy instead.
"""

from __future__ import annotations

from pathlib import Path

import peewee
from playhouse.migrations import Runner

from merchant_agent import __version__
from merchant_agent.errors import StartError
from merchant_agent.store.backup import backup_into
from merchant_agent.store.database import SqliteFile
from merchant_agent.store.schema import create_tables, drop_tables, is_sqlite
from merchant_agent.store.store import Store
from merchant_agent.store.table import Table

__all__ = ["History", "create_tables", "drop_tables", "migrate", "require_migrated"]


class History(Table):
    """Which migrations were applied, and by which version of this program."""

    name = peewee.TextField(primary_key=True)
    applied = peewee.TextField(default=__version__)

    class Meta:
        table_name = "schema_migration"


class _Runner(Runner):  # type: ignore[misc]  # peewee's extensions have no types
    """peewee's runner with a history table that STRICT allows."""

    def __init__(self, database: peewee.Database, directory: Path) -> None:
        super().__init__(database, str(directory))
        self.History = bound_history(database)


def bound_history(database: peewee.Database) -> type[History]:
    """A copy of `History` for one database: other stores of this process keep theirs."""
    options = {
        "database": database,
        "strict_tables": is_sqlite(database),
        "table_name": History._meta.table_name,  # noqa: SLF001  # peewee's name for it
    }
    meta = type("Meta", (), options)
    return type("History", (History,), {"__module__": __name__, "Meta": meta})


def migrate(store: Store, directory: Path, *, keep_backups: int = 7) -> list[str]:
    """Applies what is missing of the scripts in `directory`; their names, oldest first.

    Each script is one transaction with its line in the history. A SQLite file that has
    content is backed up first, into `backups` beside it. With several processes on one
    PostgreSQL database one migrates and the others wait.

    Raises:
        StartError: the database was written by a newer version of this program.
        StoreError: a script failed; what stood before it stands, and the backup too.
    """
    with store.database.alone() as handle:
        runner = _Runner(handle, directory)
        pending = _pending(runner)
        fresh = not runner.applied()
        if not pending:
            _number(handle, runner)
            return []
    if isinstance(store.database, SqliteFile) and not fresh:
        path = store.database.path
        backup_into(store, path.parent / "backups", stem=path.stem, keep=keep_backups)
    with store.database.alone() as handle:
        return _apply(handle, directory)


def require_migrated(store: Store, directory: Path) -> None:
    """Returns when the database has exactly the shape of this version; changes nothing.

    Raises:
        StartError: another version of this program wrote it last.
    """
    with store.database.reading() as handle:
        pending = _pending(_Runner(handle, directory))
    if pending:
        raise StartError(
            "The data were written by an older version of merchant-agent: start it once with this version."
        )


def _pending(runner: _Runner) -> list[str]:
    """Names of scripts that were not applied.

    Raises:
        StartError: something was applied that has no script here.
    """
    status = runner.status()
    unknown = [migration.name for migration in status if migration.path is None]
    if unknown:
        raise StartError(
            f"The data were written by a newer version of merchant-agent ({unknown[-1]}): "
            "install that version again, or restore a backup that is older."
        )
    return [migration.name for migration in status if not migration.applied]


def _apply(handle: peewee.Database, directory: Path) -> list[str]:
    runner = _Runner(handle, directory)
    applied: list[str] = runner.up()
    _number(handle, runner)
    return applied


def _number(handle: peewee.Database, runner: _Runner) -> None:
    """Writes the newest script's number into a SQLite file's header, for those who look from outside."""
    newest = max(migration.idx for migration in runner.migrations())
    if isinstance(handle, peewee.SqliteDatabase) and handle.pragma("user_version") != newest:
        handle.pragma("user_version", newest)
