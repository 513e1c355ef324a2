"""Wrong enrolment codes by network address: ten in a quarter of an hour, then the rest of it must pass."""

from __future__ import annotations

import math
from datetime import timedelta

from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Attempt
from merchant_agent.errors import LockedOutError
from merchant_agent.web.origin import origin

MAX_WRONG_CODES = 10
WINDOW = timedelta(minutes=15)


class RateLimitedError(LockedOutError):
    """Too many wrong codes came from an address; its `code` is "rate-limited"."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.code = "rate-limited"  # type: ignore[misc]  # narrowed per instance, as in `RequestError`


def require_attempt_left(central: Central, remote: str) -> None:
    """Returns while the address may still try codes.

    Raises:
        RateLimitedError: it may not.
    """
    with central.store.read() as reader:
        row: Attempt | None = reader.first(Attempt.select().where(Attempt.remote == origin(remote)))
    if row is None or row.failed < MAX_WRONG_CODES:
        return
    # A clock that was set back must not keep anybody out for longer than the window.
    left = min(row.since - central.clock.now(), timedelta(0)) + WINDOW
    if left > timedelta(0):
        raise RateLimitedError(math.ceil(left.total_seconds()))


def note_wrong_code(central: Central, remote: str) -> None:
    """Counts a wrong code, and forgets windows that are over."""
    now = central.clock.now()
    one_more = {Attempt.failed: Attempt.failed + 1}
    with central.store.write() as tx:
        tx.execute(Attempt.delete().where((Attempt.since <= now - WINDOW) | (Attempt.since > now)))
        tx.execute(
            Attempt.insert(remote=origin(remote), failed=1, since=now).on_conflict(
                conflict_target=[Attempt.remote], update=one_more
            )
        )
