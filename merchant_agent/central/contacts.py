"""Contacts of complaints: opened one by one, for an officer, where the customer allowed it; each look is kept.

Source: PROTOCOL.md, "Sealed contacts".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from merchant_agent.central.confided import told_by
from merchant_agent.central.services import Central
from merchant_agent.central.store.erasures import Erasing, erasings_of
from merchant_agent.central.store.models import Addition, Complaint, Disclosure, Rating, Record, Suggestion
from merchant_agent.central.visits import Said, find_record
from merchant_agent.errors import ForbiddenError, NotFoundError, VerificationError
from merchant_agent.evidence.bodies import AdditionBody, ComplaintBody
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.record import decode_record
from merchant_agent.evidence.seal import open_contact
from merchant_agent.store.credentials import audit
from merchant_agent.store.store import Reader

_Told = tuple[str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What central still has of a record's erasable members, and what became of the others.

    `consents` are those of a complaint that has a contact, None where there is no contact.
    """

    members: frozenset[str]
    consents: tuple[str, ...] | None
    erasings: tuple[Erasing, ...]


def kept_of(
    central: Central, rows: Sequence[Complaint | Rating | Suggestion | Addition]
) -> Mapping[_Told, Kept]:
    """What is kept of each of these, by issuer, epoch and seq."""
    merchants, seqs = {row.merchant for row in rows}, {row.seq for row in rows}
    with central.store.read() as reader:
        erasings = erasings_of(reader, list(merchants), list(seqs))
        query = Disclosure.select(Disclosure.issuer, Disclosure.epoch, Disclosure.seq, Disclosure.name).where(
            Disclosure.merchant.in_(list(merchants)) & Disclosure.seq.in_(list(seqs))
        )
        members: dict[_Told, set[str]] = {}
        for issuer, epoch, seq, name in reader.all(query.tuples()):
            members.setdefault((issuer, epoch, seq), set()).add(name)
        return {
            (row.issuer, row.epoch, row.seq): _kept(
                reader, row, frozenset(members.get((row.issuer, row.epoch, row.seq), ())), erasings
            )
            for row in rows
        }


def look_at_contact(central: Central, merchant: str, place: Place, *, who: str) -> str | None:
    """The contact of the complaint at `place`; None where it was not sealed for this record by its sender.

    Who looked at which one, and when, is stored before this returns.

    Raises:
        ForbiddenError: "contact", when the customer did not allow the authority to call.
        NotFoundError: "contact", when there is none, or none any more.
        StoreError: the look could not be stored.
    """
    with central.store.write() as tx:
        said = find_record(tx, merchant, place)
        told = None if said is None else told_by(central, said)
        if told is None or "contact" not in told.words:
            raise NotFoundError("contact", "the complaint has no contact")
        body = told.record.body
        if not isinstance(body, ComplaintBody | AdditionBody) or "authority" not in body.consents:
            raise ForbiddenError("contact", "the customer did not allow the authority to call")
        # What was sealed with the whole complaint is open by now.
        contact = told.words["contact"] if told is not said else _opened(central, told)
        what = "contact-looked-at" if contact is not None else "contact-not-opened"
        detail = f"{merchant} {place.issuer}.{place.epoch} {place.seq}"
        audit(tx, at=central.clock.now(), who=who, what=what, detail=detail)
    return contact


def _opened(central: Central, said: Said) -> str | None:
    sealed = decode_b64u(said.words["contact"])
    try:
        return open_contact(central.identity.sealing, said.place.issuer, said.record.id, sealed)
    except VerificationError:
        return None


def _kept(
    reader: Reader,
    row: Complaint | Rating | Suggestion | Addition,
    members: frozenset[str],
    erasings: Mapping[_Told, Sequence[Erasing]],
) -> Kept:
    consents = _consents(reader, row) if "contact" in members else None
    told = erasings.get((row.issuer, row.epoch, row.seq), ())
    return Kept(members=members, consents=consents, erasings=tuple(told))


def _consents(reader: Reader, row: Complaint | Rating | Suggestion | Addition) -> tuple[str, ...]:
    here = (
        (Record.merchant == row.merchant)
        & (Record.issuer == row.issuer)
        & (Record.epoch == row.epoch)
        & (Record.seq == row.seq)
    )
    octets = reader.scalar(Record.select(Record.octets).where(here))
    if octets is None:
        return ()
    body = decode_record(decode_jws(bytes(octets), Typ.RECORD).payload).body
    return body.consents if isinstance(body, ComplaintBody | AdditionBody) else ()
