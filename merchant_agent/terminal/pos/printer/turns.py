"""Whose job the printer prints: jobs of several connections never mix, and none waits for one that stopped."""

from __future__ import annotations

import threading
from typing import Final

from merchant_agent.clock import Clock

_FOR_EVER: Final = 3600.0


class Turns:
    """One printer's turn. Whoever sends takes it before each piece, and leaves it between papers.

    Who stays silent within a paper for `patience_s` is overtaken; who waits for a slow printer is not.
    """

    def __init__(self, clock: Clock, *, patience_s: float) -> None:
        self._clock = clock
        self._patience_s = patience_s
        self._changed = threading.Condition()  # guards the three below
        self._holder: object | None = None
        self._used_mono = 0.0
        self._is_sending = False

    def take(self, who: object, *, limit_s: float = _FOR_EVER) -> bool:
        """Waits for the turn and says that `who` sends now; False where it did not come within the limit."""
        until_mono = self._clock.mono() + limit_s
        with self._changed:
            while self._holder not in {None, who} and (left_s := self._left_s()) > 0:
                if self._clock.mono() >= until_mono:
                    return False
                self._changed.wait(min(left_s, max(0.0, until_mono - self._clock.mono())))
            self._holder, self._is_sending = who, True
        return True

    def sent(self, who: object) -> None:
        """What was sent is with the printer; the turn stays."""
        with self._changed:
            if self._holder is who:
                self._used_mono, self._is_sending = self._clock.mono(), False
                self._changed.notify_all()

    def leave(self, who: object) -> None:
        """The next one's turn."""
        with self._changed:
            if self._holder is who:
                self._holder, self._is_sending = None, False
                self._changed.notify_all()

    def _left_s(self) -> float:
        if self._is_sending:
            return self._patience_s
        return self._used_mono + self._patience_s - self._clock.mono()
