"""Replacing a database that was found damaged while the terminal runs: by a read, a write or SQLite's check."""

from __future__ import annotations

import logging

from merchant_agent.errors import StoreError
from merchant_agent.store.database import open_sqlite
from merchant_agent.terminal.healing import replace_damaged
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
