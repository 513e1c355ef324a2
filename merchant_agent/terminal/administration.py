"""The records that a terminal writes about itself: that it started, lives, closed a day, and when it is open.

They make silence speak: a stretch of opening time without any record is seen by whoever
verifies the chain. What is due is decided by the clock that nobody sets; `clock` records are
the journal's, before the next record.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from merchant_agent.domain.opening import parse_closures, parse_opening
from merchant_agent.domain.sales import business_day
from merchant_agent.errors import OnHoldError, StoreError
from merchant_agent.evidence.bodies import DayCloseBody, HeartbeatBody, Kind, SettingsBody, StartBody
from merchant_agent.store.store import Reader
from merchant_agent.terminal.duties import Nightly
from merchant_agent.terminal.pos.words import load_words
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.appending import JournalWriter
from merchant_agent.terminal.store.identity import load_identities
from merchant_agent.terminal.store.ledger import first_at, newest_of
from merchant_agent.terminal.store.models import OrderlyStop
from merchant_agent.terminal.upload.batching import SOFTWARE
from merchant_agent.terminal.upload.progress import load_progress

_log = logging.getLogger(__name__)

# The verifier's 4 hours and 15 minutes leave room for what delays one.
HEARTBEAT_EVERY = timedelta(hours=4)
_RETRY_DAY_CLOSE_S = 300.0
_DAY = timedelta(days=1)


def record_start(terminal: Terminal) -> None:
    """Signs that the program started, and the opening hours where they changed; before anything else it signs.

    A disk that is full does not keep the shop closed: then nobody is told. On hold nothing is signed.
    """
    if terminal.journal.hold is not None:
        _forget_stop(terminal)
        return
    try:
        with terminal.journal.write() as writer:
            was_stopped = writer.execute(OrderlyStop.delete()) > 0
            is_first = newest_of(writer, Kind.START) is None
            writer.append(Kind.START, StartBody(software=SOFTWARE, clean=was_stopped or is_first))
            sign_settings(terminal, writer)
    except (StoreError, OnHoldError) as error:
        _log.error("the start could not be recorded: %s", error)


def _forget_stop(terminal: Terminal) -> None:
    """A stop before this start must not count as one after it."""
    try:
        with terminal.store.write() as writer:
            writer.execute(OrderlyStop.delete())
    except StoreError as error:
        _log.error("the start could not be noted: %s", error)


def note_stop(terminal: Terminal) -> None:
    """Remembers that the program was stopped in order, as the last thing that it writes."""
    row = {"number": 1, "at": terminal.clock.now()}
    try:
        with terminal.store.write() as writer:
            writer.execute(OrderlyStop.insert(row).on_conflict_ignore())
    except StoreError as error:
        _log.warning("the stop could not be noted: %s", error)


def beat(terminal: Terminal) -> None:
    """Signs that the terminal is alive, where nothing else has told so for four hours by the boot clock.

    Raises:
        StoreError: it could not be written.
    """
    if not _may_sign(terminal) or not _is_silent(terminal):
        return
    with terminal.journal.write() as writer:
        progress = load_progress(writer)
        newest = -1 if writer.chain is None else writer.chain.seq
        waiting = 0 if progress is None else max(0, newest - progress.acked_seq)
        writer.append(Kind.HEARTBEAT, HeartbeatBody(waiting=waiting))


def last_close_at(reader: Reader) -> datetime | None:
    """When a day was last closed; before that, when the first record was signed. None before any."""
    closed = newest_of(reader, Kind.DAY_CLOSE)
    return first_at(reader) if closed is None else datetime.fromisoformat(closed.at)


def close_day(terminal: Terminal, nightly: Nightly) -> None:
    """Signs that yesterday's business is over, with how many customers could be asked; tried again if it fails.

    On hold too: nobody may come until the hold ends.

    Raises:
        StoreError: it could not be written.
    """
    if not _may_sign(terminal):
        nightly.again_in(_RETRY_DAY_CLOSE_S)
        return
    today = business_day(terminal.clock.now(), terminal.settings.business_day_starts)
    try:
        with terminal.journal.write() as writer:
            _sign_day(writer, (today - _DAY).isoformat())
    except StoreError:
        nightly.again_in(_RETRY_DAY_CLOSE_S)
        raise


def sign_settings(terminal: Terminal, writer: JournalWriter) -> None:
    """Signs the opening hours and the words for receipts where they changed; nothing where none were ever stated.

    Raises:
        OnHoldError: the journal is on hold.
        StoreError: it could not be written.
    """
    settings = terminal.settings
    body = SettingsBody(
        opening=parse_opening(settings.opening_hours),
        closures=parse_closures(settings.closures),
        words=load_words(writer),
    )
    signed = newest_of(writer, Kind.SETTINGS)
    before = SettingsBody(opening=(), closures=(), words=()) if signed is None else signed.body
    if body != before:
        writer.append(Kind.SETTINGS, body)


def _sign_day(writer: JournalWriter, day: str) -> None:
    """Once for each day, whatever the clock does meanwhile."""
    closed = newest_of(writer, Kind.DAY_CLOSE)
    if closed is None:
        counted = load_identities(writer)[0].grant.totals.prompts
    elif isinstance(closed.body, DayCloseBody) and closed.body.day == day:
        return
    else:
        counted = closed.totals.prompts
    totals = None if writer.chain is None else writer.chain.totals
    if totals is not None:
        writer.append(Kind.DAY_CLOSE, DayCloseBody(day=day, prompts=totals.prompts - counted, sales=None))


def _may_sign(terminal: Terminal) -> bool:
    return terminal.journal.enrolled and terminal.journal.hold is None


def _is_silent(terminal: Terminal) -> bool:
    last, now = terminal.journal.read_last, terminal.clock.read()
    if last is None or last.boot != now.boot:
        return True
    return timedelta(milliseconds=now.uptime_ms - last.uptime_ms) >= HEARTBEAT_EVERY
