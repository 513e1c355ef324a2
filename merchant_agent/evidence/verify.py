"""Verifying an export: every rule, one verdict.

Source: PROTOCOL.md, "What a verifier does".
"""

from __future__ import annotations

from concurrent.futures import Executor

from merchant_agent.evidence.archive import Source
from merchant_agent.evidence.audit_exchange import ExchangeAudit
from merchant_agent.evidence.audit_grants import Grants, audit_grants
from merchant_agent.evidence.audit_log import Log, audit_log
from merchant_agent.evidence.audit_records import RecordAudit
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.trust import Trust
from merchant_agent.evidence.verdict import Finding, FindingCode, Report, Verdict, Violation

__all__ = ["Finding", "Source", "Verdict", "Violation", "verify_export"]


def verify_export(
    source: Source, trust: Trust | None, *, signatures: bool = True, helpers: Executor | None = None
) -> Verdict:
    """What the rules V1 to V16 say of an export.

    Without trust the structure is verified against the keys in the export itself. With
    `signatures=False` the signatures of records and slips are left out: much faster, and only the
    hashes, grants, batches, acknowledgements and the log speak. `helpers`, best processes, check the
    signatures of some hundreds of records at a time; the verdict is the same. Memory does not grow
    with the records of an export.

    Raises:
        FormatError: the export cannot be read.
    """
    report = Report()
    grants = audit_grants(source, trust, report)
    log = audit_log(source, trust, report)
    records = slips = 0
    head, acknowledged_at = None, None
    if grants.by_epoch:
        audit = RecordAudit(source, grants, log, report, helpers, signatures=signatures)
        records = audit.run()
        slips = audit.watch.slips.line
        exchange = ExchangeAudit(source, grants, log, report)
        exchange.run()
        head, acknowledged_at = audit.newest_head(), exchange.acknowledged_at
        _find(grants, log, audit, exchange, report)
    return Verdict(
        trusted=grants.trusted and log.trusted,
        signatures=signatures,
        records=records,
        slips=slips,
        checkpoints=log.checkpoints,
        proofs=len(log.proofs),
        violations=tuple(report.violations),
        counts=report.counts,
        findings=report.findings(),
        fingerprints=grants.fingerprints | log.fingerprints,
        head=head,
        acknowledged_at=acknowledged_at,
    )


def _find(grants: Grants, log: Log, audit: RecordAudit, exchange: ExchangeAudit, report: Report) -> None:
    """Tells of records behind an epoch's end, without an answer, without words or without a proof."""
    closed = {g.grant.closes.epoch: g.grant.closes for g in grants.by_epoch.values() if g.grant.closes}
    for epoch, granted in grants.by_epoch.items():
        issuer = granted.grant.issuer
        newest = audit.head_seq(epoch)
        closes = closed.get(epoch)
        # Signed by central, and with the link of what stands there.
        acknowledged = min(exchange.last_acknowledged(epoch), audit.last_acknowledged(epoch))
        ends: list[tuple[FindingCode, int]] = [("unanswered", acknowledged)]
        if closes is not None:
            ends.append(("late", closes.seq))
        if log.checkpoints:
            ends.append(("unlogged", audit.watch.proofs.proven.get(epoch, -1)))
        for code, end in ends:
            if newest > end:
                report.found(code, Place(issuer=issuer, epoch=epoch, seq=end + 1), newest - end)
        first, count = audit.undisclosed(epoch)
        if count:
            report.found("undisclosed", Place(issuer=issuer, epoch=epoch, seq=first), count)
