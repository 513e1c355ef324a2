"""Taking erased words out of central's tables; which were erased, and by whom.

A shop's word erases what its own terminal signed, never what phones told central, and never the
words of a complaint: those the customer entrusted to the authority, which keeps them until an
officer erases them or their time is over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from merchant_agent.central.store.models import (
    Addition,
    ChainHead,
    Complaint,
    Disclosure,
    Erasure,
    Photo,
    Quarantine,
    Rating,
    Reply,
    Suggestion,
)
from merchant_agent.errors import FormatError
from merchant_agent.evidence.bodies import EraseBody, Kind
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.octets import decode_segment
from merchant_agent.evidence.record import Record
from merchant_agent.store.store import Reader, Writer

_Placed = (
    type[Addition]
    | type[Complaint]
    | type[Disclosure]
    | type[Photo]
    | type[Quarantine]
    | type[Rating]
    | type[Reply]
    | type[Suggestion]
)
_Told = tuple[str, int, int]

_COMPLAINT = b'"kind":"complaint"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing:
    """Members of a record that were erased; `by_shop` tells whose record says so."""

    members: tuple[str, ...]
    reason: str
    by_shop: bool


def forget(tx: Writer, merchant: str, place: Place, members: Collection[str], *, taken: int = 0) -> None:
    """Deletes these members of the record at `place` wherever central has them; `taken` were just deleted."""
    names = list(members)
    here = _at(Disclosure, merchant, place) & Disclosure.name.in_(names)
    gone = tx.execute(Disclosure.delete().where(here))
    for table in (Rating, Suggestion, Complaint, Reply, Addition):
        columns = {name: column for name, column in _columns(table).items() if name in members}
        cleared: dict[peewee.Field[Any], object] = dict.fromkeys(columns.values())
        cleared[table.undisclosed] = table.undisclosed + gone + taken
        tx.execute(table.update(cleared).where(_at(table, merchant, place)))
    if "photos" in members:
        tx.execute(Photo.delete().where(_at(Photo, merchant, place)))
    forget_lines(tx, tx.all(Quarantine.select().where(_at(Quarantine, merchant, place))))


def forget_lines(tx: Writer, rows: Sequence[Quarantine]) -> int:
    """Cuts the words off lines that were set aside; how many had some."""
    cut = 0
    for row in rows:
        line = bytes(row.line)
        bare = line.partition(b"~")[0] + b"~"
        if b"~" in line and line != bare:
            here = _at(Quarantine, row.merchant, Place(issuer=row.issuer, epoch=row.epoch, seq=row.seq))
            tx.execute(Quarantine.update({Quarantine.line: bare}).where(here & (Quarantine.link == row.link)))
            cut += 1
    return cut


def forget_told(tx: Writer, merchant: str, issuer: str, epoch: int, records: Sequence[Record]) -> None:
    """Carries out the `erase` records among what a terminal sent, and those that came before their records.

    Words that are sent again after their erasure are thereby not kept; those of complaints are, unless
    central itself erased them.
    """
    for record in records:
        body = record.body
        if not isinstance(body, EraseBody) or body.place.issuer != issuer:
            continue
        if not _is_complaint(tx, merchant, body.place):
            forget(tx, merchant, body.place, body.members)
    seqs = [record.seq for record in records if record.sd]
    complaints = {record.seq for record in records if record.kind is Kind.COMPLAINT}
    if not seqs:
        return
    for who, seq, members in _erased(tx, merchant, (issuer, epoch), min(seqs), max(seqs)):
        if who == issuer and seq in complaints:
            continue
        forget(tx, merchant, Place(issuer=issuer, epoch=epoch, seq=seq), members)


def erased_members(
    reader: Reader, merchant: str, chain: tuple[str, int], first: int, last: int
) -> Mapping[int, Collection[str]]:
    """What a terminal or central erased of the records from seq `first` to `last` of its chain, by seq.

    `chain` is the terminal's issuer and epoch. The shop's copy is without these words, whatever central keeps.
    """
    erased: dict[int, set[str]] = {}
    for _, seq, members in _erased(reader, merchant, chain, first, last):
        erased.setdefault(seq, set()).update(members)
    return erased


def _erased(
    reader: Reader, merchant: str, chain: tuple[str, int], first: int, last: int
) -> Sequence[tuple[str, int, list[str]]]:
    """Whose word it was, of which seq of the terminal's chain, and the members: by those whose word counts."""
    issuer, epoch = chain
    told = (
        (Erasure.merchant == merchant)
        & (Erasure.told_issuer == issuer)
        & (Erasure.told_epoch == epoch)
        & Erasure.told_seq.between(first, last)
    )
    own = ChainHead.select(ChainHead.issuer).where(
        (ChainHead.merchant == merchant) & (ChainHead.role == "central")
    )
    by_right = (Erasure.issuer == issuer) | Erasure.issuer.in_(own)
    query = Erasure.select(Erasure.issuer, Erasure.told_seq, Erasure.members).where(told & by_right)
    rows: list[tuple[str, int, list[str]]] = reader.all(query.tuples())
    return rows


def erasings_of(
    reader: Reader, merchants: Collection[str], seqs: Collection[int]
) -> Mapping[_Told, list[Erasing]]:
    """What was erased of records of these merchants at these seqs, by issuer, epoch and seq."""
    own = set(
        reader.all(
            ChainHead.select(ChainHead.merchant, ChainHead.issuer)
            .where(ChainHead.merchant.in_(merchants) & (ChainHead.role == "central"))
            .tuples()
        )
    )
    found: dict[_Told, list[Erasing]] = {}
    query = Erasure.select().where(Erasure.merchant.in_(merchants) & Erasure.told_seq.in_(seqs))
    for row in reader.all(query.order_by(Erasure.received_at)):
        by_shop = (row.merchant, row.issuer) not in own
        if by_shop and row.issuer != row.told_issuer:
            continue
        erasing = Erasing(members=tuple(row.members), reason=row.reason, by_shop=by_shop)
        found.setdefault((row.told_issuer, row.told_epoch, row.told_seq), []).append(erasing)
    return found


def _is_complaint(reader: Reader, merchant: str, place: Place) -> bool:
    """Whether a complaint stands at that place, or was set aside there."""
    if reader.first(Complaint.select().where(_at(Complaint, merchant, place))) is not None:
        return True
    rows = reader.all(Quarantine.select(Quarantine.line).where(_at(Quarantine, merchant, place)).tuples())
    return any(_says_complaint(bytes(line)) for (line,) in rows)


def _says_complaint(line: bytes) -> bool:
    payload = line.partition(b"~")[0].split(b".")[1:2]
    try:
        return any(_COMPLAINT in decode_segment(part) for part in payload)
    except FormatError:
        return False


def _columns(table: type[Rating | Suggestion | Complaint | Reply | Addition]) -> dict[str, peewee.Field]:
    columns: dict[str, peewee.Field] = {"comment": table.comment}
    if table is Complaint:
        columns |= {
            "order": Complaint.order_no,
            "occurred_at": Complaint.occurred_at,
            "amount": Complaint.amount,
        }
    return columns


def _at(table: _Placed, merchant: str, place: Place) -> peewee.Expression:
    return (
        (table.merchant == merchant)
        & (table.issuer == place.issuer)
        & (table.epoch == place.epoch)
        & (table.seq == place.seq)
    )
