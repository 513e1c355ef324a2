"""Verifying an export: every rule, one verdict.

Source: PROTOCOL.md, "What a verifier does".
"""

from __future__ import annotations

from concurrent.futures import Executor

from merchant_agent.evidence.archive import Source
from merchant_agent.evidence.audit_exchange import ExchangeAudit
from merchant_agent.evidence.audit_grants import Grants, audit_grants
from merchant_agent.evidence.audit_records import RecordAudit
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.trust import Trust
from merchant_agent.evidence.verdict import Finding, Report, Verdict, Violation

__all__ = ["Finding", "Source", "Verdict", "Violation", "verify_export"]


def verify_export(
    source: Source, trust: Trust | None, *, signatures: bool = True, helpers: Executor | None = None
) -> Verdict:
    """What the rules V1 to V6, V10, V11, V15 and V16 say of an export.

    Without trust the structure is verified against the keys in the export itself. With
    `signatures=False` the records' own signatures are left out: much faster, and only the
    hashes, grants, batches and acknowledgements speak. `helpers`, best processes, check the
    signatures of some hundreds of records at a time; the verdict is the same. Memory does not grow
    with the export, but for one bit for each prompt that lapsed or was not asked.

    Raises:
        FormatError: the export cannot be read.
    """
    report = Report()
    grants = audit_grants(source, trust, report)
    records, head, acknowledged_at = 0, None, None
    if grants.by_epoch:
        audit = RecordAudit(source, grants, report, helpers, signatures=signatures)
        records = audit.run()
        exchange = ExchangeAudit(source, grants, report)
        exchange.run()
        head, acknowledged_at = audit.newest_head(), exchange.acknowledged_at
        _find(grants, audit, exchange, report)
    return Verdict(
        trusted=grants.trusted,
        signatures=signatures,
        records=records,
        violations=tuple(report.violations),
        counts=report.counts,
        findings=tuple(report.findings),
        fingerprints=grants.fingerprints,
        head=head,
        acknowledged_at=acknowledged_at,
    )


def _find(grants: Grants, audit: RecordAudit, exchange: ExchangeAudit, report: Report) -> None:
    """Findings: late, unanswered and undisclosed; see `Finding`."""
    closed = {g.grant.closes.epoch: g.grant.closes for g in grants.by_epoch.values() if g.grant.closes}
    for epoch, granted in grants.by_epoch.items():
        issuer = granted.grant.issuer
        newest = audit.head_seq(epoch)
        closes = closed.get(epoch)
        if closes is not None and newest > closes.seq:
            place = Place(issuer=issuer, epoch=epoch, seq=closes.seq + 1)
            report.finding("late", f"{newest - closes.seq} records after the epoch was closed", place)
        # Signed by central, and with the link of what stands there.
        acknowledged = min(exchange.last_acknowledged(epoch), audit.last_acknowledged(epoch))
        if newest > acknowledged:
            place = Place(issuer=issuer, epoch=epoch, seq=acknowledged + 1)
            report.finding("unanswered", f"{newest - acknowledged} records not acknowledged", place)
        first, count = audit.undisclosed(epoch)
        if count:
            place = Place(issuer=issuer, epoch=epoch, seq=first)
            report.finding("undisclosed", f"{count} records with words erased or left out", place)
