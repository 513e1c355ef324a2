"""Everything that is compared with the records as they pass by, one of them after the other.

Source: PROTOCOL.md, "What a verifier does", steps 3 and 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from merchant_agent.evidence.archive import RECORDS, Source
from merchant_agent.evidence.audit_clocks import ClockAudit, Receipts, is_after
from merchant_agent.evidence.audit_grants import Grants
from merchant_agent.evidence.audit_log import Log, Proofs
from merchant_agent.evidence.audit_presence import PresenceAudit
from merchant_agent.evidence.audit_slips import Slips
from merchant_agent.evidence.audit_visits import Said, VisitAudit, say
from merchant_agent.evidence.fields import MAX_SEQ, Anchor, Place
from merchant_agent.evidence.record import Record
from merchant_agent.evidence.verdict import Report


class Watch:
    """Holds each record against the log, the slips, the clocks, the opening hours and its visit."""

    def __init__(self, source: Source, grants: Grants, log: Log, report: Report, *, signatures: bool) -> None:
        issuer = grants.issuer or ""
        first = grants.by_epoch[min(grants.by_epoch)].grant
        self._issuer = issuer
        self._report = report
        self._log = log
        self._receipts = Receipts(source, len(grants.by_epoch))
        self._clocks = ClockAudit(report)
        self._presence = PresenceAudit(report, first.totals.prompts) if first.role == "terminal" else None
        self._visits = VisitAudit(issuer, report)
        self.proofs = Proofs(issuer, source, log, report)
        self.slips = Slips(issuer, source, grants.by_epoch, report, signatures=signatures)
        self._anchor: Anchor | None = None

    def see(self, record: Record, line: int) -> None:
        """Takes in a record that its chain accepted."""
        epoch, seq = record.epoch, record.seq
        if record.anchor is not None and record.anchor != self._anchor:
            self._require_anchor(record, record.anchor, line)
        # Its form was checked with the record.
        at = datetime.fromisoformat(record.at)
        at_ms = round(1000 * at.timestamp())
        self._clocks.see(record, at_ms, self._until(epoch, seq))
        if self._presence is not None:
            self._presence.see(record, at)
        self._visits.see(say(record, at_ms), epoch, line)

    @property
    def due(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The (epoch, seq) of the next proof and of the next slip."""
        return self.proofs.due, self.slips.due

    def bounded_to(self, epoch: int, seq: int) -> int:
        """The last seq, from this one on, whose time is bounded by the same acknowledgement or by none."""
        self._receipts.find(epoch, seq)
        return self._receipts.due[1] if self._receipts.due[0] == epoch else MAX_SEQ

    def may_leap(self, epoch: int, said: Sequence[Said]) -> bool:
        """Whether nothing but what they say of visits can be told of these records, all bounded by the same.

        They are plain and no stops, of that epoch and in their order.
        """
        newest_ms = max(one.at_ms for one in said)
        if is_after(newest_ms, self._until(epoch, said[0].seq)):
            return False
        return self._presence is None or self._presence.may_leap(newest_ms)

    def leap(self, record: Record, said: Iterable[Said], line: int) -> None:
        """Takes in records for which `may_leap` holds, of which this is the last; the first one stands in that line."""
        for number, one in enumerate(said, line):
            self._visits.see(one, record.epoch, number)
        at = datetime.fromisoformat(record.at)
        self._clocks.leap(record, round(1000 * at.timestamp()))
        if self._presence is not None:
            self._presence.leap(record, at)

    def pass_over(self, epoch: int, seq: int) -> None:
        """Places up to this one hold what could not be taken in."""
        self._visits.pass_over(epoch, seq)

    def settle(self, epoch: int, seq: int, octets: bytes, record: Record | None) -> None:
        """Compares what is said of this place with the line that has it; `record` is None where it is none."""
        if self.proofs.due <= (epoch, seq):
            self.proofs.settle(epoch, seq, octets)
        if self.slips.due <= (epoch, seq):
            place = Place(issuer=self._issuer, epoch=epoch, seq=seq)
            acknowledged = self._receipts.find(epoch, seq)
            self.slips.settle(place, octets, record, acknowledged, self._visits.agrees)

    def finish(self) -> None:
        """Tells of what was said about places that never came, and of what never ended."""
        self.proofs.finish()
        self.slips.finish()
        self._visits.finish()

    def _until(self, epoch: int, seq: int) -> int | None:
        """The unix second by which others had the record, as far as the export shows."""
        acknowledged = self._receipts.find(epoch, seq)
        logged = self.proofs.by_s if self.proofs.due[0] == epoch else None
        if acknowledged is None or (logged is not None and logged < acknowledged):
            return logged
        return acknowledged

    def _require_anchor(self, record: Record, anchor: Anchor, line: int) -> None:
        self._anchor = anchor
        if not self._log.has_anchor(anchor):
            detail = f"no checkpoint of the export has the size {anchor.size}, root and time of its anchor"
            self._report.violation("V7", detail, file=RECORDS, line=line, place=record.place)
