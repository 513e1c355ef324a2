"""Opening the terminal's database in its data folder."""

from __future__ import annotations

from pathlib import Path

from merchant_agent.errors import StartError
from merchant_agent.store.ballast import Ballast
from merchant_agent.store.database import open_sqlite, open_sqlite_read_only
from merchant_agent.store.folder import DataFolder
from merchant_agent.store.migrations import migrate, require_migrated
from merchant_agent.store.store import Store

APPLICATION_ID = int.from_bytes(b"MAtm")
DATABASE_NAME = "terminal.db"
BALLAST_NAME = "ballast"
MIGRATIONS = Path(__file__).with_name("migrations")


def open_store(folder: DataFolder, *, ballast_bytes: int, keep_backups: int) -> Store:
    """The terminal's database, made or brought to its present shape, with its ballast laid.

    Raises:
        StartError: the file is not a terminal's, or a newer version wrote it.
        StoreError: it is damaged, or the disk is full.
    """
    ballast = Ballast(folder.path / BALLAST_NAME, ballast_bytes)
    store = Store(open_sqlite(folder.path / DATABASE_NAME, application_id=APPLICATION_ID), ballast=ballast)
    try:
        migrate(store, MIGRATIONS, keep_backups=keep_backups)
        ballast.ensure()
    except BaseException:
        store.close()
        raise
    return store


def find_database(data: Path) -> Path:
    """The database in the data folder of a terminal that ran before.

    Raises:
        StartError: there is none.
    """
    path = data / DATABASE_NAME
    if not path.is_file():
        raise StartError(f"There is no terminal's database in {data}.")
    return path


def open_existing(data: Path, *, read_only: bool) -> Store:
    """The database of a terminal that ran before, in its data folder, as it is.

    `read_only` works beside the running terminal; else the caller has locked the folder.

    Raises:
        StartError: there is none, it is not a terminal's, or another version wrote it last.
        StoreError: it is damaged or cannot be read.
    """
    open_file = open_sqlite_read_only if read_only else open_sqlite
    store = Store(open_file(find_database(data), application_id=APPLICATION_ID))
    try:
        require_migrated(store, MIGRATIONS)
    except BaseException:
        store.close()
        raise
    return store
