"""What an upload comes to, given where central stands. Pure: the rules are those of `evidence.chain`.

Source: PROTOCOL.md, "Upload", the table of outcomes.
"""

from __future__ import annotations

import logging

from merchant_agent.central.intake.advance import Advance, UntrueBatchError
from merchant_agent.central.intake.known import compare_known
from merchant_agent.central.intake.standing import FROZEN, REVOKED, Standing
from merchant_agent.central.intake.upload import Upload
from merchant_agent.central.intake.verdicts import Contradiction, Judgement
from merchant_agent.evidence.exchange import Batch, Outcome

_log = logging.getLogger(__name__)


def judge(standing: Standing, upload: Upload) -> Judgement:
    """The outcome of an upload whose batch its issuer signed.

    An epoch that is over ends where its issuer said so: what comes behind that is a copy's.
    Contradictions come first: they must not hide behind a gap, or behind a stale nonce. Of a revoked
    key nothing more is taken than stood before, its words and what was missing of it.
    """
    stopped = _stopped(standing, upload)
    if stopped is not None:
        return stopped
    known = compare_known(standing, upload)
    conflict = known.conflict or _newest_conflict(standing, upload)
    if conflict is not None:
        return Judgement(
            outcome="revoked" if standing.state == REVOKED else "frozen",
            head=standing.head,
            totals=standing.totals,
            rejected=known.rejected,
            answers=known.answers,
            conflict=conflict,
        )
    apart = _apart(standing, upload.batch)
    if apart is not None:
        return _nothing(standing, apart)
    try:
        return Advance(standing, upload, known).run()
    except UntrueBatchError as error:
        return _refused(standing, upload, str(error))


def _stopped(standing: Standing, upload: Upload) -> Judgement | None:
    """The outcome where nothing of the upload is looked at."""
    if standing.state == FROZEN:
        return _nothing(standing, "frozen")
    if upload.flaw is not None:
        return _refused(standing, upload, upload.flaw)
    if not standing.is_signed:
        # Whoever holds a key that was revoked has no say about earlier epochs either. The terminal sends
        # the same records again under its next key.
        return _refused(standing, upload, f"signed by the key of epoch {upload.signer}, which was revoked")
    last_seq = standing.last_seq
    if last_seq is not None and upload.batch.newest.seq > last_seq:
        return _refused(
            standing, upload, f"seq {upload.batch.newest.seq} of an epoch that ended with {last_seq}"
        )
    if standing.state == REVOKED and upload.batch.to > standing.head.seq:
        return _nothing(standing, "revoked")
    return None


def _apart(standing: Standing, batch: Batch) -> Outcome | None:
    """Why the batch does not join the head; None where it does."""
    if batch.newest.seq < max(standing.head.seq, standing.claimed_seq):
        return "behind"
    if batch.from_ > standing.head.seq + 1 or batch.nonce != standing.nonce:
        return "resend"
    return None


def _newest_conflict(standing: Standing, upload: Upload) -> Contradiction | None:
    """The batch's word against what stands where its newest should, or against an earlier batch's word."""
    newest = upload.batch.newest
    held = standing.held.get(newest.seq)
    if held is not None and held.vouched and held.link != newest.link:
        octets: bytes | None = held.octets
    elif any(link != newest.link for link in standing.claims.get(newest.seq, ())):
        octets = None
    else:
        return None
    return Contradiction(seq=newest.seq, kind="newest", link=newest.link, held=octets, received=upload.octets)


def _nothing(standing: Standing, outcome: Outcome) -> Judgement:
    """An outcome with which nothing is taken up."""
    return Judgement(outcome=outcome, head=standing.head, totals=standing.totals)


def _refused(standing: Standing, upload: Upload, why: str) -> Judgement:
    _log.warning("refused a batch of %s.%d: %s", upload.granted.issuer, upload.granted.epoch, why)
    return _nothing(standing, "refused")
