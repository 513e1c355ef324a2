"""Records that central rejected: they stay in the ledger, are named here, and sound ones go once more.

What was wrong may have been the one time that a record was read or sent; central takes the
true octets of a place whenever they come.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.disclosure import check_disclosures
from merchant_agent.evidence.exchange import Ack, Batch
from merchant_agent.evidence.grant import decode_grant
from merchant_agent.evidence.jws import Typ, decode_jws, verify_jws
from merchant_agent.evidence.record import decode_record
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.alarms import clear_alarms, raise_alarm
from merchant_agent.terminal.store.ledger import find_entry
from merchant_agent.terminal.store.models import Epoch, Quarantine

REJECTED_ALARM = "upload-rejected"

# What a record's own octets and words decide; totals that do not add up (V6) stay as they are.
_OF_ITS_OCTETS = frozenset({"V1", "V2", "V3", "V10"})


def next_rejected(reader: Reader, epoch: int, acked_seq: int) -> int | None:
    """The oldest acknowledged place whose record was rejected, is sound here and was not sent again."""
    row = Quarantine
    waits = (row.epoch == epoch) & (row.seq <= acked_seq) & row.send_again
    seq: int | None = reader.scalar(row.select(row.seq).where(waits).order_by(row.seq).limit(1))
    return seq


def take_answers(writer: Writer, batch: Batch, ack: Ack, at: datetime, *, accepted: bool) -> None:
    """Names what the batch's answer rejects, once; what it no longer rejects is taken off again."""
    row = Quarantine
    sent = (row.epoch == ack.epoch) & row.seq.between(batch.from_, batch.to)
    writer.execute(row.update({row.send_again: False}).where(sent))
    rejected = {answer.seq: answer.rule for answer in ack.answers if answer.rule is not None}
    if accepted:
        _take_off(writer, writer.all(row.select().where(sent)), rejected, at)
    for seq, rule in rejected.items():
        send_again = rule in _OF_ITS_OCTETS and is_sound(writer, ack.epoch, seq)
        values = {"epoch": ack.epoch, "seq": seq, "rule": rule, "at": at, "send_again": send_again}
        writer.execute(row.insert(values).on_conflict_ignore())
        raise_alarm(writer, at=at, code=REJECTED_ALARM, detail=f"{seq} {rule}")


def is_sound(reader: Reader, epoch: int, seq: int) -> bool:
    """Whether the ledger has at this place what a verifier takes there, words included."""
    entry = find_entry(reader, epoch, seq)
    granted = reader.scalar(Epoch.select(Epoch.grant).where(Epoch.epoch == epoch))
    if entry is None or granted is None:
        return False
    try:
        grant = decode_grant(decode_jws(granted, Typ.GRANT).payload)
        jws = decode_jws(entry.octets, Typ.RECORD)
        verify_jws(jws, grant.verifying_key())
        record = decode_record(jws.payload)
        check_disclosures(record, entry.disclosures)
    except (FormatError, VerificationError):
        return False
    return (jws.kid, record.issuer, record.epoch, record.seq) == (grant.kid, grant.issuer, epoch, seq)


def _take_off(writer: Writer, sent: list[Quarantine], rejected: Mapping[int, str], at: datetime) -> None:
    for found in sent:
        if found.seq not in rejected:
            here = (Quarantine.epoch == found.epoch) & (Quarantine.seq == found.seq)
            writer.execute(Quarantine.delete().where(here))
            clear_alarms(writer, at=at, code=REJECTED_ALARM, detail=f"{found.seq} {found.rule}")
