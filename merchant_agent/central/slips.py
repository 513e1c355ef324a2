"""Slips as customers bring them: opened by the key that signed them, stored and logged at once.

Opening a slip gives it to central: from then on the promise is ours to watch.

Source: PROTOCOL.md, "Slip".
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime

from merchant_agent.central.log.proofs import inclusion_proof
from merchant_agent.central.log.silence import read_log_time
from merchant_agent.central.log.waiting import Waiting, enqueue
from merchant_agent.central.promises import Promise, place_of, settle, this_slip
from merchant_agent.central.revocations import is_in_force
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import MerchantEntry, Slip
from merchant_agent.central.visits import Said, find_record
from merchant_agent.errors import (
    FormatError,
    InvalidError,
    NotFoundError,
    StoreConflictError,
    VerificationError,
)
from merchant_agent.evidence import slip as wire
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.query_code import query_code
from merchant_agent.store.fields import from_ms, to_ms
from merchant_agent.store.store import Writer

_log = logging.getLogger(__name__)

_AHEAD_S = 300


class RevokedSlipError(InvalidError):
    """A slip of a key that an officer had ended; its holder can still tell us, at the `merchant`'s poster."""

    def __init__(self, merchant: str) -> None:
        super().__init__("slip-revoked", "its key does not count for this place")
        self.merchant = merchant


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSlip:
    """A slip that its terminal signed, and where its promise stands.

    `due_at` is None while the log has published nothing; `waits_for_log` says that its clock stands
    still now. `row` is as it is stored.
    """

    row: Slip
    slip: wire.Slip
    merchant: MerchantEntry
    state: Promise
    due_at: datetime | None
    waits_for_log: bool

    @property
    def query_code(self) -> str:
        """The number that stands for its record towards people."""
        return query_code(self.slip.leaf)


def open_promise(central: Central, text: str) -> OpenedSlip:
    """The slip in an address; the first time that it is opened it is stored and logged.

    Raises:
        InvalidError: "slip", when it is none, or no terminal of ours signed it.
        RevokedSlipError: its key had been revoked before it was first opened.
        StoreError: nothing was stored.
    """
    octets, slip, merchant = _open(central, text)
    try:
        with central.store.write() as tx:
            return _settled(central, tx, _stored(central, tx, octets, slip, merchant))
    except StoreConflictError:
        # Two devices opened it at the same moment: the other one's opening is the first.
        with central.store.write() as tx:
            return _settled(central, tx, _stored(central, tx, octets, slip, merchant))


def proof_of(central: Central, text: str) -> bytes:
    """The file that proves the slip's record to be in the log.

    Raises:
        InvalidError: "slip".
        NotFoundError: "log" or "leaf", while no checkpoint holds it.
    """
    _, slip, _ = _open(central, text)
    return inclusion_proof(central, slip.leaf)


def record_of(central: Central, text: str) -> Said:
    """The record at the slip's place, if it is the one that the slip promised.

    Raises:
        InvalidError: "slip".
        NotFoundError: "record".
    """
    _, slip, merchant = _open(central, text)
    with central.store.read() as reader:
        said = find_record(reader, merchant, slip.place)
    if said is None or leaf_hash(said.octets) != slip.leaf:
        raise NotFoundError("record", "the slip's record is not here")
    return said


def lock_slip(tx: Writer, row: Slip) -> None:
    """Nobody else can change what belongs to this slip until the transaction ends."""
    tx.execute(Slip.update({Slip.state: Slip.state}).where(this_slip(row)))


def _open(central: Central, text: str) -> tuple[bytes, wire.Slip, str]:
    """Octets, content and merchant of a slip that a granted key of a terminal signed."""
    try:
        octets = wire.parse_slip(text)
        stated = wire.decode_slip(octets)
        granted = central.issuers.find(central.store, stated.place.issuer, stated.place.epoch)
        slip = wire.open_slip(octets, granted.key)
    except (FormatError, NotFoundError, VerificationError) as error:
        raise InvalidError("slip", str(error)) from error
    return octets, slip, granted.merchant


def _stored(central: Central, tx: Writer, octets: bytes, slip: wire.Slip, merchant: str) -> Slip:
    digest = hashlib.sha256(octets).digest()
    place = slip.place
    row = Slip(
        merchant=merchant,
        issuer=place.issuer,
        epoch=place.epoch,
        seq=place.seq,
        digest=digest,
        leaf=slip.leaf,
        octets=octets,
        issued_at=from_ms(slip.time * 1000),
        opened_at=central.clock.now(),
        state=Promise.PROMISED.value,
    )
    known: Slip | None = tx.first(Slip.select().where(this_slip(row)))
    if known is not None:
        return known
    # What was opened before the key was revoked stays promised.
    if not is_in_force(tx, merchant, place):
        _log.warning("a slip behind a revocation: seq %d of %s.%d", place.seq, place.issuer, place.epoch)
        raise RevokedSlipError(merchant)
    tx.execute(Slip.insert(**row.__data__))
    leaf = Waiting(
        merchant=merchant,
        issuer=place.issuer,
        epoch=place.epoch,
        seq=place.seq,
        leaf=leaf_hash(octets),
        kind="slip",
    )
    enqueue(tx, [leaf], to_ms(row.opened_at))
    ahead_s = slip.time - int(row.opened_at.timestamp())
    if ahead_s > _AHEAD_S:
        _log.warning("a slip of %s.%d is %d s ahead of its opening", place.issuer, place.epoch, ahead_s)
    return row


def _settled(central: Central, tx: Writer, row: Slip) -> OpenedSlip:
    log_time = read_log_time(tx)
    row = settle(central, tx, row, log_time)
    entry: MerchantEntry | None = tx.first(MerchantEntry.select().where(MerchantEntry.id == row.merchant))
    if entry is None:
        raise NotFoundError("merchant", f"the merchant of {place_of(row).issuer} is not registered any more")
    now_ms = to_ms(central.clock.now())
    return OpenedSlip(
        row=row,
        slip=wire.decode_slip(bytes(row.octets)),
        merchant=entry,
        state=Promise(row.state),
        due_at=row.due_at,
        waits_for_log=log_time.stands_still(now_ms, now_ms),
    )
