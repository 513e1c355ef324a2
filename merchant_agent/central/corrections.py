"""What the holder of a slip says about what stands in the log: another level, "not mine", or "mine".

Each is a record of central's own chain; what was signed at the counter stays as it is. A lower
level counts at once, as the lowest of several answers does. A higher one waits for the station.

Source: PROTOCOL.md, "Answers to a prompt" and "Slip".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import peewee

from merchant_agent.central.claims import Holder, require_holder
from merchant_agent.central.own_chain import append_own
from merchant_agent.central.promises import place_of
from merchant_agent.central.services import Central
from merchant_agent.central.slips import OpenedSlip, lock_slip
from merchant_agent.central.store.models import Remark
from merchant_agent.domain.catalogue import LEVELS
from merchant_agent.errors import ConflictError, InvalidError
from merchant_agent.evidence.bodies import Body, ConfirmBody, DisputeBody, Kind, SupersedeBody
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.record import About
from merchant_agent.store.store import Reader, Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarks:
    """What was said about the records of a visit: when, and a correction's level; None where it was not.

    The first four are a phone's. `called_at` is when the station last called back, `heard` the kind of
    record in which it said what it heard, `heard_level` the level where that is a correction.
    """

    superseded_at: datetime | None
    level: int | None
    disputed_at: datetime | None
    confirmed_at: datetime | None
    called_at: datetime | None = None
    heard: str = ""
    heard_level: int | None = None


def correct(central: Central, opened: OpenedSlip, token: str, level: int) -> None:
    """Records that the customer meant another level.

    Raises:
        SignInError: "claim".
        InvalidError: "level", when it is none, the same one, or the visit has no rating.
        ConflictError: "corrected", when it was corrected before.
    """
    if level not in LEVELS:
        raise InvalidError("level", "a level is a number from 1 to 5")

    def say(tx: Writer, holder: Holder) -> tuple[Kind, Body]:
        rating = holder.rating
        if rating is None or rating.level == level:
            raise InvalidError("level", "there is no other level to correct")
        if find_remarks(tx, opened, holder).superseded_at is not None:
            raise ConflictError("corrected", "it was corrected before")
        return Kind.SUPERSEDE, SupersedeBody(place=rating.place, level=level, confirmed="phone")

    _append(central, opened, token, say)


def dispute(central: Central, opened: OpenedSlip, token: str) -> None:
    """Records that the customer did not say this; whether another device has the claim too stands in it.

    Raises:
        SignInError: "claim".
        ConflictError: "disputed", when it was disputed before.
    """

    def say(tx: Writer, holder: Holder) -> tuple[Kind, Body]:
        if find_remarks(tx, opened, holder).disputed_at is not None:
            raise ConflictError("disputed", "it was disputed before")
        return Kind.DISPUTE, DisputeBody(place=place_of(opened.row), contested=holder.is_contested)

    _append(central, opened, token, say)


def confirm(central: Central, opened: OpenedSlip, token: str) -> None:
    """Records that the answer is the customer's, by the one device that has the claim.

    Raises:
        SignInError: "claim".
        ConflictError: "contested", when another device has it too or it was disputed: only a call back
            settles that; "confirmed", when it was confirmed before.
    """

    def say(tx: Writer, holder: Holder) -> tuple[Kind, Body]:
        remarks = find_remarks(tx, opened, holder)
        if holder.is_contested or remarks.disputed_at is not None:
            raise ConflictError("contested", "only a call back can settle this")
        if remarks.confirmed_at is not None:
            raise ConflictError("confirmed", "it was confirmed before")
        return Kind.CONFIRM, ConfirmBody(place=place_of(opened.row), by="phone")

    _append(central, opened, token, say)


def find_remarks(reader: Reader, opened: OpenedSlip, holder: Holder) -> Remarks:
    """What was said about the visit so far."""
    last = place_of(opened.row)
    rating = holder.rating
    superseded = None if rating is None else _find(reader, opened, Kind.SUPERSEDE, rating.place)
    disputed = _find(reader, opened, Kind.DISPUTE, last)
    confirmed = _find(reader, opened, Kind.CONFIRM, last)
    called = _find_call_back(reader, opened, last if rating is None else rating.place)
    return Remarks(
        superseded_at=None if superseded is None else superseded.received_at,
        level=None if superseded is None else superseded.level,
        disputed_at=None if disputed is None else disputed.received_at,
        confirmed_at=None if confirmed is None else confirmed.received_at,
        called_at=None if called is None else called.received_at,
        heard="" if called is None else called.kind,
        heard_level=None if called is None else called.level,
    )


def _append(
    central: Central, opened: OpenedSlip, token: str, say: Callable[[Writer, Holder], tuple[Kind, Body]]
) -> None:
    with central.store.write() as tx:
        lock_slip(tx, opened.row)
        holder = require_holder(tx, opened.row, token)
        kind, body = say(tx, holder)
        about = About(prompt=holder.visit[-1].record.about.prompt, case=None)
        append_own(central, tx, opened.row.merchant, kind, body, about=about)


def _find(reader: Reader, opened: OpenedSlip, kind: Kind, place: Place) -> Remark | None:
    """What a phone said of it."""
    said = (Remark.kind == kind.value) & (Remark.code != "call_back")
    found: Remark | None = reader.first(Remark.select().where(_told(opened, place) & said))
    return found


def _find_call_back(reader: Reader, opened: OpenedSlip, place: Place) -> Remark | None:
    """What the station last heard about it."""
    heard = (Remark.code == "call_back") | ((Remark.kind == Kind.FINDING.value) & (Remark.code == "disputed"))
    query = Remark.select().where(_told(opened, place) & heard).order_by(Remark.seq.desc())
    found: Remark | None = reader.first(query)
    return found


def _told(opened: OpenedSlip, place: Place) -> peewee.Expression:
    told: peewee.Expression = (
        (Remark.merchant == opened.row.merchant)
        & (Remark.told_issuer == place.issuer)
        & (Remark.told_epoch == place.epoch)
        & (Remark.told_seq == place.seq)
    )
    return told
