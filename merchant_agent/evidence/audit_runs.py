"""Runs of records, checked apart from those before them, so that helpers can check many at once.

A helper says of a run either that it is flawless, and what it comes to, or nothing. Whether a
flawless run goes on where the audit stands is for the audit to compare; whatever is not flawless
it walks by itself, record by record. So helpers make a verdict faster and never another one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.audit_disclosures import Disclosures, Stated
from merchant_agent.evidence.audit_grants import Grants
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import Typ, decode_jws, decode_kid, verify_jws
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.record import Record, Totals, peek_record

_LINES = 512
_AHEAD = 8
_MAX_DISCLOSURES = 8 * _LINES


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Consecutive lines and their disclosures by (epoch, seq); `signatures` as in `verify_export`."""

    issuer: str
    epoch: int
    key: bytes
    signatures: bool
    lines: list[bytes]
    disclosures: list[tuple[tuple[int, int], str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a flawless run comes to: it goes on from `before` with `first`, and ends with `totals`.

    `undisclosed` are the first seq with erasable members left out and how many such records there are.
    """

    before: Head
    first: Record
    links: list[str]
    totals: Totals
    undisclosed: tuple[int, int]


def check_run(task: Task) -> Run | None:
    """The run, or None where anything about it is amiss."""
    try:
        return _check_run(task)
    except (VerificationError, FormatError):
        return None


@dataclass(slots=True, kw_only=True)
class Ahead:
    """Lines, the disclosures that were shown for them, and the helper's word where one was asked."""

    lines: list[bytes]
    shown: list[Stated]
    future: Future[Run | None] | None

    def run(self) -> Run | None:
        """What the helper said; helpers that died said nothing."""
        try:
            return None if self.future is None else self.future.result()
        except BrokenExecutor:
            return None


def run_ahead(
    lines: Iterable[bytes], grants: Grants, disclosures: Disclosures, helpers: Executor, *, signatures: bool
) -> Iterator[Ahead]:
    """All lines in their order, some hundreds at a time, of which helpers check the next ones."""
    lines = iter(lines)
    under_way: deque[Ahead] = deque()
    while chunk := list(islice(lines, _LINES)):
        under_way.append(_ask(chunk, grants, disclosures, helpers, signatures=signatures))
        if len(under_way) > _AHEAD:
            yield under_way.popleft()
    yield from under_way


def _ask(
    chunk: list[bytes], grants: Grants, disclosures: Disclosures, helpers: Executor, *, signatures: bool
) -> Ahead:
    """Asks a helper, unless it is clear beforehand that it could say nothing."""
    try:
        issuer, epoch = decode_kid(chunk[0], Typ.RECORD)
        newest = peek_record(decode_jws(chunk[-1], Typ.RECORD).payload)
    except (VerificationError, FormatError):
        return Ahead(lines=chunk, shown=[], future=None)
    granted = grants.by_epoch.get(epoch)
    if granted is None or (newest.issuer, newest.epoch) != (issuer, epoch):
        return Ahead(lines=chunk, shown=[], future=None)
    shown = disclosures.show(epoch, newest.seq, at_most=_MAX_DISCLOSURES)
    task = Task(
        issuer=issuer,
        epoch=epoch,
        key=granted.key.octets,
        signatures=signatures,
        lines=chunk,
        disclosures=[(stated.place, stated.text) for stated in shown],
    )
    try:
        return Ahead(lines=chunk, shown=shown, future=helpers.submit(check_run, task))
    except BrokenExecutor:
        return Ahead(lines=chunk, shown=shown, future=None)


def _check_run(task: Task) -> Run | None:
    key = _key(task.key)
    stated = peek_record(decode_jws(task.lines[0], Typ.RECORD).payload)
    before = Head(epoch=task.epoch, seq=stated.seq - 1, link=stated.prev)
    chain = Chain.resume(task.issuer, task.epoch, key, before, None)
    texts = _Texts(task.disclosures)
    first: Record | None = None
    links: list[str] = []
    undisclosed: list[int] = []
    for octets in task.lines:
        jws = decode_jws(octets, Typ.RECORD)
        if jws.issuer != task.issuer or jws.epoch != task.epoch:
            return None
        if task.signatures:
            verify_jws(jws, key)
        given = texts.of((task.epoch, chain.seq + 1))
        record = chain.advance(jws, given)
        if len(given) < len(record.sd):
            undisclosed.append(record.seq)
        first = first or record
        links.append(chain.link)
    if first is None or chain.totals is None or texts.left():
        return None
    return Run(
        before=before,
        first=first,
        links=links,
        totals=chain.totals,
        undisclosed=(undisclosed[0], len(undisclosed)) if undisclosed else (0, 0),
    )


class _Texts:
    """Disclosures handed out in the order of their places."""

    def __init__(self, texts: list[tuple[tuple[int, int], str]]) -> None:
        self._texts = texts
        self._next = 0

    def of(self, place: tuple[int, int]) -> list[str]:
        """Those of this place, where they come next."""
        begin = self._next
        while self._next < len(self._texts) and self._texts[self._next][0] == place:
            self._next += 1
        return [text for _, text in self._texts[begin : self._next]]

    def left(self) -> bool:
        """Whether some were of no place that came."""
        return self._next < len(self._texts)


@lru_cache(maxsize=64)
def _key(octets: bytes) -> VerifyingKey:
    return VerifyingKey(octets)
