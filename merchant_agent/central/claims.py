"""Claims: what a customer took along in secret, and which devices came with it.

The right claim lets one read what was said and correct it. It gives no authority over others who
have it too: a till could open every slip. So every device is told of the others, and what
several have opened is contested.

Source: PROTOCOL.md, "Slip".
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

import peewee

from merchant_agent.central.devices import Device
from merchant_agent.central.promises import place_of
from merchant_agent.central.services import Central
from merchant_agent.central.slips import OpenedSlip, lock_slip
from merchant_agent.central.store.models import Slip, SlipOpening
from merchant_agent.central.visits import Said, find_record, find_visit
from merchant_agent.errors import FormatError, InvalidError, SignInError
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.slip import CLAIM_BYTES, claim_hash
from merchant_agent.store.store import Reader

_TOKEN_BYTES = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A device that came with a claim, as its page knows it.

    `visit` is what was said at the visit, for the right claim; it is empty while the record has not
    come or is not the promised one, and nobody can tell whether the claim is right. `others` are the
    first times of other devices that came with the same claim, in order.
    """

    opened_at: datetime
    has_key: bool
    visit: tuple[Said, ...]
    others: tuple[datetime, ...]

    @property
    def is_contested(self) -> bool:
        """Whether another device has the claim too."""
        return bool(self.others)

    @property
    def others_before(self) -> tuple[datetime, ...]:
        """Those that were there first."""
        return tuple(moment for moment in self.others if moment < self.opened_at)

    @property
    def rating(self) -> Said | None:
        """The visit's rating; None where it has none."""
        rated = [said for said in self.visit if said.level]
        return rated[-1] if rated else None


def present_claim(central: Central, opened: OpenedSlip, claim: str, device: Device) -> str:
    """The token by which the device's page is known from now on; a new one each time.

    Raises:
        InvalidError: "claim", when it is none, or not the one that the record names.
    """
    try:
        hashed = claim_hash(decode_b64u(claim, length=CLAIM_BYTES))
    except FormatError as error:
        raise InvalidError("claim", str(error)) from error
    row = opened.row
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with central.store.write() as tx:
        lock_slip(tx, row)
        promised = _promised(tx, row)
        if promised is not None and promised.claim != hashed:
            raise InvalidError("claim", "the record names another claim")
        mine = _openings(row) & (SlipOpening.device == device.id)
        changed = {SlipOpening.token_hash: _digest(token), SlipOpening.claim: hashed}
        if tx.execute(SlipOpening.update(changed).where(mine)) == 0:
            tx.execute(
                SlipOpening.insert(
                    merchant=row.merchant,
                    issuer=row.issuer,
                    epoch=row.epoch,
                    seq=row.seq,
                    digest=bytes(row.digest),
                    device=device.id,
                    claim=hashed,
                    key=device.key,
                    token_hash=_digest(token),
                    opened_at=central.clock.now(),
                )
            )
    return token


def find_holder(reader: Reader, row: Slip, token: str) -> Holder | None:
    """The device with this token, if its claim is right or nobody can tell yet; else None."""
    rows: list[SlipOpening] = reader.all(SlipOpening.select().where(_openings(row)))
    mine = next((each for each in rows if bytes(each.token_hash) == _digest(token)), None)
    if mine is None:
        return None
    promised = _promised(reader, row)
    if promised is not None and promised.claim != mine.claim:
        return None
    others = [each.opened_at for each in rows if each.claim == mine.claim and each is not mine]
    visit = () if promised is None else tuple(find_visit(reader, row.merchant, promised))
    return Holder(
        opened_at=mine.opened_at,
        has_key=mine.key is not None,
        visit=tuple(said for said in visit if said.claim == mine.claim),
        others=tuple(sorted(others)),
    )


def require_holder(reader: Reader, row: Slip, token: str) -> Holder:
    """`find_holder`, for what only a holder of the right claim may do.

    Raises:
        SignInError: "claim", when the claim is not known to be right.
    """
    holder = find_holder(reader, row, token)
    if holder is None or not holder.visit:
        raise SignInError("claim", "the slip's claim is needed for this")
    return holder


def _promised(reader: Reader, row: Slip) -> Said | None:
    """The record at the slip's place, if it is the promised one."""
    said = find_record(reader, row.merchant, place_of(row))
    return said if said is not None and leaf_hash(said.octets) == bytes(row.leaf) else None


def _openings(row: Slip) -> peewee.Expression:
    return (
        (SlipOpening.merchant == row.merchant)
        & (SlipOpening.issuer == row.issuer)
        & (SlipOpening.epoch == row.epoch)
        & (SlipOpening.seq == row.seq)
        & (SlipOpening.digest == bytes(row.digest))
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
