"""What becomes of a slip's promise: kept, late, broken, or contradicted by another record.

Its deadline is the earlier of its own time and its first opening, plus the hours. The clock
stands still while the log publishes nothing. A slip that claims to be older than the checkpoint
that its terminal had seen before is wrong about the time: it counts from its first opening.

Whatever is found becomes a signed record of central's chain for the merchant, in the transaction
that changes the slip's row.

Source: PROTOCOL.md, "Slip".
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import peewee

from merchant_agent.central.intake.verdicts import STUB
from merchant_agent.central.log.silence import LogTime, read_log_time
from merchant_agent.central.own_chain import append_own
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Grant, Quarantine, Record, Slip
from merchant_agent.central.visits import agrees, find_record, find_visit
from merchant_agent.clock import format_at
from merchant_agent.errors import StoreCorruptError
from merchant_agent.evidence import record as evidence
from merchant_agent.evidence import slip as wire
from merchant_agent.evidence.bodies import FindingBody, FindingCode, Kind
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.grant import decode_grant
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash, link_of
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.store.fields import from_ms, to_ms
from merchant_agent.store.store import Reader, Writer

_log = logging.getLogger(__name__)

_TOGETHER = 500
_NEWEST_BEFORE = (
    "SELECT octets FROM record WHERE merchant = ? AND issuer = ? AND epoch = ? AND seq <= ?"
    " ORDER BY seq DESC LIMIT 1"
)


class Promise(StrEnum):
    """What has become of a slip."""

    PROMISED = "promised"
    KEPT = "kept"
    LATE = "late"
    BROKEN = "broken"
    CONFLICT = "conflict"


_OPEN = (Promise.PROMISED, Promise.BROKEN)
_FINDINGS: dict[Promise, FindingCode] = {
    Promise.BROKEN: "broken_promise",
    Promise.LATE: "late",
    Promise.CONFLICT: "conflict",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    """That something came to stand at the slip's place; whether it is what the slip promised."""

    at: datetime
    is_promised: bool


def place_of(row: Slip) -> Place:
    """The place that the slip promises."""
    return Place(issuer=row.issuer, epoch=row.epoch, seq=row.seq)


def due_ms(reader: Reader, row: Slip, log_time: LogTime) -> int | None:
    """When the promise is due, as far as is known now; None while the log has published nothing."""
    slip = wire.decode_slip(bytes(row.octets))
    opened_ms = to_ms(row.opened_at)
    begins_ms = min(slip.time * 1000, opened_ms)
    if slip.time < _anchored_s(reader, row):
        begins_ms = opened_ms
    return log_time.after(begins_ms, min(slip.deadline_hours, _granted_hours(reader, row)))


def settle(central: Central, tx: Writer, row: Slip, log_time: LogTime) -> Slip:
    """The slip's row brought to where its promise stands now; what is found is signed.

    Raises:
        StoreError: nothing was changed; the transaction can only be rolled back.
    """
    if row.state not in _OPEN:
        return row
    now = central.clock.now()
    due = due_ms(tx, row, log_time)
    arrival = _find_arrival(tx, row)
    state = _judge(row, arrival, due, to_ms(now), log_time)
    due_at = None if due is None else from_ms(due)
    arrived_at = None if arrival is None else arrival.at
    changed = {Slip.state: state.value, Slip.due_at: due_at, Slip.arrived_at: arrived_at}
    # Whoever changes the row first signs; the other one finds nothing to change.
    if tx.execute(Slip.update(changed).where(this_slip(row) & (Slip.state == row.state))) == 0:
        return _again(tx, row)
    if state != row.state and state in _FINDINGS:
        _sign_finding(central, tx, row, _FINDINGS[state], due_at)
    return _again(tx, row)


def sweep_promises(central: Central) -> int:
    """Settles the promises that are due or that something arrived for; how many were looked at.

    Several processes may do this at once.

    Raises:
        StoreError: the rest is left for the next time.
    """
    with central.store.read() as reader:
        log_time = read_log_time(reader)
        rows = {bytes(row.digest): row for row in (*_arrived(reader), *_due(central, reader, log_time))}
    for row in rows.values():
        with central.store.write() as tx:
            settle(central, tx, row, log_time)
    return len(rows)


def this_slip(row: Slip) -> peewee.Expression:
    """The one row."""
    return (
        (Slip.merchant == row.merchant)
        & (Slip.issuer == row.issuer)
        & (Slip.epoch == row.epoch)
        & (Slip.seq == row.seq)
        & (Slip.digest == bytes(row.digest))
    )


def _again(reader: Reader, row: Slip) -> Slip:
    fresh: Slip | None = reader.first(Slip.select().where(this_slip(row)))
    if fresh is None:
        raise StoreCorruptError("a slip has vanished")
    return fresh


def _judge(row: Slip, arrival: _Arrival | None, due: int | None, now_ms: int, log_time: LogTime) -> Promise:
    if arrival is not None:
        if not arrival.is_promised:
            return Promise.CONFLICT
        return Promise.LATE if due is not None and to_ms(arrival.at) > due else Promise.KEPT
    if row.state == Promise.BROKEN:
        return Promise.BROKEN
    is_due = due is not None and due <= now_ms and not log_time.stands_still(due, now_ms)
    return Promise.BROKEN if is_due else Promise.PROMISED


def _find_arrival(reader: Reader, row: Slip) -> _Arrival | None:
    """What stands at the place: an accepted record, or one that was set aside and that its issuer signed.

    What was set aside counts for nothing, even if its leaf was promised: it keeps no promise.
    """
    said = find_record(reader, row.merchant, place_of(row))
    if said is not None:
        received_at = reader.scalar(Record.select(Record.received_at).where(_same(Record, row)))
        slip = wire.decode_slip(bytes(row.octets))
        is_promised = leaf_hash(said.octets) == slip.leaf and agrees(
            slip, find_visit(reader, row.merchant, said)
        )
        return _Arrival(at=_known(received_at), is_promised=is_promised)
    stood = (Quarantine.placed == 1) & (Quarantine.vouched == 1)
    aside: Quarantine | None = reader.first(Quarantine.select().where(_same(Quarantine, row) & stood))
    if aside is None:
        return None
    octets = bytes(aside.line).partition(b"~")[0]
    if link_of(octets) != aside.link:
        # Something else stands there, which never came as it was signed.
        return None
    return _Arrival(at=aside.received_at, is_promised=False)


def _known(moment: datetime | None) -> datetime:
    if moment is None:
        raise StoreCorruptError("a record has no time of arrival")
    return moment


def _anchored_s(reader: Reader, row: Slip) -> int:
    """The time of the newest checkpoint that the terminal had surely seen; 0 where none is known."""
    rows = reader.rows(_NEWEST_BEFORE, row.merchant, row.issuer, row.epoch, row.seq)
    if not rows:
        return 0
    anchor = evidence.decode_record(decode_jws(bytes(rows[0][0]), Typ.RECORD).payload).anchor
    return 0 if anchor is None else anchor.time


def _granted_hours(reader: Reader, row: Slip) -> int:
    granted = (Grant.merchant == row.merchant) & (Grant.issuer == row.issuer) & (Grant.epoch == row.epoch)
    octets = reader.scalar(Grant.select(Grant.octets).where(granted))
    if octets is None:
        raise StoreCorruptError(f"the grant of {row.issuer}.{row.epoch} is missing")
    return decode_grant(decode_jws(bytes(octets), Typ.GRANT).payload).deadline_hours


def _sign_finding(
    central: Central, tx: Writer, row: Slip, code: FindingCode, due_at: datetime | None
) -> None:
    zone = central.clock.now().tzinfo
    body = FindingBody(
        code=code,
        place=place_of(row),
        leaf=encode_b64u(bytes(row.leaf)),
        due_at=None if due_at is None else format_at(due_at.astimezone(zone)),
    )
    append_own(central, tx, row.merchant, Kind.FINDING, body)
    _log.warning("%s: seq %d of %s.%d", code, row.seq, row.issuer, row.epoch)


def _arrived(reader: Reader) -> Iterable[Slip]:
    """Slips that wait although something stands at their place; where a stub does, nothing came yet."""
    waits = Slip.state.in_([state.value for state in _OPEN])
    stands = (Quarantine.placed == 1) & (Quarantine.vouched == 1) & (Quarantine.rule != STUB)
    for table, came in ((Record, waits), (Quarantine, waits & stands)):
        same = (
            (table.merchant == Slip.merchant)
            & (table.issuer == Slip.issuer)
            & (table.epoch == Slip.epoch)
            & (table.seq == Slip.seq)
        )
        yield from reader.all(Slip.select().join(table, on=same).where(came).limit(_TOGETHER))


def _due(central: Central, reader: Reader, log_time: LogTime) -> Iterable[Slip]:
    now_ms = to_ms(central.clock.now())
    if log_time.stands_still(now_ms, now_ms):
        return []
    due = Slip.due_at.is_null() | (Slip.due_at <= now_ms)
    waits = (Slip.state == Promise.PROMISED.value) & due
    rows: list[Slip] = reader.all(Slip.select().where(waits).order_by(Slip.due_at).limit(_TOGETHER))
    return rows


def _same(table: type[Record | Quarantine], row: Slip) -> peewee.Expression:
    return (
        (table.merchant == row.merchant)
        & (table.issuer == row.issuer)
        & (table.epoch == row.epoch)
        & (table.seq == row.seq)
    )
