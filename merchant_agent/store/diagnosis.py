"""What a doctor sees of a disk, of SQLite and of backups; nothing is changed."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw

from merchant_agent.diagnosis import Check, attention, broken, healthy
from merchant_agent.store.backup import newest_backup

_MIB = 1 << 20
_LOW_BYTES = 256 * _MIB
# Source: https://www.sqlite.org/changes.html, 3.51.3: the WAL-reset bug
_SOUND_SQLITE = (3, 51, 3)
_BACKUP_AGE = timedelta(hours=50)


def check_disk(path: Path, ballast: Path | None = None, ballast_bytes: int = 0) -> Check:
    """Free space, and the reserve where there is to be one."""
    free = shutil.disk_usage(path).free
    told = f"{free // _MIB} MiB are free"
    if ballast is not None and ballast_bytes:
        whole = ballast.is_file() and ballast.stat().st_size == ballast_bytes
        if not whole and free < 2 * ballast_bytes:
            return broken("disk", f"The disk is full, {told}: the reserve was given up. Make room.")
        told += f", and the reserve of {ballast_bytes // _MIB} MiB {'stands' if whole else 'is missing'}"
    if free < _LOW_BYTES:
        return attention("disk", f"Little space: {told}.")
    return healthy("disk", f"{told[0].upper()}{told[1:]}.")


def check_sqlite() -> Check:
    """Whether SQLite is one without the bug that damages write-ahead logs."""
    version = apsw.sqlite_lib_version()
    if tuple(map(int, version.split("."))) < _SOUND_SQLITE:
        return broken("sqlite", f"SQLite {version} can damage the database; 3.51.3 or newer is needed.")
    return healthy("sqlite", f"SQLite {version}.")


def check_backup(folder: Path, stem: str, database: Path, now: datetime) -> Check:
    """How old the newest nightly copy is; a database of a day has none yet."""
    newest = newest_backup(folder, stem=stem)
    if newest is None:
        if now - _changed_at(database.parent / "keys") < _BACKUP_AGE:
            return healthy("backup", "There is no backup yet; the first is made in the night.")
        return attention("backup", f"There is no backup in {folder}.")
    age = now - _changed_at(newest)
    told = f"The newest backup is {newest.name}, {age / timedelta(hours=1):.0f} hours old"
    return attention("backup", f"{told}.") if age > _BACKUP_AGE else healthy("backup", f"{told}.")


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
