"""Erasing words at central: on a customer's request by an officer, and after their time.

What is erased here is told in central's own chain, by the transaction that deletes it. What a
terminal's own `erase` record says is carried out as that record is taken up.

Source: PROTOCOL.md, "Disclosures".
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Literal

from merchant_agent.central.own_chain import append_own
from merchant_agent.central.services import Central
from merchant_agent.central.store.erasures import forget, forget_lines
from merchant_agent.central.store.models import Disclosure, Quarantine, Record
from merchant_agent.central.urgings import forget_old_urgings
from merchant_agent.errors import NotFoundError, StoreLockedError
from merchant_agent.evidence.bodies import EraseBody, Kind
from merchant_agent.evidence.fields import Place
from merchant_agent.store.credentials import audit
from merchant_agent.store.store import Reader, Writer

_log = logging.getLogger(__name__)

_TOGETHER = 200
# Of two processes at once the one that deletes the rows tells of it; the other one finds none.
_TAKE = "DELETE FROM disclosure WHERE merchant = ? AND issuer = ? AND epoch = ? AND seq = ? RETURNING name"


def erase(central: Central, merchant: str, place: Place, *, who: str) -> tuple[str, ...]:
    """Erases every word and the contact of the record at `place`, for good; the names of what it was.

    Raises:
        NotFoundError: "record", where nothing is left to erase.
        StoreError: nothing was erased.
    """
    with central.store.write() as tx:
        members = _erase_in(central, tx, merchant, place, "request")
        if not members:
            raise NotFoundError("record", "nothing that could be erased stands there")
        detail = f"{merchant} {place.issuer}.{place.epoch} {place.seq} {' '.join(members)}"
        audit(tx, at=central.clock.now(), who=who, what="erased", detail=detail)
    _scrub(central)
    return members


def erase_old(central: Central) -> int:
    """Erases what came longer ago than the setting `retention_days`; of how many records.

    Several processes may do this at once.

    Raises:
        StoreError: the rest is left for the next time.
    """
    before = central.clock.now() - timedelta(days=central.settings.retention_days)
    erased = 0
    while True:
        with central.store.read() as reader:
            due = _due(reader, before)
        for merchant, places in groupby(due, key=itemgetter(0)):
            erased += _erase_all(central, merchant, places)
        if len(due) < _TOGETHER:
            break
    with central.store.write() as tx:
        erased += forget_lines(tx, tx.all(Quarantine.select().where(Quarantine.received_at < before)))
        erased += forget_old_urgings(tx, before)
    if erased:
        _scrub(central)
    return erased


def _erase_all(central: Central, merchant: str, places: Iterable[tuple[str, str, int, int]]) -> int:
    erased = 0
    with central.store.write() as tx:
        for _, issuer, epoch, seq in places:
            place = Place(issuer=issuer, epoch=epoch, seq=seq)
            erased += bool(_erase_in(central, tx, merchant, place, "retention"))
    return erased


def _erase_in(
    central: Central, tx: Writer, merchant: str, place: Place, reason: Literal["request", "retention"]
) -> tuple[str, ...]:
    """What was erased; empty, and no record, where nothing was left."""
    taken = tx.rows(_TAKE, merchant, place.issuer, place.epoch, place.seq)
    members = tuple(sorted(name for (name,) in taken))
    if members:
        body = EraseBody(place=place, members=members, reason=reason)
        append_own(central, tx, merchant, Kind.ERASE, body)
        forget(tx, merchant, place, members, taken=len(members))
    return members


def _due(reader: Reader, before: object) -> list[tuple[str, str, int, int]]:
    place = (Disclosure.merchant, Disclosure.issuer, Disclosure.epoch, Disclosure.seq)
    same = (
        (Record.merchant == Disclosure.merchant)
        & (Record.issuer == Disclosure.issuer)
        & (Record.epoch == Disclosure.epoch)
        & (Record.seq == Disclosure.seq)
    )
    query = Disclosure.select(*place).distinct().join(Record, on=same).where(Record.received_at < before)
    rows: list[tuple[str, str, int, int]] = reader.all(query.order_by(*place).limit(_TOGETHER).tuples())
    return rows


def _scrub(central: Central) -> None:
    """Brings it out of SQLite's write-ahead log too; PostgreSQL's vacuum does its part by itself."""
    try:
        central.store.checkpoint(truncate=True)
    except StoreLockedError:
        _log.info("readers kept the write-ahead log; the next erasure or the end of the program clears it")
