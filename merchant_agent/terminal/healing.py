"""A damaged database never stops the till: it is set aside, and a new one goes on with all that verifies.

The new one ends on hold "damage": what customers say is kept, and another epoch is asked for.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path

from merchant_agent.clock import Clock
from merchant_agent.errors import ForeignFileError, StartError, StoreCorruptError, StoreError
from merchant_agent.settings import TerminalSettings
from merchant_agent.store.backup import newest_backup
from merchant_agent.store.database import open_sqlite
from merchant_agent.store.folder import DataFolder
from merchant_agent.store.migrations import migrate
from merchant_agent.store.remains import Remains, mend_header
from merchant_agent.store.store import Store
from merchant_agent.terminal.quarantine import is_replacing, put_in_place, set_aside
from merchant_agent.terminal.salvage import salvage
from merchant_agent.terminal.store.identity import load_kept_grants
from merchant_agent.terminal.store.journal import Journal
from merchant_agent.terminal.store.mark import Mark
from merchant_agent.terminal.store.opening import APPLICATION_ID, DATABASE_NAME, MIGRATIONS, open_store

_log = logging.getLogger(__name__)

_DRAFT_NAME = "salvaged.db"


def open_sound(
    settings: TerminalSettings, folder: DataFolder, clock: Clock, mark: Mark
) -> tuple[Store, Journal]:
    """The store and the journal of a locked folder; where the database is damaged, of one that took its place.

    Raises:
        StartError: the file is another program's in a folder that never was a terminal's; a newer
            version wrote it; or what was salvaged cannot be used.
        StoreError: the disk is full, or the database cannot be used for another reason than damage.
    """
    if not is_replacing(folder) and not _is_lost(folder):
        try:
            return _open(settings, folder, clock, mark)
        except (StoreCorruptError, ForeignFileError) as error:
            if isinstance(error, ForeignFileError) and not _was_ours(folder):
                raise
            _log.error("the database cannot be used: %s", error)
    replace_damaged(folder, clock)
    return _open(settings, folder, clock, mark)


def replace_damaged(folder: DataFolder, clock: Clock) -> None:
    """Sets the closed database of the folder aside and puts one in its place with all that verifies.

    Raises:
        StartError: what was salvaged cannot be used.
        StoreError: it could not be done, the same again goes on; `StoreFullError` where the disk is full.
    """
    try:
        moved = set_aside(folder, clock.now())
        backup = newest_backup(folder.backups, stem=Path(DATABASE_NAME).stem)
        draft = folder.path / _DRAFT_NAME
        _delete(folder.path, f"{_DRAFT_NAME}*")
        with ExitStack() as ends:
            store = Store(open_sqlite(draft, application_id=APPLICATION_ID))
            ends.callback(store.close)
            migrate(store, MIGRATIONS)
            store.checkpoint(truncate=True)
            mended = mend_header(moved, backup or draft)
            ends.callback(_delete, moved.parent, f"{moved.name}.mended*")
            paths = [path for path in (mended, moved, backup) if path is not None]
            sources = [ends.enter_context(Remains(path)) for path in paths]
            salvage(store, sources, folder.keys, clock)
        put_in_place(folder, draft)
    except OSError as error:
        raise StoreError(f"the damaged database cannot be replaced: {error.strerror}") from error


def _open(settings: TerminalSettings, folder: DataFolder, clock: Clock, mark: Mark) -> tuple[Store, Journal]:
    """Raises `StoreCorruptError` too where the grant in the database is none any more."""
    store = open_store(folder, ballast_bytes=settings.ballast_bytes, keep_backups=settings.backup_keep)
    try:
        try:
            return store, Journal(store, clock, folder.keys, mark)
        except (StartError, ValueError) as error:
            raise StoreCorruptError(f"the grant cannot be read: {type(error).__name__}") from error
    except BaseException:
        store.close()
        raise


def _delete(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        path.unlink()


def _is_lost(folder: DataFolder) -> bool:
    """Whether there is no database, or an empty file, where keys say that there was one."""
    database = folder.path / DATABASE_NAME
    is_there = database.exists() and database.stat().st_size > 0
    return not is_there and bool(load_kept_grants(folder.keys))


def _was_ours(folder: DataFolder) -> bool:
    return any(folder.keys.glob("*.pem"))
