"""Wrong attempts to sign in: whoever guesses is locked out, and nobody else.

Five wrong attempts from one address lock that address out of the account. Guesses from many
addresses lock nobody out: they make attempts rare from addresses where nobody signed in before.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from merchant_agent.errors import LockedOutError
from merchant_agent.store.credentials import (
    EVERYWHERE,
    Attempts,
    find_attempts,
    forget_attempts,
    save_attempts,
)
from merchant_agent.store.store import Reader, Store, Writer

FREE_ATTEMPTS = 5
MOST_WRONG_AN_HOUR = 50
SLOWED = timedelta(seconds=30)

_FIRST_LOCK = timedelta(minutes=1)
_LONGEST_LOCK = timedelta(hours=1)
_DOUBLINGS = 6  # from the first lock to beyond the longest
_WINDOW = timedelta(hours=1)
_REMEMBERED = timedelta(days=1)


def admit(store: Store, name: str, origin: str, now: datetime) -> None:
    """Returns when an attempt may be made; where attempts are slowed it takes the turn.

    Raises:
        LockedOutError: not yet from this address.
        StoreError: the turn could not be taken.
    """
    with store.read() as reader:
        here = find_attempts(reader, name, origin)
        slowed = (here is None or not here.known) and _slowed(reader, name, now) is not None
    if here is not None:
        _require_over(here.locked_until, now)
    if slowed:
        with store.write() as writer:
            _take_turn(writer, name, now)


def note_wrong(writer: Writer, name: str, origin: str, now: datetime) -> int:
    """Counts a wrong attempt; how many came from that address in a row."""
    forget_attempts(writer, now - _REMEMBERED)
    here = find_attempts(writer, name, origin) or _none(now)
    failed = here.failed + 1
    lock = _lock(failed)
    save_attempts(
        writer,
        name,
        origin,
        Attempts(
            failed=failed, since=here.since, locked_until=now + lock if lock else None, known=here.known
        ),
    )
    everywhere = find_attempts(writer, name, EVERYWHERE)
    if everywhere is None or not _is_recent(everywhere, now):
        everywhere = _none(now)
    save_attempts(
        writer,
        name,
        EVERYWHERE,
        Attempts(
            failed=everywhere.failed + 1,
            since=everywhere.since,
            locked_until=everywhere.locked_until,
            known=False,
        ),
    )
    return failed


def note_right(writer: Writer, name: str, origin: str, now: datetime) -> None:
    """Forgets the wrong attempts from that address, which is a known one from now on."""
    save_attempts(writer, name, origin, Attempts(failed=0, since=now, locked_until=None, known=True))


def _none(now: datetime) -> Attempts:
    return Attempts(failed=0, since=now, locked_until=None, known=False)


def _is_recent(attempts: Attempts, now: datetime) -> bool:
    """Whether they began within the hour; not where the clock was set back since."""
    return timedelta(0) <= now - attempts.since < _WINDOW


def _lock(failed: int) -> timedelta:
    if failed < FREE_ATTEMPTS:
        return timedelta(0)
    doubled: timedelta = _FIRST_LOCK * 2 ** min(failed - FREE_ATTEMPTS, _DOUBLINGS)
    return min(doubled, _LONGEST_LOCK)


def _slowed(reader: Reader, name: str, now: datetime) -> Attempts | None:
    """The attempts from everywhere where they are too many within the hour."""
    found = find_attempts(reader, name, EVERYWHERE)
    if found is None or found.failed < MOST_WRONG_AN_HOUR or not _is_recent(found, now):
        return None
    return found


def _take_turn(writer: Writer, name: str, now: datetime) -> None:
    # Read again under the lock: of attempts at the same moment one takes the turn.
    everywhere = _slowed(writer, name, now)
    if everywhere is None:
        return
    _require_over(everywhere.locked_until, now)
    taken = Attempts(failed=everywhere.failed, since=everywhere.since, locked_until=now + SLOWED, known=False)
    save_attempts(writer, name, EVERYWHERE, taken)


def _require_over(locked_until: datetime | None, now: datetime) -> None:
    # What lies further ahead was locked before the clock was set back.
    if locked_until is not None and now < locked_until <= now + _LONGEST_LOCK:
        raise LockedOutError(max(1, -(-(locked_until - now) // timedelta(seconds=1))))
