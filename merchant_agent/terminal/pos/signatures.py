"""Signed requests of tills: HMAC-SHA256 over the raw bytes, once each, within five minutes.

    Merchant-Agent-Signature: t=1779249600,n=7f3a9c01,v1=<64 hexadecimal digits>

The HMAC's key is the secret as it was shown, its message the ASCII text `t.n.METHOD.path.` and the
body's octets as they are sent. `t` is the till's time in Unix seconds, `n` 8 to 64 letters or digits
that differ for each request. What was used is known while the program runs: what is replayed after a
restart does nothing, since each request is the same sale, or the same withdrawal, as before.
"""

from __future__ import annotations

import hmac
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

from merchant_agent.errors import SignInError

HEADER = "Merchant-Agent-Signature"
WINDOW_S = 300

_FORM = re.compile(r"t=([0-9]{1,12}),n=([A-Za-z0-9]{8,64}),v1=([0-9a-f]{64})", re.ASCII)
_MOST_KEPT = 100_000


def sign_request(  # noqa: PLR0913 -- what is signed
    secret: bytes, *, t: int, n: str, method: str, path: str, body: bytes
) -> str:
    """The header's value, as a till makes it."""
    return f"t={t},n={n},v1={_mac(secret, t, n, method, path, body)}"


class Signatures:
    """Verifies signatures and remembers them for as long as they are valid; of all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the one below
        self._used: OrderedDict[tuple[str, str], int] = OrderedDict()

    def verify(  # noqa: PLR0913 -- what is signed
        self,
        secrets: Sequence[bytes],
        who: str,
        header: str,
        *,
        now: datetime,
        method: str,
        path: str,
        body: bytes,
    ) -> None:
        """Returns if the header is a signature of one of the secrets that `who` did not use before.

        Raises:
            SignInError: "pos-signature", "pos-signature-time" or "pos-replay".
        """
        match = _FORM.fullmatch(header)
        if match is None:
            raise SignInError("pos-signature", f"{HEADER}: t=...,n=...,v1=... is expected")
        t, n = int(match[1]), match[2]
        good = [_mac(secret, t, n, method, path, body) for secret in secrets]
        if not any([hmac.compare_digest(match[3], mac) for mac in good]):  # noqa: C419 -- all, in equal time
            raise SignInError("pos-signature", "the signature is of another secret or of other bytes")
        seconds = int(now.timestamp())
        if abs(seconds - t) > WINDOW_S:
            raise SignInError("pos-signature-time", f"t is {t - seconds} s from this terminal's clock")
        self._use(who, n, seconds)

    def _use(self, who: str, n: str, seconds: int) -> None:
        with self._lock:
            while self._used and (len(self._used) >= _MOST_KEPT or self._oldest() < seconds - 2 * WINDOW_S):
                self._used.popitem(last=False)
            if (who, n) in self._used:
                raise SignInError(
                    "pos-replay", "this request was sent before: sign the next one with another n"
                )
            self._used[who, n] = seconds

    def _oldest(self) -> int:
        return next(iter(self._used.values()))


def _mac(secret: bytes, t: int, n: str, method: str, path: str, body: bytes) -> str:  # noqa: PLR0913, PLR0917 -- what is signed
    message = f"{t}.{n}.{method}.{path}.".encode() + body
    return hmac.digest(secret, message, "sha256").hex()
