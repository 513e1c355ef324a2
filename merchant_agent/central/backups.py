"""Nightly copies of a SQLite database of central's. PostgreSQL has its own tools.

They hold the database alone: neither the keys nor the file that remembers the log's newest checkpoint,
which must never be restored together with it.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from merchant_agent.central.services import Central
from merchant_agent.central.store.opening import DATABASE_NAME
from merchant_agent.domain.slots import latest_slot
from merchant_agent.store.backup import backup_into, newest_backup

_STEM = Path(DATABASE_NAME).stem


def back_up_where_due(central: Central) -> Path | None:
    """The copy that was made now; None on PostgreSQL, and where the last night's is there.

    Raises:
        StoreError: no copy was made; the older ones all stay.
        OSError: the folder of backups cannot be used.
    """
    if not central.store.is_file or not _is_due(central):
        return None
    return backup_into(central.store, central.folder.backups, stem=_STEM, keep=central.settings.backup_keep)


def _is_due(central: Central) -> bool:
    newest, now = newest_backup(central.folder.backups, stem=_STEM), central.clock.now()
    if newest is None:
        return True
    made_at = datetime.fromtimestamp(newest.stat().st_mtime, UTC)
    slot = latest_slot(now, time.fromisoformat(central.settings.backup_at), ZoneInfo(central.settings.zone))
    # One that was made while the clock was ahead says nothing.
    return made_at < slot or made_at > now
