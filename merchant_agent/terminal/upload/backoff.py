"""How long to wait after what went wrong: growing bounds, and chance below them.

Full jitter: the wait is anywhere between nothing and its bound, so that two thousand
terminals that lost central at one moment do not come back at one moment.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

from merchant_agent.terminal.upload.outcome import Code, Outcome

_HOUR_S = 3600.0

# First and largest bound. Nobody else suffers from connections that do not come about, so
# they are tried often; whoever answered and refused is left alone for longer.
_BOUNDS_S: Mapping[Code, tuple[float, float]] = {
    Code.RESEND: (5.0, 900.0),
    Code.REFUSED: (60.0, 6 * _HOUR_S),
    Code.UNREACHABLE: (1.0, 60.0),
    Code.BUSY: (2.0, 900.0),
    Code.NOT_ADMITTED: (60.0, 6 * _HOUR_S),
    Code.WRONG_SERVER: (5.0, 900.0),
    Code.UNTRUSTED: (5.0, 900.0),
    Code.TOO_LARGE: (60.0, 6 * _HOUR_S),
    Code.FAILED: (5.0, 900.0),
}
# Below this a wait would be none; it also keeps a small bound from making a busy loop.
_LEAST_S = 0.2
_MOST_DOUBLINGS = 30


class Backoff:
    """The waits of one uploader; `rng` decides within the bounds."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._code: Code | None = None
        self._repeated = 0

    def wait_s(self, outcome: Outcome) -> float:
        """Seconds before the next attempt; 0 after a success. Bounds double while the outcome stays the same.

        What an answer asked for is waited for in full, with the jitter on top.
        """
        if outcome.code not in _BOUNDS_S:
            self._code = None
            return 0.0
        self._repeated = self._repeated + 1 if outcome.code is self._code else 0
        self._code = outcome.code
        first, largest = _BOUNDS_S[outcome.code]
        bound = min(first * 2 ** min(self._repeated, _MOST_DOUBLINGS), largest)
        asked = outcome.retry_after_s or 0.0
        return asked + self._rng.uniform(_LEAST_S, bound)
