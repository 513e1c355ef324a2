"""Opening the terminal's database in its data folder."""

from __future__ import annotations

from pathlib import Path

from merchant_agent.store.ballast import Ballast
from merchant_agent.store.database import open_sqlite
from merchant_agent.store.folder import DataFolder
from merchant_agent.store.migrations import migrate
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
