"""How the upload stands, for the counter page and the health check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import peewee

from merchant_agent.store.store import Reader
from merchant_agent.terminal.store.checkpoints import count_split_views, newest_kept
from merchant_agent.terminal.store.ledger import newest_record
from merchant_agent.terminal.store.models import LedgerRecord, Quarantine, UploadState
from merchant_agent.terminal.upload.progress import all_progress, load_progress

NOT_ENROLLED = "not-enrolled"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadStatus:
    """`state` is `not-enrolled`, `ready`, or the code of what is in the way; `detail` is for the log.

    `waiting` counts records that central has not confirmed; `oldest_at` is the first one's
    time. `acked_epoch` and `acked_seq` are central's confirmed place, the seq -1 before the
    first. `rejected` counts records that central refused. `log_size` is how many leaves of
    central's log this terminal verified, 0 before the first; `split_views` counts checkpoints
    that contradict them. `retry_in_s` is None while no attempt is waited for.
    """

    state: str = NOT_ENROLLED
    detail: str = ""
    waiting: int = 0
    oldest_at: datetime | None = None
    acked_epoch: int = 0
    acked_seq: int = -1
    rejected: int = 0
    log_size: int = 0
    split_views: int = 0
    last_success_at: datetime | None = None
    last_attempt_at: datetime | None = None
    last_outcome: str = ""
    retry_in_s: float | None = None


def read_status(reader: Reader, *, retry_in_s: float | None) -> UploadStatus:
    """The status as of the reader's snapshot."""
    progress = load_progress(reader)
    if progress is None:
        return UploadStatus()
    waiting = _waiting(reader)
    kept = newest_kept(reader)
    return UploadStatus(
        state=progress.state,
        detail=progress.state_detail,
        waiting=sum(count for _, count in waiting),
        oldest_at=_at(reader, waiting[0][0]) if waiting else None,
        acked_epoch=progress.epoch,
        acked_seq=progress.acked_seq,
        rejected=reader.scalar(Quarantine.select(peewee.fn.COUNT(Quarantine.seq))) or 0,
        log_size=0 if kept is None else kept.size,
        split_views=count_split_views(reader),
        last_success_at=progress.last_success_at,
        last_attempt_at=progress.last_attempt_at,
        last_outcome=progress.last_outcome,
        retry_in_s=retry_in_s,
    )


def _waiting(reader: Reader) -> list[tuple[UploadState, int]]:
    """The epochs of which records wait, and how many, oldest first."""
    counted = []
    for progress in all_progress(reader):
        newest = newest_record(reader, progress.epoch)
        if newest is not None and newest.seq > progress.acked_seq:
            counted.append((progress, newest.seq - progress.acked_seq))
    return counted


def _at(reader: Reader, progress: UploadState) -> datetime | None:
    """When the oldest waiting record of the epoch was signed."""
    row = LedgerRecord
    waiting = (row.epoch == progress.epoch) & (row.seq == progress.acked_seq + 1)
    oldest: LedgerRecord | None = reader.first(row.select().where(waiting))
    return None if oldest is None else oldest.at
