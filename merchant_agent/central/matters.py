"""What only a call back settles: disputed answers, slips that several devices opened, corrections upwards.

Each is about a visit: what one terminal signed about one prompt. A call settles what came before it;
what a phone says afterwards opens the matter again.

Source: PROTOCOL.md, "Slip".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import peewee

from merchant_agent.central.overview import shop_names
from merchant_agent.central.store.models import (
    CallBack,
    Complaint,
    Rating,
    Remark,
    Slip,
    SlipOpening,
    Suggestion,
)
from merchant_agent.central.visits import Said, find_record
from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.store.store import Reader

NOT_REACHED = "not_reached"

_Placed = CallBack | Complaint | Rating | Slip | SlipOpening | Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipSeen:
    """A slip of the visit; `text` is the last part of its address, `opened_at` when each device came with a claim."""

    text: str
    state: str
    place: Place
    opened_at: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """A visit and everything that was said about it, oldest first."""

    merchant: str
    shop_name: str
    visit: tuple[Said, ...]
    slips: tuple[SlipSeen, ...]
    remarks: tuple[Remark, ...]
    calls: tuple[CallBack, ...]

    @property
    def rating(self) -> Said | None:
        """The visit's rating; None where it has none."""
        rated = [said for said in self.visit if said.level]
        return rated[-1] if rated else None

    @property
    def last(self) -> Said:
        """The visit's last record, which its slip promises."""
        return self.visit[-1]

    @property
    def answer(self) -> Said:
        """What a call is about: the rating, or the last record where there is none."""
        return self.rating or self.last

    @property
    def is_settled(self) -> bool:
        """Whether the station heard from the customer, and no phone said anything since."""
        heard = [call.at for call in self.calls if call.outcome != NOT_REACHED]
        said = [remark.received_at for remark in self.remarks if _is_phones(remark)]
        return bool(heard) and max(heard) >= max(said, default=max(heard))


def find_matter(reader: Reader, merchant: str, place: Place) -> Matter:
    """The visit that the record at `place` belongs to.

    Raises:
        NotFoundError: "record".
    """
    said = find_record(reader, merchant, place)
    if said is None:
        raise NotFoundError("record", "nothing stands there")
    visit = _whole_visit(reader, merchant, said)
    seqs = [each.place.seq for each in visit]
    return Matter(
        merchant=merchant,
        shop_name=shop_names(reader, [merchant]).get(merchant, ""),
        visit=visit,
        slips=_slips(reader, merchant, place, seqs),
        remarks=tuple(_told(reader, merchant, place, seqs)),
        calls=calls_about(reader, merchant, place, seqs),
    )


def calls_about(reader: Reader, merchant: str, place: Place, seqs: Sequence[int]) -> tuple[CallBack, ...]:
    """The calls about these records of the chain of `place`, each once, oldest first."""
    rows = reader.all(CallBack.select().where(_at(CallBack, merchant, place, seqs)).order_by(CallBack.at))
    # Each stands beside every record that its visit had then.
    return tuple({row.at: row for row in rows}.values())


def visit_rows(reader: Reader, matter: Matter) -> list[Rating | Suggestion | Complaint]:
    """What was said at the visit as its pages show it, in its order."""
    seqs = [said.place.seq for said in matter.visit]
    place = matter.last.place
    rows = [
        row
        for table in (Rating, Suggestion, Complaint)
        for row in reader.all(table.select().where(_at(table, matter.merchant, place, seqs)))
    ]
    return sorted(rows, key=lambda row: int(row.seq))


def _whole_visit(reader: Reader, merchant: str, said: Said) -> tuple[Said, ...]:
    """What the same issuer signed about the same prompt, in its order."""
    prompt, place = said.record.about.prompt, said.place
    if prompt is None:
        return (said,)
    seqs = {place.seq}
    for table in (Rating, Suggestion, Complaint):
        about = (
            (table.merchant == merchant)
            & (table.prompt_issuer == prompt.issuer)
            & (table.prompt_epoch == prompt.epoch)
            & (table.prompt_seq == prompt.seq)
        )
        same = (table.issuer == place.issuer) & (table.epoch == place.epoch)
        seqs.update(seq for (seq,) in reader.all(table.select(table.seq).where(about & same).tuples()))
    places = [Place(issuer=place.issuer, epoch=place.epoch, seq=seq) for seq in sorted(seqs)]
    return tuple(found for each in places if (found := find_record(reader, merchant, each)))


def _slips(reader: Reader, merchant: str, place: Place, seqs: Sequence[int]) -> tuple[SlipSeen, ...]:
    openings = reader.all(SlipOpening.select().where(_at(SlipOpening, merchant, place, seqs)))
    return tuple(
        SlipSeen(
            text=encode_b64u(bytes(row.octets)),
            state=row.state,
            place=Place(issuer=row.issuer, epoch=row.epoch, seq=row.seq),
            opened_at=tuple(
                sorted(each.opened_at for each in openings if bytes(each.digest) == bytes(row.digest))
            ),
        )
        for row in reader.all(Slip.select().where(_at(Slip, merchant, place, seqs)).order_by(Slip.seq))
    )


def _told(reader: Reader, merchant: str, place: Place, seqs: Sequence[int]) -> list[Remark]:
    told = (
        (Remark.merchant == merchant)
        & (Remark.told_issuer == place.issuer)
        & (Remark.told_epoch == place.epoch)
        & Remark.told_seq.in_(list(seqs))
    )
    rows: list[Remark] = reader.all(Remark.select().where(told).order_by(Remark.seq))
    return rows


def _is_phones(remark: Remark) -> bool:
    return remark.kind == "dispute" or (remark.kind == "supersede" and remark.code == "phone")


def _at(table: type[_Placed], merchant: str, place: Place, seqs: Sequence[int]) -> peewee.Expression:
    return (
        (table.merchant == merchant)
        & (table.issuer == place.issuer)
        & (table.epoch == place.epoch)
        & table.seq.in_(list(seqs))
    )
