"""The station calls back: what it heard from the customer becomes signed records of central's chain.

A call in which nobody was reached is only noted. What was confirmed at the counter, by phone and by a
call back stay apart: each is a record of its own.

Source: PROTOCOL.md, "Slip".
"""

from __future__ import annotations

from typing import Literal

from merchant_agent.central.matters import NOT_REACHED, Matter, find_matter
from merchant_agent.central.own_chain import append_own, own_issuer
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import CallBack
from merchant_agent.domain.catalogue import LEVELS
from merchant_agent.errors import ConflictError, InvalidError
from merchant_agent.evidence.bodies import Body, ConfirmBody, FindingBody, Kind, SupersedeBody
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import About
from merchant_agent.store.credentials import audit
from merchant_agent.store.store import Writer

Outcome = Literal["confirmed", "corrected", "not_given", "not_reached"]


def call_back(  # noqa: PLR0913 -- a call has these parts
    central: Central, merchant: str, place: Place, outcome: Outcome, *, level: int | None = None, who: str
) -> None:
    """Records what a call about the visit of the record at `place` came to.

    `level` is what the customer meant, for `corrected` alone.

    Raises:
        ConflictError: "settled", when the station heard from the customer before and no phone spoke since.
        InvalidError: "level", when there is none, the visit has no rating, or it is the rating's own.
        NotFoundError: "record".
        StoreError: nothing was recorded.
    """
    with central.store.write() as tx:
        own_issuer(central, tx, merchant)  # two officers who call at once stand in line here
        matter = find_matter(tx, merchant, place)
        if outcome != NOT_REACHED:
            if matter.is_settled:
                raise ConflictError("settled", "the station heard from the customer before")
            kind, body = _statement(matter, outcome, level)
            about = About(prompt=matter.last.record.about.prompt, case=None)
            append_own(central, tx, merchant, kind, body, about=about)
        _note(central, tx, matter, outcome, level if outcome == "corrected" else None, who)


def _statement(matter: Matter, outcome: Outcome, level: int | None) -> tuple[Kind, Body]:
    answer = matter.answer
    if outcome == "confirmed":
        return Kind.CONFIRM, ConfirmBody(place=answer.place, by="call_back")
    if outcome == "not_given":
        leaf = encode_b64u(leaf_hash(answer.octets))
        return Kind.FINDING, FindingBody(code="disputed", place=answer.place, leaf=leaf, due_at=None)
    if level not in LEVELS or not answer.level or level == answer.level:
        raise InvalidError("level", "there is no other level to correct")
    return Kind.SUPERSEDE, SupersedeBody(place=answer.place, level=level, confirmed="call_back")


def _note(  # noqa: PLR0913, PLR0917 -- as above
    central: Central, tx: Writer, matter: Matter, outcome: Outcome, level: int | None, who: str
) -> None:
    """Beside every record of the visit, so that each place tells of the call."""
    now = central.clock.now()
    rows = [
        {
            "merchant": matter.merchant,
            "issuer": said.place.issuer,
            "epoch": said.place.epoch,
            "seq": said.place.seq,
            "at": now,
            "who": who,
            "outcome": outcome,
            "level": level,
        }
        for said in matter.visit
    ]
    tx.execute(CallBack.insert_many(rows))
    place = matter.answer.place
    detail = f"{matter.merchant} {place.issuer}.{place.epoch} {place.seq} {outcome}"
    audit(tx, at=now, who=who, what="called-back", detail=detail)
