"""What this machine's Ed25519 can do, on one core: the limit that others are held against."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from tests.bench.report import Figure, Scale

_MESSAGE = bytes(700)
_SECONDS = 1.0


def verifications_a_second() -> float:
    """Of messages as long as a rating."""
    key = SigningKey.generate()
    signature = key.sign(_MESSAGE)
    public = VerifyingKey(key.public)
    return _rate(lambda: public.verify(signature, _MESSAGE))


def signatures_a_second() -> float:
    """Of messages as long as a rating."""
    key = SigningKey.generate()
    return _rate(lambda: key.sign(_MESSAGE))


def measure(_scale: Scale) -> list[Figure]:
    """The machine's two rates."""
    return [
        Figure(what="Ed25519 signatures/s, one core", measured=f"{signatures_a_second():,.0f}"),
        Figure(what="Ed25519 verifications/s, one core", measured=f"{verifications_a_second():,.0f}"),
    ]


def _rate(work: Callable[[], object]) -> float:
    begun, done = perf_counter(), 0
    while perf_counter() - begun < _SECONDS:
        for _ in range(100):
            work()
        done += 100
    return done / (perf_counter() - begun)
