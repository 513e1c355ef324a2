"""What central does by itself, in every process: each duty may run in several at once.

Releases and silent terminals are looked after once a minute, backups every ten, promises to customers
every five seconds, the log each second, in a thread of its own.
"""

from __future__ import annotations

import logging
from datetime import UTC, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from merchant_agent.central.backups import back_up_where_due
from merchant_agent.central.erasure import erase_old
from merchant_agent.central.log.duty import LogDuty
from merchant_agent.central.promises import sweep_promises
from merchant_agent.central.releases import make_releases
from merchant_agent.central.services import Central
from merchant_agent.central.silences import sweep_silences
from merchant_agent.errors import StoreError

_log = logging.getLogger(__name__)

_TICK_S = 60
_PROMISES_S = 5
_RETENTION_S = 86_400
_FIRST_RETENTION_S = 900
_BACKUP_S = 600


class Schedule:
    """The schedule of one process, between `start` and `stop`; it first ticks at once."""

    def __init__(self, central: Central) -> None:
        self._central = central
        self._log = LogDuty(central)
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )

    def start(self) -> None:
        """Begins to tick."""
        tick = self._scheduler.add_job(self.tick, "interval", seconds=_TICK_S)
        self._scheduler.add_job(self.watch_promises, "interval", seconds=_PROMISES_S)
        self._scheduler.add_job(self.watch_terminals, "interval", seconds=_TICK_S)
        first = self._central.clock.now() + timedelta(seconds=_FIRST_RETENTION_S)
        self._scheduler.add_job(self.erase_old, "interval", seconds=_RETENTION_S, next_run_time=first)
        self._scheduler.add_job(self.back_up, "interval", seconds=_BACKUP_S)
        self._scheduler.start()
        self._log.start()
        tick.modify(next_run_time=self._central.clock.now())

    def stop(self) -> None:
        """Ends; returns when a tick that is under way has ended."""
        self._log.stop()
        self._scheduler.shutdown(wait=True)

    def tick(self) -> None:
        """Does what is due; what fails is tried again with the next tick."""
        try:
            made = make_releases(self._central)
        except StoreError as error:
            _log.warning("no releases were made: %s", error)
        else:
            if made:
                _log.info("made %d releases", made)

    def erase_old(self) -> None:
        """Erases the words whose time is over."""
        try:
            erased = erase_old(self._central)
        except StoreError as error:
            _log.warning("old words were not erased: %s", error)
        else:
            if erased:
                _log.info("erased the words of %d records that are older than retention_days", erased)

    def back_up(self) -> None:
        """Copies the database where that is due; what fails is tried again in ten minutes."""
        try:
            made = back_up_where_due(self._central)
        except (StoreError, OSError) as error:
            _log.error("no backup was made: %s", error)
        else:
            if made is not None:
                _log.info("backed up to %s", made.name)

    def watch_promises(self) -> None:
        """Finds the promises that were not kept in time, and those that were kept after all."""
        try:
            sweep_promises(self._central)
        except StoreError as error:
            _log.warning("promises were not looked after: %s", error)

    def watch_terminals(self) -> None:
        """Finds the terminals that fell silent while their shops were open."""
        try:
            sweep_silences(self._central)
        except StoreError as error:
            _log.warning("silent terminals were not looked for: %s", error)
