"""Telling the shop that the mark outside of its data cannot be written: data that were set back would not be found out."""

from __future__ import annotations

from merchant_agent.terminal.alarms import clear_alarms, raise_alarm
from merchant_agent.terminal.services import Terminal

MARK_ALARM = "mark-unwritable"


class MarkWatch:
    """Raises the alarm once when writing begins to fail, and takes it away once it works again."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._was_failing: bool | None = None

    def look(self) -> None:
        """Cheap where nothing changed.

        Raises:
            StoreError: the alarm could not be stored; the next look tries again.
        """
        terminal = self._terminal
        is_failing = terminal.journal.is_mark_failing
        if is_failing == self._was_failing:
            return
        with terminal.store.write() as writer:
            if is_failing:
                raise_alarm(writer, at=terminal.clock.now(), code=MARK_ALARM)
            else:
                clear_alarms(writer, at=terminal.clock.now(), code=MARK_ALARM)
        self._was_failing = is_failing
