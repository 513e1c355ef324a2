"""Replacing a database that was found damaged while the terminal runs: by a read, a write or SQLite's check."""

from __future__ import annotations

import logging
from datetime import timedelta

from merchant_agent.errors import StoreError
from merchant_agent.evidence.fields import parse_at
from merchant_agent.store.database import open_sqlite
from merchant_agent.terminal.erasure import heard_at
from merchant_agent.terminal.healing import replace_damaged
from merchant_agent.terminal.quarantine import delete_old
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.opening import APPLICATION_ID, DATABASE_NAME

_log = logging.getLogger(__name__)


def heal(terminal: Terminal) -> bool:
    """Puts a salvaged database in the place of a damaged one; whether there was damage.

    Requests that are under way fail and are sent again; the terminal ends on hold "damage".

    Raises:
        StartError: what was salvaged cannot be used.
        StoreError: it could not be done; the same again goes on.
    """
    store = terminal.store
    if not store.is_damaged:
        return False
    with terminal.journal.replaced():
        try:
            store.close()
        except StoreError as error:
            _log.warning("the damaged database was not closed in order: %s", error)
        replace_damaged(terminal.folder, terminal.clock)
        path = terminal.folder.path / DATABASE_NAME
        store.replace(open_sqlite(path, application_id=APPLICATION_ID))
    terminal.bell.ring()
    return True


def delete_quarantined(terminal: Terminal) -> int:
    """Deletes damaged databases that were set aside longer ago than the setting says; how many.

    A till's clock may stand anywhere: it is now what central last said, if that is earlier, and nothing
    was set aside before the epoch in force was granted, which followed the damage.

    Raises:
        OSError: one could not be deleted.
        StoreError: the database could not be read.
    """
    if not terminal.journal.enrolled or terminal.journal.hold is not None:
        return 0
    with terminal.store.read() as reader:
        heard = heard_at(reader)
    if heard is None:
        return 0
    before = min(heard, terminal.clock.now()) - timedelta(days=terminal.settings.quarantine_days)
    if parse_at(terminal.journal.identity.grant.at) > before:
        return 0
    return delete_old(terminal.folder, before)
