"""What others remember of this terminal's chain, compared with its ledger."""

from __future__ import annotations

from typing import Literal

from merchant_agent.evidence.jws import link_of
from merchant_agent.store.store import Reader
from merchant_agent.terminal.store.ledger import newest_record
from merchant_agent.terminal.store.models import Epoch, LedgerRecord

Comparison = Literal["known", "ahead", "other"]


def compare_place(reader: Reader, epoch: int, seq: int, link: str) -> Comparison:
    """Whether the ledger has that place with that link, ends before it, or has something else there."""
    row = LedgerRecord
    if seq >= 0:
        here = (row.epoch == epoch) & (row.seq == seq)
        found = reader.scalar(row.select(row.link).where(here))
    else:
        grant = reader.scalar(Epoch.select(Epoch.grant).where(Epoch.epoch == epoch))
        found = None if grant is None else link_of(grant)
    if found is not None:
        return "known" if found == link else "other"
    newest = newest_record(reader, epoch)
    return "ahead" if newest is None or seq > newest.seq else "other"
