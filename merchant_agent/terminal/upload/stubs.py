"""Records that are too large to be sent: a signed stub goes in their place, so that the chain goes on.

The record stays in the ledger and is offered once more later: what was in the way may be gone.

Source: PROTOCOL.md, "Stubs".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from merchant_agent.evidence.exchange import Batch
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.stub import Stub, sign_stub
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.alarms import clear_alarms, raise_alarm
from merchant_agent.terminal.store.ledger import find_entry
from merchant_agent.terminal.store.models import Stubbed

STUB_ALARM = "upload-stub"
OFFER_AGAIN_AFTER = timedelta(hours=6)


def make_stub(writer: Writer, key: SigningKey, signer: int, batch: Batch, at: datetime) -> bool:
    """Has a stub go for the batch's only record; False where one went already.

    `signer` is the epoch of the key.
    """
    entry = find_entry(writer, batch.epoch, batch.from_)
    if entry is None or stubs_between(writer, batch.epoch, batch.from_, batch.to):
        return False
    stub = Stub(
        issuer=batch.issuer,
        epoch=batch.epoch,
        seq=batch.from_,
        link=link_of(entry.octets),
        reason="too_large",
    )
    values = {
        "epoch": batch.epoch,
        "seq": batch.from_,
        "stub": sign_stub(key, stub, signer),
        "again_at": at + OFFER_AGAIN_AFTER,
    }
    writer.execute(Stubbed.insert(values))
    raise_alarm(writer, at=at, code=STUB_ALARM, detail=_name(batch))
    return True


def stubs_between(reader: Reader, epoch: int, first: int, last: int) -> Mapping[int, bytes]:
    """The stubs of those places, both included, by seq."""
    row = Stubbed
    here = (row.epoch == epoch) & row.seq.between(first, last)
    return {seq: bytes(stub) for seq, stub in reader.all(row.select(row.seq, row.stub).where(here).tuples())}


def next_stubbed(reader: Reader, epoch: int, acked_seq: int, now: datetime) -> int | None:
    """The oldest place whose stub was taken long enough ago, and whose record was not offered since."""
    row = Stubbed
    due = (row.epoch == epoch) & (row.seq <= acked_seq) & (row.again_at <= now) & ~row.is_offered
    seq: int | None = reader.scalar(row.select(row.seq).where(due).order_by(row.seq).limit(1))
    return seq


def note_offered(writer: Writer, batch: Batch) -> bool:
    """Has the batch's record, refused once more, not be offered again; False where it was no such offer."""
    row = Stubbed
    offer = (row.epoch == batch.epoch) & (row.seq == batch.from_) & ~row.is_offered
    return writer.execute(row.update({row.is_offered: True}).where(offer)) > 0


def take_off(writer: Writer, batch: Batch, at: datetime) -> None:
    """Forgets the stub of a record that central has taken itself."""
    row = Stubbed
    writer.execute(row.delete().where((row.epoch == batch.epoch) & (row.seq == batch.from_)))
    clear_alarms(writer, at=at, code=STUB_ALARM, detail=_name(batch))


def _name(batch: Batch) -> str:
    return f"{batch.epoch}.{batch.from_}"
