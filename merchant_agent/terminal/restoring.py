"""Putting a backup in the place of the present database; it never goes on as if nothing had happened.

The backup is put on hold before it takes its place. What the present database signed or kept since, as
far as it can be read and verifies, is brought over first; what central has beyond that is taken back
at the next start.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from merchant_agent.clock import Clock
from merchant_agent.errors import StartError, StoreCorruptError, StoreError
from merchant_agent.store.backup import numbered_backups
from merchant_agent.store.database import open_sqlite
from merchant_agent.store.folder import DataFolder, sync_file
from merchant_agent.store.integrity import integrity_problems
from merchant_agent.store.migrations import migrate
from merchant_agent.store.remains import Remains
from merchant_agent.store.store import Store
from merchant_agent.terminal.quarantine import put_in_place, set_aside
from merchant_agent.terminal.salvage import bring_over
from merchant_agent.terminal.store.holds import Hold, save_hold
from merchant_agent.terminal.store.identity import Identity, load_identities, load_identity
from merchant_agent.terminal.store.ledger import newest_record
from merchant_agent.terminal.store.opening import APPLICATION_ID, DATABASE_NAME, MIGRATIONS

_DRAFT = "restoring.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A copy of the database: when it was made by its file's time, and its size in bytes."""

    path: Path
    at: datetime
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What stands in place now, up to its newest `seq`, and where the database before it lies.

    `brought` counts the records that only that one had.
    """

    identity: Identity
    seq: int
    brought: int
    aside: Path


def list_backups(folder: DataFolder) -> tuple[Backup, ...]:
    """The nightly copies, oldest first."""
    copies = numbered_backups(folder.backups, stem=Path(DATABASE_NAME).stem)
    return tuple(
        Backup(
            path=path,
            at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
            size=path.stat().st_size,
        )
        for path in copies
    )


def restore(folder: DataFolder, backup: Path, clock: Clock) -> Restored:
    """Gives a copy of the backup the database's place, on hold; the caller has locked the folder.

    Raises:
        StartError: one sentence: the file is damaged, no terminal's database, of a later version, of no
            enrolled terminal, or the disk did not do it. The present database is where it was.
    """
    draft = folder.path / _DRAFT
    try:
        _copy(backup, draft)
        with _opened(draft) as store:
            _prepare(store, backup, clock)
            with Remains(folder.path / DATABASE_NAME) as present:
                brought = bring_over(store, present, folder.keys, clock)
            identity, seq = _newest(store)
        sync_file(draft)
        aside = set_aside(folder, clock.now())
        put_in_place(folder, draft)
    except StoreCorruptError as error:
        raise StartError(f"The backup {backup} is damaged, or no database.") from error
    except StoreError as error:
        raise StartError(f"The backup {backup} could not be put in place: {error}.") from error
    except OSError as error:
        raise StartError(f"The backup {backup} could not be put in place: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return Restored(identity=identity, seq=seq, brought=brought, aside=aside)


def _copy(backup: Path, draft: Path) -> None:
    if not backup.is_file():
        raise StartError(f"There is no backup {backup}.")
    for side in ("-wal", "-shm"):
        draft.with_name(draft.name + side).unlink(missing_ok=True)
    draft.unlink(missing_ok=True)
    shutil.copyfile(backup, draft)
    draft.chmod(0o600)


@contextmanager
def _opened(draft: Path) -> Iterator[Store]:
    store = Store(open_sqlite(draft, application_id=APPLICATION_ID))
    try:
        yield store
    finally:
        store.close()


def _prepare(store: Store, backup: Path, clock: Clock) -> None:
    """Brings it to its present shape and puts it on hold."""
    problems = integrity_problems(store, quick=False)
    if problems:
        raise StoreCorruptError(f"{backup.name}: {problems[0]}")
    migrate(store, MIGRATIONS)
    with store.write() as writer:
        if load_identity(writer) is None:
            raise StartError(f"{backup} is of a terminal that was not enrolled.")
        save_hold(writer, Hold(reason="restored", detail=backup.name, at=clock.now()))


def _newest(store: Store) -> tuple[Identity, int]:
    """Whose it is, in the newest epoch that is known, and the newest seq there."""
    with store.read() as reader:
        identity = load_identities(reader)[-1]
        newest = newest_record(reader, identity.epoch)
    return identity, -1 if newest is None else newest.seq
