"""Runs of records that helpers look at ahead, many at once.

A helper's word makes a verdict faster and never another one: whatever it cannot vouch for, the
audit sees to by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from functools import partial

from merchant_agent.evidence.audit_grants import Grants
from merchant_agent.evidence.audit_plain import NOTHING, Signer, Word, look

_LINES = 512
_MAX_BYTES = 1 << 21
_AHEAD = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Consecutive lines, and the helper's word where one was asked."""

    lines: list[bytes]
    future: Future[Word] | None

    def word(self) -> Word:
        """What the helper said; helpers that died said nothing."""
        try:
            return NOTHING if self.future is None else self.future.result()
        except BrokenExecutor:
            return NOTHING


def run_ahead(
    lines: Iterable[bytes], grants: Grants, helpers: Executor, *, signatures: bool
) -> Iterator[Run]:
    """All lines in their order, some hundreds or 2 MiB at a time, of which helpers look at the next ones."""
    signers = {
        epoch: Signer(key=granted.key.octets, role=granted.grant.role)
        for epoch, granted in grants.by_epoch.items()
    }
    task = partial(look, grants.issuer or "", signers, signatures=signatures)
    under_way: deque[Run] = deque()
    for chunk in _chunks(lines):
        under_way.append(_ask(chunk, task, helpers))
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


def _ask(chunk: list[bytes], task: Callable[[bytes], Word], helpers: Executor) -> Run:
    try:
        return Run(lines=chunk, future=helpers.submit(task, b"\n".join(chunk)))
    except BrokenExecutor:
        return Run(lines=chunk, future=None)
