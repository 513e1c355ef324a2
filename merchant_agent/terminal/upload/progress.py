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
from merchant_agent.terminal.store.holds import Reason
from merchant_agent.terminal.store.models import Epoch, LedgerRecord, SentBatch, UploadState
from merchant_agent.terminal.upload.outcome import Code, Outcome
from merchant_agent.terminal.upload.rejected import take_answers

READY = "ready"

# What somebody in the shop has to know of, by outcome; each alarm is raised once while it lasts.
# What ends the epoch in force is told of by the hold that follows.
ALARMS: Mapping[Code, str] = {
    Code.REFUSED: "upload-refused",
    Code.NOT_ADMITTED: "upload-not-admitted",
    Code.TOO_LARGE: "upload-too-large",
    Code.FAILED: "upload-failed",
}

EARLIER_ALARM = "upload-earlier"

# After these nothing more of the epoch is sent; where it is in force, the terminal is put on hold. Source: PROTOCOL.md, "Upload".
HOLDS: Mapping[Code, Reason] = {Code.BEHIND: "behind", Code.FROZEN: "frozen", Code.REVOKED: "epoch"}
ENDING = frozenset(HOLDS)

# States that only central's signed word ends; a broken network in between hides them from nobody.
_LASTING = (*ENDING, Code.REFUSED)
_ENDED = [code.value for code in ENDING]


def load_progress(reader: Reader, epoch: int | None = None) -> UploadState | None:
    """The row of an epoch, of the one in force unless given, or None before the enrolment."""
    row = UploadState
    query = row.select() if epoch is None else row.select().where(row.epoch == epoch)
    found: UploadState | None = reader.first(query.order_by(row.epoch.desc()))
    return found


def all_progress(reader: Reader) -> list[UploadState]:
    """The rows of all epochs, oldest first."""
    return reader.all(UploadState.select().order_by(UploadState.epoch))


def open_progress(reader: Reader) -> list[UploadState]:
    """The rows of the epochs of which something may be sent, oldest first."""
    row = UploadState
    return reader.all(row.select().where(row.state.not_in(_ENDED)).order_by(row.epoch))


def keep_batch(writer: Writer, progress: UploadState, batch: Batch, octets: bytes) -> bool:
    """Makes the batch the one in flight; False when the epoch's acknowledged place moved or it ended meanwhile."""
    row = UploadState
    unmoved = (
        (row.epoch == progress.epoch)
        & (row.nonce == progress.nonce)
        & row.batch.is_null()
        & row.state.not_in(_ENDED)
    )
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
        _note_unsigned(writer, outcome, at)
        if outcome.code in ALARMS:
            raise_alarm(writer, at=at, code=ALARMS[outcome.code])
        return outcome
    progress = load_progress(writer, batch.epoch)
    if progress is None or progress.client_nonce != batch.client_nonce:
        return outcome  # of a batch that another took the place of
    ack, octets = outcome.signed.ack, outcome.signed.octets
    if outcome.code in {Code.ACCEPTED, Code.RESEND} and not _is_ours(writer, ack.head):
        outcome = replace(outcome, code=Code.BEHIND, detail=f"central stands at {ack.head.seq}, not of ours")
    _take_answer(writer, ack, octets)
    if outcome.code in {Code.ACCEPTED, Code.RESEND}:
        _move(writer, ack.head)
    take_answers(writer, batch, ack, at, accepted=outcome.code is Code.ACCEPTED)
    _note_signed(writer, ack.epoch, outcome, at)
    if outcome.code is Code.ACCEPTED:
        for code in ALARMS.values():
            clear_alarms(writer, at=at, code=code)
    elif outcome.code in ALARMS:
        raise_alarm(writer, at=at, code=ALARMS[outcome.code])
    elif outcome.code in ENDING and _is_over(writer, ack.epoch):
        raise_alarm(writer, at=at, code=EARLIER_ALARM, detail=f"{ack.epoch} {outcome.code}")
    return outcome


def take_head(writer: Writer, head: Head, nonce: str) -> None:
    """Has the next batch of that epoch begin behind central's head, which is one of this ledger's places."""
    row = UploadState
    progress = load_progress(writer, head.epoch)
    if progress is not None and progress.client_nonce is not None:
        drop_batch(writer, progress.client_nonce)
    state = {row.nonce: nonce, row.acked_seq: head.seq, row.acked_link: head.link}
    writer.execute(row.update(state).where(row.epoch == head.epoch))
    is_behind = (row.epoch == head.epoch) & (row.state == Code.BEHIND.value)
    writer.execute(row.update({row.state: READY, row.state_detail: ""}).where(is_behind))


def reopen(writer: Writer, epoch: int, at: datetime) -> None:
    """Has what waits of an epoch that is over be sent again, now that what central has of it is here too."""
    row = UploadState
    is_behind = (row.epoch == epoch) & (row.state == Code.BEHIND.value)
    writer.execute(row.update({row.state: READY, row.state_detail: ""}).where(is_behind))
    clear_alarms(writer, at=at, code=EARLIER_ALARM, detail=f"{epoch} {Code.BEHIND}")


def _is_over(reader: Reader, epoch: int) -> bool:
    """Whether a later epoch is in force."""
    newest = load_progress(reader)
    return newest is not None and newest.epoch > epoch


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
    answered = {row.nonce: ack.nonce, row.batch: None, row.client_nonce: None}
    writer.execute(row.update(answered).where(row.epoch == ack.epoch))
    sent = SentBatch.client_nonce == ack.client_nonce
    writer.execute(SentBatch.update({SentBatch.ack: octets}).where(sent))


def _move(writer: Writer, head: Head) -> None:
    row = UploadState
    moved = {row.acked_seq: head.seq, row.acked_link: head.link}
    writer.execute(row.update(moved).where(row.epoch == head.epoch))


def _note_signed(writer: Writer, epoch: int, outcome: Outcome, at: datetime) -> None:
    """What the counter page shows of the last attempt: central answered, whatever it says of this epoch."""
    row = UploadState
    told = {row.last_attempt_at: at, row.last_outcome: outcome.code}
    if outcome.code is Code.ACCEPTED:
        told[row.last_success_at] = at
    writer.execute(row.update(told))
    ready = {row.state: READY, row.state_detail: ""}
    writer.execute(row.update(ready).where(row.state.not_in(_LASTING)))
    state = READY if outcome.code in {Code.ACCEPTED, Code.RESEND} else outcome.code.value
    change = row.update({row.state: state, row.state_detail: outcome.detail})
    writer.execute(change.where(row.epoch == epoch))


def _note_unsigned(writer: Writer, outcome: Outcome, at: datetime) -> None:
    """The same where nobody vouches for the answer: what central signed before stays."""
    row = UploadState
    writer.execute(row.update({row.last_attempt_at: at, row.last_outcome: outcome.code}))
    state = {row.state: outcome.code.value, row.state_detail: outcome.detail}
    writer.execute(row.update(state).where(row.state.not_in(_LASTING)))
