"""How far the upload came, as the database keeps it: each step is one transaction of its caller's.

Nothing here moves the acknowledged place but central's signed word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from merchant_agent.evidence.exchange import Ack, Batch
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import link_of
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.alarms import clear_alarms, raise_alarm
from merchant_agent.terminal.store.models import Epoch, LedgerRecord, SentBatch, UploadState
from merchant_agent.terminal.upload.outcome import Code, Outcome
from merchant_agent.terminal.upload.rejected import take_answers

READY = "ready"

# What somebody in the shop has to know of, by outcome; each alarm is raised once while it lasts.
ALARMS: Mapping[Code, str] = {
    Code.BEHIND: "upload-behind",
    Code.FROZEN: "upload-frozen",
    Code.REFUSED: "upload-refused",
    Code.NOT_ADMITTED: "upload-not-admitted",
    Code.TOO_LARGE: "upload-too-large",
    Code.FAILED: "upload-failed",
}

# After these nothing more of the epoch is sent. Source: PROTOCOL.md, "Upload".
ENDING = frozenset({Code.BEHIND, Code.FROZEN, Code.REVOKED})

# States that only central's signed word ends; a broken network in between hides them from nobody.
_LASTING = (*ENDING, Code.REFUSED)


def load_progress(reader: Reader) -> UploadState | None:
    """The one row, or None before the enrolment."""
    found: UploadState | None = reader.first(UploadState.select())
    return found


def keep_batch(writer: Writer, progress: UploadState, batch: Batch, octets: bytes) -> bool:
    """Makes the batch the one in flight; False when the epoch or the acknowledged place moved meanwhile."""
    row = UploadState
    unmoved = (row.epoch == progress.epoch) & (row.nonce == progress.nonce) & row.batch.is_null()
    kept = {row.batch: octets, row.client_nonce: batch.client_nonce}
    if writer.execute(row.update(kept).where(unmoved)) == 0:
        return False
    writer.execute(SentBatch.insert(client_nonce=batch.client_nonce, octets=octets))
    return True


def drop_batch(writer: Writer, client_nonce: str | None) -> None:
    """Forgets a batch that cannot be sent as it is, so that another can be made in its place."""
    row = UploadState
    writer.execute(
        row.update({row.batch: None, row.client_nonce: None}).where(row.client_nonce == client_nonce)
    )
    mine = SentBatch.client_nonce == client_nonce
    writer.execute(SentBatch.delete().where(mine & SentBatch.ack.is_null()))


def apply_outcome(writer: Writer, batch: Batch, outcome: Outcome, at: datetime) -> Outcome:
    """Carries out what the outcome of this batch changes; what it came to.

    That is `behind` instead of the outcome where central's head is none of this ledger's places.
    """
    if outcome.signed is None:
        _note(writer, outcome, at)
        if outcome.code in ALARMS:
            raise_alarm(writer, at=at, code=ALARMS[outcome.code])
        return outcome
    progress = load_progress(writer)
    if progress is None or progress.client_nonce != batch.client_nonce:
        return outcome  # of an epoch that ended meanwhile
    ack, octets = outcome.signed.ack, outcome.signed.octets
    if outcome.code in {Code.ACCEPTED, Code.RESEND} and not _is_ours(writer, ack.head):
        outcome = replace(outcome, code=Code.BEHIND, detail=f"central stands at {ack.head.seq}, not of ours")
    _take_answer(writer, ack, octets)
    if outcome.code in {Code.ACCEPTED, Code.RESEND}:
        _move(writer, ack.head)
    take_answers(writer, batch, ack, at, accepted=outcome.code is Code.ACCEPTED)
    _note(writer, outcome, at)
    if outcome.code is Code.ACCEPTED:
        for code in ALARMS.values():
            clear_alarms(writer, at=at, code=code)
    elif outcome.code in ALARMS:
        raise_alarm(writer, at=at, code=ALARMS[outcome.code])
    return outcome


def _is_ours(reader: Reader, head: Head) -> bool:
    """Whether the head is a place of this ledger with the same link."""
    if head.seq < 0:
        grant = reader.scalar(Epoch.select(Epoch.grant).where(Epoch.epoch == head.epoch))
        return grant is not None and link_of(grant) == head.link
    row = LedgerRecord
    here = (row.epoch == head.epoch) & (row.seq == head.seq)
    return bool(reader.scalar(row.select(row.link).where(here)) == head.link)


def _take_answer(writer: Writer, ack: Ack, octets: bytes) -> None:
    """The batch is answered: the next one is made anew, with the nonce that central expects."""
    row = UploadState
    writer.execute(row.update({row.nonce: ack.nonce, row.batch: None, row.client_nonce: None}))
    answered = SentBatch.client_nonce == ack.client_nonce
    writer.execute(SentBatch.update({SentBatch.ack: octets}).where(answered))


def _move(writer: Writer, head: Head) -> None:
    row = UploadState
    writer.execute(row.update({row.acked_seq: head.seq, row.acked_link: head.link}))


def _note(writer: Writer, outcome: Outcome, at: datetime) -> None:
    """What the counter page shows of the last attempt."""
    row = UploadState
    accepted = outcome.code is Code.ACCEPTED
    writer.execute(row.update({row.last_attempt_at: at, row.last_outcome: outcome.code}))
    if accepted:
        writer.execute(row.update({row.last_success_at: at}))
    state = READY if accepted or outcome.code is Code.RESEND else outcome.code.value
    change = row.update({row.state: state, row.state_detail: outcome.detail})
    if outcome.signed is None:
        change = change.where(row.state.not_in([code.value for code in _LASTING]))
    writer.execute(change)
