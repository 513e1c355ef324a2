"""The quarantine: where a damaged database is set aside, and how long it stays there.

A marker beside the database says that it is being replaced, so that a crash at any step is gone on
from: first the damaged files are moved, the database itself last; then a whole new one
takes its name; then the marker goes. What is set aside holds what customers wrote, so it has a
stated age, the setting `quarantine_days`; nothing else ever deletes it.
"""

from __future__ import annotations

import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path

from merchant_agent.store.folder import DataFolder, sync_folder, write_file_atomic
from merchant_agent.terminal.store.opening import DATABASE_NAME

_log = logging.getLogger(__name__)

_MARKER = "replacing"
_NAME = "%Y%m%dT%H%M%SZ"
_SIDES = ("-wal", "-shm")


def folder_of(folder: DataFolder) -> Path:
    """Where damaged databases lie, each in a folder named after the time at which it was set aside."""
    return folder.path / "quarantine"


def is_replacing(folder: DataFolder) -> bool:
    """Whether a database was set aside and none has taken its place yet; what a crash left over is tidied."""
    marker, database = folder.path / _MARKER, folder.path / DATABASE_NAME
    if not marker.exists():
        return False
    if database.exists() and (_place(folder) / DATABASE_NAME).exists():
        marker.unlink()
        return False
    return True


def set_aside(folder: DataFolder, now: datetime) -> Path:
    """Moves the database with its WAL into the quarantine, durable on return; its new path.

    Called again after a crash, it goes on where that was.

    Raises:
        OSError: not all of it could be moved; the same again goes on.
    """
    marker = folder.path / _MARKER
    if not marker.exists():
        name = _free_name(folder_of(folder), now)
        write_file_atomic(marker, name.encode())
    place = _place(folder)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    database, moved = folder.path / DATABASE_NAME, place / DATABASE_NAME
    if not moved.exists():
        for side in _SIDES:
            beside = database.with_name(database.name + side)
            if beside.exists():
                beside.replace(moved.with_name(moved.name + side))
        if database.exists():
            database.replace(moved)
        else:
            moved.touch(mode=0o600)
    for changed in (place, place.parent, folder.path):
        sync_folder(changed)
    _log.warning("the database before is set aside in %s", place)
    return moved


def put_in_place(folder: DataFolder, whole: Path) -> None:
    """Gives the new, closed database the place of the one that was set aside.

    Raises:
        OSError: it could not be moved.
    """
    whole.replace(folder.path / DATABASE_NAME)
    sync_folder(folder.path)
    (folder.path / _MARKER).unlink(missing_ok=True)


def delete_old(folder: DataFolder, before: datetime) -> int:
    """Deletes what was set aside before that; how many databases.

    Raises:
        OSError: one could not be deleted.
    """
    deleted = 0
    for place in sorted(folder_of(folder).glob("*Z*")):
        if _set_aside_at(place) < before:
            shutil.rmtree(place)
            deleted += 1
    return deleted


def _place(folder: DataFolder) -> Path:
    return folder_of(folder) / (folder.path / _MARKER).read_text(encoding="ascii").strip()


def _free_name(quarantine: Path, now: datetime) -> str:
    name = now.astimezone(UTC).strftime(_NAME)
    taken = {path.name for path in quarantine.glob("*")}
    return next(each for each in (name, *(f"{name}-{n}" for n in range(2, 1000))) if each not in taken)


def _set_aside_at(place: Path) -> datetime:
    """By its name; by the file's own time where somebody renamed it."""
    try:
        return datetime.strptime(place.name.partition("Z")[0] + "Z", _NAME).replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(place.stat().st_mtime, UTC)
