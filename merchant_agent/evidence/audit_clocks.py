"""Auditing times: against the log, the acknowledgements and the boot clock (findings of V8 and V9).

Source: PROTOCOL.md, "What a verifier does", step 5.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.archive import ACKS, Source
from merchant_agent.evidence.audit_order import in_epochs
from merchant_agent.evidence.bodies import ClockBody
from merchant_agent.evidence.exchange import decode_ack
from merchant_agent.evidence.fields import MAX_EPOCH, parse_at
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.record import Record
from merchant_agent.evidence.verdict import Report

# How far clocks of different machines may stand apart before it is told.
APART_S = 300
_APART_MS = 1000 * APART_S
_DRIFT_MS = 2000
_DRIFT_SHARE = 5000  # 200 ppm

_NEVER = (MAX_EPOCH + 1, 0)


class Receipts:
    """When central acknowledged records, read alongside them; `epochs` is how many were granted.

    `due` is the (epoch, seq) up to which the next accepting acknowledgement speaks, `now_s` its time.
    """

    def __init__(self, source: Source, epochs: int) -> None:
        self._accepted = _accepted(source, epochs)
        self.due, self.now_s = next(self._accepted, (_NEVER, 0))

    def find(self, epoch: int, seq: int) -> int | None:
        """The unix second of the first acknowledgement that covers the place, which never goes back."""
        place = (epoch, seq)
        while self.due < place:
            self.due, self.now_s = next(self._accepted, (_NEVER, 0))
        return self.now_s if self.due[0] == epoch else None


class Clocks(msgspec.Struct, frozen=True, gc=False):
    """What the clocks of a record showed; before any record the epoch is 0."""

    epoch: int = 0
    boot: str = ""
    at_ms: int = 0
    uptime_ms: int = 0

    @classmethod
    def of(cls, record: Record, at_ms: int) -> Clocks:
        """Those of this record."""
        return cls(record.epoch, record.boot, at_ms, record.uptime_ms)

    def fit(self, record: Record, at_ms: int) -> bool:
        """Whether the record that comes next has clocks that moved alike; those of another epoch may be any."""
        if record.epoch != self.epoch:
            return True
        wall_ms = at_ms - self.at_ms
        boot_ms = record.uptime_ms - self.uptime_ms if record.boot == self.boot else None
        body = record.body
        if isinstance(body, ClockBody):
            return _is_close(body.wall_ms, wall_ms) and _is_close(body.boot_ms, boot_ms)
        return boot_ms is None or clocks_agree(wall_ms, boot_ms)


def is_before_anchor(record: Record, at_ms: int) -> bool:
    """Whether the record claims a time before the checkpoint that it names."""
    return record.anchor is not None and at_ms < 1000 * record.anchor.time - _APART_MS


def is_after(at_ms: int, until_s: int | None) -> bool:
    """Whether the time is one at which somebody else had the record already, since `until_s` (unix seconds)."""
    return until_s is not None and at_ms > 1000 * until_s + _APART_MS


class ClockAudit:
    """Compares each record's clocks with those of the record before, and with what bounds its time."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._before = Clocks()

    def see(self, record: Record, at_ms: int, until_s: int | None) -> None:
        """Takes one accepted record in; by `until_s` (unix seconds) somebody else had it."""
        if is_before_anchor(record, at_ms) or is_after(at_ms, until_s):
            self._report.found("time", record.place)
        if not self._before.fit(record, at_ms):
            self._report.found("clock", record.place)
        self.leap(record, at_ms)

    def leap(self, record: Record, at_ms: int) -> None:
        """Goes on behind a record up to which nothing is to be told."""
        self._before = Clocks.of(record, at_ms)


def clocks_agree(wall_ms: int, boot_ms: int) -> bool:
    """Whether both clocks moved alike from one record to the next, as far as honest clocks do."""
    return boot_ms >= 0 and abs(wall_ms - boot_ms) <= _DRIFT_MS + boot_ms // _DRIFT_SHARE


def _is_close(stated: int | None, seen: int | None) -> bool:
    if stated is None or seen is None:
        return stated is seen
    return abs(stated - seen) <= _DRIFT_MS


def _accepted(source: Source, epochs: int) -> Iterator[tuple[tuple[int, int], int]]:
    for _, octets in in_epochs(source, ACKS, epochs):
        try:
            ack = decode_ack(decode_jws(octets, Typ.ACK).payload)
        except (VerificationError, FormatError):
            # The exchange audit tells of it.
            continue
        if ack.outcome == "accepted":
            yield (ack.epoch, ack.head.seq), int(parse_at(ack.now).timestamp())
