"""The terminal's schedule: what it does by itself, and how often, in one table."""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from merchant_agent.errors import StoreError, StoreLockedError
from merchant_agent.store.backup import backup_into, newest_backup
from merchant_agent.store.ballast import Ballast
from merchant_agent.store.integrity import integrity_problems
from merchant_agent.terminal.administration import beat, close_day, last_close_at
from merchant_agent.terminal.alarms import DAMAGED_ALARM, clear_alarms, raise_alarm
from merchant_agent.terminal.collect.recovery import sign_kept
from merchant_agent.terminal.collect.sweep import sweep
from merchant_agent.terminal.damage import delete_quarantined, heal
from merchant_agent.terminal.duties import Duty, Every, Nightly, spread_s
from merchant_agent.terminal.erasure import erase_old
from merchant_agent.terminal.marking import MarkWatch
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.opening import BALLAST_NAME, DATABASE_NAME
from merchant_agent.terminal.ticker import Ticker
from merchant_agent.terminal.upload.uploader import Uploader

_log = logging.getLogger(__name__)

BACKUP_ALARM = "backup-failed"

_ONCE = float("inf")
_SWEEP_EVERY_S = 1.0
_START_SPREAD_S = 10.0
_BALLAST_EVERY_S = 60.0
_CHECKPOINT_EVERY_S = 3600.0
_HEARTBEAT_LOOK_S = 60.0
_FIRST_DAY_CLOSE_S = 5.0
_MARK_LOOK_S = 60.0
_FIRST_MARK_LOOK_S = 10.0
_FIRST_BACKUP_S = 600.0
_RETENTION_EVERY_S = 86_400.0
_FIRST_RETENTION_S = 900.0
_RETRY_BACKUP_S = 3600.0


class Schedule(Ticker):
    """Everything that recurs on this terminal, between `start` and `stop`."""

    def __init__(self, terminal: Terminal, uploader: Uploader) -> None:
        super().__init__(duties_of(terminal, uploader), terminal.clock)


def duties_of(terminal: Terminal, uploader: Uploader) -> tuple[Duty, ...]:
    """Everything that recurs on this terminal, from now on.

    Uploads of many terminals are spread by their ids, after a power cut of the whole street too.
    """
    clock, every_s = terminal.clock, float(terminal.settings.upload_every_s)
    name = terminal.journal.identity.issuer if terminal.journal.enrolled else secrets.token_hex(8)
    soon = Every(clock, _ONCE, first_s=spread_s(f"{name} start", min(_START_SPREAD_S, every_s)))
    slots = Every(clock, every_s, first_s=spread_s(name, every_s))
    nightly, closing = _nightly(terminal), _closing(terminal)
    return (
        Duty(name="damage", timer=Every(clock, _SWEEP_EVERY_S), run=lambda: heal(terminal)),
        Duty(name="sweep", timer=Every(clock, _SWEEP_EVERY_S), run=lambda: _sweep(terminal)),
        Duty(name="first upload", timer=soon, run=uploader.poke),
        Duty(name="upload", timer=slots, run=uploader.poke),
        Duty(name="quick check", timer=Every(clock, _ONCE), run=lambda: check_quickly(terminal), slow=True),
        Duty(
            name="ballast",
            timer=Every(clock, _BALLAST_EVERY_S, first_s=_BALLAST_EVERY_S),
            run=_ballast(terminal).ensure,
            slow=True,
        ),
        Duty(
            name="checkpoint",
            timer=Every(clock, _CHECKPOINT_EVERY_S, first_s=_CHECKPOINT_EVERY_S),
            run=lambda: _checkpoint(terminal),
            slow=True,
        ),
        Duty(
            name="retention",
            timer=Every(clock, _RETENTION_EVERY_S, first_s=_FIRST_RETENTION_S),
            run=lambda: erase_old(terminal),
            slow=True,
        ),
        Duty(
            name="quarantine",
            timer=Every(clock, _RETENTION_EVERY_S, first_s=_FIRST_RETENTION_S),
            run=lambda: delete_quarantined(terminal),
            slow=True,
        ),
        Duty(
            name="heartbeat",
            timer=Every(clock, _HEARTBEAT_LOOK_S, first_s=_HEARTBEAT_LOOK_S),
            run=lambda: beat(terminal),
        ),
        Duty(
            name="mark",
            timer=Every(clock, _MARK_LOOK_S, first_s=_FIRST_MARK_LOOK_S),
            run=MarkWatch(terminal).look,
        ),
        Duty(name="day close", timer=closing, run=lambda: close_day(terminal, closing)),
        Duty(name="backup", timer=nightly, run=lambda: back_up(terminal, nightly), slow=True),
    )


def check_quickly(terminal: Terminal) -> None:
    """Asks SQLite whether the database is sound; where it is not, another one takes its place, see `damage`.

    Raises:
        StoreError: it could not be asked, or an alarm that is over not be cleared.
    """
    _tell_damage(terminal, integrity_problems(terminal.store, quick=True))


def back_up(terminal: Terminal, nightly: Nightly) -> None:
    """Copies the database, then checks it thoroughly; tried again in an hour where it fails.

    Raises:
        OSError: the folder of backups cannot be used; an alarm tells of it where that can be stored.
        StoreError: no copy was made; likewise.
    """
    folder, keep = terminal.folder.backups, terminal.settings.backup_keep
    now = terminal.clock.now()
    try:
        backup_into(terminal.store, folder, stem=Path(DATABASE_NAME).stem, keep=keep)
    except (StoreError, OSError):
        nightly.again_in(_RETRY_BACKUP_S)
        with terminal.store.write() as writer:
            raise_alarm(writer, at=now, code=BACKUP_ALARM)
        raise
    with terminal.store.write() as writer:
        clear_alarms(writer, at=now, code=BACKUP_ALARM)
    _tell_damage(terminal, integrity_problems(terminal.store, quick=False))


def _nightly(terminal: Terminal) -> Nightly:
    newest = newest_backup(terminal.folder.backups, stem=Path(DATABASE_NAME).stem)
    return Nightly(
        terminal.clock,
        time.fromisoformat(terminal.settings.backup_at),
        ZoneInfo(terminal.settings.zone),
        last_at=None if newest is None else datetime.fromtimestamp(newest.stat().st_mtime, UTC),
        first_s=_FIRST_BACKUP_S,
    )


def _closing(terminal: Terminal) -> Nightly:
    with terminal.store.read() as reader:
        last_at = last_close_at(reader)
    settings = terminal.settings
    return Nightly(
        terminal.clock,
        time.fromisoformat(settings.business_day_starts),
        ZoneInfo(settings.zone),
        last_at=last_at,
        first_s=_FIRST_DAY_CLOSE_S,
    )


def _sweep(terminal: Terminal) -> None:
    """What was kept while nothing could be signed is signed before anything is ended."""
    if terminal.journal.enrolled:
        sign_kept(terminal)
        sweep(terminal)


def _ballast(terminal: Terminal) -> Ballast:
    return Ballast(terminal.folder.path / BALLAST_NAME, terminal.settings.ballast_bytes)


def _checkpoint(terminal: Terminal) -> None:
    """What was erased goes from the write-ahead log too."""
    try:
        terminal.store.checkpoint(truncate=True)
    except StoreLockedError:
        _log.info("checkpoint: readers were busy; the next one will do it")


def _tell_damage(terminal: Terminal, problems: list[str]) -> None:
    now = terminal.clock.now()
    if problems:
        _log.error("the database is damaged: %s", problems[0])
        terminal.store.report_damage()
        return
    with terminal.store.write() as writer:
        clear_alarms(writer, at=now, code=DAMAGED_ALARM)
