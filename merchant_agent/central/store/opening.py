"""Opening central's database: a SQLite file in the data folder, or a PostgreSQL server by its address."""

from __future__ import annotations

from pathlib import Path

from merchant_agent.store.database import Database, open_postgres, open_sqlite, open_sqlite_read_only
from merchant_agent.store.folder import DataFolder
from merchant_agent.store.migrations import migrate, require_migrated
from merchant_agent.store.store import Store

APPLICATION_ID = int.from_bytes(b"MAce")
DATABASE_NAME = "central.db"
MIGRATIONS = Path(__file__).with_name("migrations")


def open_store(folder: DataFolder, *, url: str) -> Store:
    """Central's database, made or brought to its present shape; `url` is empty for SQLite.

    Raises:
        StartError: it is not central's, a newer version wrote it, or the server does not let us in.
        StoreError: it is damaged, or the disk is full.
    """
    store = Store(_open_database(folder, url))
    try:
        migrate(store, MIGRATIONS)
    except BaseException:
        store.close()
        raise
    return store


def _open_database(folder: DataFolder, url: str) -> Database:
    if url:
        return open_postgres(url)
    return open_sqlite(folder.path / DATABASE_NAME, application_id=APPLICATION_ID)


def open_existing(data: Path, *, url: str) -> Store:
    """Central's database as it is, for reading alone; `url` is empty for SQLite.

    Raises:
        StartError: there is none, it is not central's, or another version wrote it last.
        StoreError: it is damaged, or does not answer.
    """
    path = data / DATABASE_NAME
    store = Store(open_postgres(url) if url else open_sqlite_read_only(path, application_id=APPLICATION_ID))
    try:
        require_migrated(store, MIGRATIONS)
    except BaseException:
        store.close()
        raise
    return store
