"""What waits for the log: put there in the transaction that stores it, taken away by the sequencer.

Whoever stores a record, a grant or a slip that is to be logged calls `enqueue` with the same
`Writer`, so that nothing is stored that will not be logged, and nothing logged that is not stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from merchant_agent.central.store.models import LogWaiting
from merchant_agent.store.rows import Rows
from merchant_agent.store.store import Reader, Writer

Kind = Literal["record", "grant", "slip"]
GRANT_SEQ = -1

_COLUMNS = ("merchant", "issuer", "epoch", "seq", "leaf", "kind", "at")
_ANY = "SELECT 1 FROM log_waiting LIMIT 1"
_LATEST_OF = "SELECT at FROM log_waiting ORDER BY at LIMIT 1 OFFSET ?"
_TAKE_UNTIL = "DELETE FROM log_waiting WHERE at <= ? RETURNING at, merchant, issuer, epoch, seq, leaf, kind"
_END_OF_TIME = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A leaf hash to be logged and what it is of: a place, where a grant has the seq -1."""

    merchant: str
    issuer: str
    epoch: int
    seq: int
    leaf: bytes
    kind: Kind


def enqueue(tx: Writer, leaves: Sequence[Waiting], at_ms: int) -> None:
    """Has the leaves logged, once `tx` is committed; `at_ms` is now, in milliseconds since 1970.

    Raises:
        StoreConflictError: one of them waits already.
    """
    rows = waiting_rows(leaves, at_ms)
    tx.copy_rows(rows.model, rows.columns, rows.rows)


def waiting_rows(leaves: Sequence[Waiting], at_ms: int) -> Rows:
    """The rows of `enqueue`, to be inserted together with those of other tables."""
    rows = [
        (each.merchant, each.issuer, each.epoch, each.seq, each.leaf, each.kind, at_ms) for each in leaves
    ]
    return Rows(model=LogWaiting, columns=_COLUMNS, rows=rows)


def is_waiting(reader: Reader) -> bool:
    """Whether there is anything to take up."""
    return bool(reader.rows(_ANY))


def take(tx: Writer, about: int) -> list[Waiting]:
    """The oldest leaves, in order of time and place, out of the queue with this transaction.

    `about` so many: those of one moment are not parted.
    """
    latest = tx.rows(_LATEST_OF, about - 1)
    rows = tx.rows(_TAKE_UNTIL, latest[0][0] if latest else _END_OF_TIME)
    return [
        Waiting(merchant=merchant, issuer=issuer, epoch=epoch, seq=seq, leaf=bytes(leaf), kind=kind)
        for _, merchant, issuer, epoch, seq, leaf, kind in sorted(rows)
    ]
