"""Complaints for the station alone: opened here, for officers, each look kept, and for the holder of the claim.

Source: PROTOCOL.md, "Complaints for the station alone".
"""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as replace_members

from merchant_agent.central.services import Central
from merchant_agent.central.visits import Said, find_record
from merchant_agent.errors import NotFoundError, VerificationError
from merchant_agent.evidence.bodies import ComplaintBody
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.seal import Confided, open_complaint
from merchant_agent.store.credentials import audit

_TEXTS = ("comment", "order", "occurred_at", "amount", "contact")


def open_confided(central: Central, said: Said) -> Confided | None:
    """What was sealed in a complaint; None where nothing is, or it was not sealed for this record by its sender."""
    sealed = said.words.get("sealed")
    if sealed is None:
        return None
    try:
        issuer, record_id = said.place.issuer, said.record.id
        return open_complaint(central.identity.sealing, issuer, record_id, decode_b64u(sealed))
    except VerificationError:
        return None


def told_by(central: Central, said: Said) -> Said:
    """The same with what was sealed in it in clear; only for who may read it."""
    confided, body = open_confided(central, said), said.record.body
    if confided is None or not isinstance(body, ComplaintBody):
        return said
    told = replace_members(
        body,
        categories=confided.categories,
        remedies=confided.remedies,
        consents=confided.consents,
        notice=confided.notice,
    )
    words = {name: text for name in _TEXTS if (text := getattr(confided, name))}
    return replace(said, record=replace_members(said.record, body=told), words=words)


def look_at_complaint(central: Central, merchant: str, place: Place, *, who: str) -> Said | None:
    """The complaint with what was sealed in it; None where it was not sealed for this record by its sender.

    Who looked at which one, and when, is stored before this returns.

    Raises:
        NotFoundError: "complaint", when nothing is sealed there, or nothing any more.
        StoreError: the look could not be stored.
    """
    with central.store.write() as tx:
        said = find_record(tx, merchant, place)
        if said is None or "sealed" not in said.words:
            raise NotFoundError("complaint", "there is no sealed complaint")
        told = told_by(central, said)
        is_open = "sealed" not in told.words
        what = "complaint-looked-at" if is_open else "complaint-not-opened"
        detail = f"{merchant} {place.issuer}.{place.epoch} {place.seq}"
        audit(tx, at=central.clock.now(), who=who, what=what, detail=detail)
    return told if is_open else None
