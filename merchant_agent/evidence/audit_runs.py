"""Runs of records whose signatures helpers check ahead, many at once.

A helper says of a run either that every signature is of the key that its line names, or nothing;
whatever else a rule asks is for the audit, which checks by itself the signatures of runs that
nobody vouches for. So helpers make a verdict faster and never another one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from functools import lru_cache

from merchant_agent.errors import VerificationError
from merchant_agent.evidence.audit_grants import Grants
from merchant_agent.evidence.jws import Typ, decode_jws, verify_jws
from merchant_agent.evidence.keys import VerifyingKey

_LINES = 512
_MAX_BYTES = 1 << 21
_AHEAD = 8


def check_signatures(keys: Mapping[int, bytes], lines: list[bytes]) -> bool:
    """Whether each line is signed by the key of the epoch that its header names."""
    try:
        for octets in lines:
            jws = decode_jws(octets, Typ.RECORD)
            verify_jws(jws, _key(keys[jws.epoch]))
    except (VerificationError, KeyError):
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Consecutive lines, and the helper's word where one was asked."""

    lines: list[bytes]
    future: Future[bool] | None

    def is_vouched(self) -> bool:
        """What the helper said; helpers that died said nothing."""
        try:
            return self.future is not None and self.future.result()
        except BrokenExecutor:
            return False


def run_ahead(lines: Iterable[bytes], grants: Grants, helpers: Executor) -> Iterator[Run]:
    """All lines in their order, some hundreds or 2 MiB at a time, of which helpers check the next ones."""
    keys = {epoch: granted.key.octets for epoch, granted in grants.by_epoch.items()}
    under_way: deque[Run] = deque()
    for chunk in _chunks(lines):
        under_way.append(_ask(chunk, keys, helpers))
        if len(under_way) > _AHEAD:
            yield under_way.popleft()
    yield from under_way


def _chunks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        chunk.append(line)
        size += len(line)
        if len(chunk) == _LINES or size >= _MAX_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _ask(chunk: list[bytes], keys: dict[int, bytes], helpers: Executor) -> Run:
    try:
        return Run(lines=chunk, future=helpers.submit(check_signatures, keys, chunk))
    except BrokenExecutor:
        return Run(lines=chunk, future=None)


@lru_cache(maxsize=64)
def _key(octets: bytes) -> VerifyingKey:
    return VerifyingKey(octets)
