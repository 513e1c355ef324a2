"""Copies of a SQLite database while it is in use, by SQLite's own backup interface.

Copies are numbered, not dated: a clock that jumps cannot make the newest look oldest.
"""

from __future__ import annotations

import re
import shutil
from contextlib import closing
from pathlib import Path

import apsw

from merchant_agent.errors import StoreError, StoreFullError
from merchant_agent.store.database import SqliteFile
from merchant_agent.store.folder import sync_file, sync_folder
from merchant_agent.store.store import Store
from merchant_agent.store.translate import translated


def backup(store: Store, target: Path) -> None:
    """Writes the database as of now to `target`, durable on return; writers go on meanwhile.

    Pages are copied as they are, so that a damaged database can still be saved. `target`
    is the old file or the whole new one, never a part.

    Raises:
        StoreFullError: the target's disk has too little room; nothing was written.
        StoreError: the database is not a SQLite file, or could not be copied.
    """
    source = store.database
    if not isinstance(source, SqliteFile):
        raise StoreError("only SQLite files are backed up here; PostgreSQL has its own tools")
    draft = target.with_name(target.name + ".new")
    draft.unlink(missing_ok=True)
    try:
        _refuse_full_disk(source, target.parent)
        with source.reading() as handle, translated():
            _copy_pages(handle.connection(), draft)
        sync_file(draft)
        draft.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise StoreError(f"the backup {target} was not written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def backup_into(store: Store, folder: Path, *, stem: str, keep: int) -> Path:
    """Writes `<stem>-<number>.db` into `folder` with the next number; keeps the newest `keep`.

    Raises:
        StoreError: as `backup`; the older copies all stay.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    older = _numbered(folder, stem)
    number = older[-1][0] + 1 if older else 1
    target = folder / f"{stem}-{number:06d}.db"
    backup(store, target)
    for _, path in older[: max(0, len(older) + 1 - keep)]:
        path.unlink()
    return target


def newest_backup(folder: Path, *, stem: str) -> Path | None:
    """The copy with the highest number, or None."""
    copies = _numbered(folder, stem)
    return copies[-1][1] if copies else None


def numbered_backups(folder: Path, *, stem: str) -> tuple[Path, ...]:
    """All copies, oldest first."""
    return tuple(path for _, path in _numbered(folder, stem))


def _copy_pages(source: apsw.Connection, target: Path) -> None:
    """All pages in one step: one snapshot, however many writes happen meanwhile."""
    with closing(apsw.Connection(str(target))) as copy:
        copy.execute("PRAGMA journal_mode=OFF")
        copy.execute("PRAGMA synchronous=OFF")  # the finished file is synced as a whole
        with copy.backup("main", source, "main") as pages:
            pages.step(-1)


def _refuse_full_disk(source: SqliteFile, folder: Path) -> None:
    """Nothing is started that would fill the disk under the ledger."""
    wal = source.path.with_name(source.path.name + "-wal")
    needed = sum(path.stat().st_size for path in (source.path, wal) if path.exists())
    if shutil.disk_usage(folder).free <= needed:
        raise StoreFullError(f"a backup needs {needed} bytes")


def _numbered(folder: Path, stem: str) -> list[tuple[int, Path]]:
    """Earlier copies with their numbers, oldest first."""
    pattern = re.compile(re.escape(stem) + r"-([0-9]{6,})\.db")
    matches = ((pattern.fullmatch(path.name), path) for path in folder.glob("*.db"))
    return sorted((int(match[1]), path) for match, path in matches if match)
