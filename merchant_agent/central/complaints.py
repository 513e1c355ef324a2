"""Complaints from phones, and what their customers add later.

Whoever complains takes a claim along, as from a tablet: with it they follow the case and add to it. An
addition is a record of central's own chain about the complaint, wherever that was made.

Source: PROTOCOL.md, "Bodies" and "Slip".
"""

from __future__ import annotations

from dataclasses import dataclass

import peewee

from merchant_agent.central.answers import Asked, Lang, append_answer, check_codes, check_comment
from merchant_agent.central.enclosures import append_with, read_enclosed
from merchant_agent.central.own_chain import OwnRecord
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Addition
from merchant_agent.central.visits import Said
from merchant_agent.domain.grievances import check_amount, check_occurred_at, check_order
from merchant_agent.errors import ConflictError, InvalidError
from merchant_agent.evidence.bodies import AdditionBody, ComplaintBody, Consent, Kind
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import About
from merchant_agent.evidence.slip import claim_hash, new_claim

MOST_ADDITIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Grievance:
    """A complaint as the customer filled it in; each text may be empty, not all of it.

    `occurred_at` is local time, `2026-11-24T10:26`; `amount` is digits with at most two decimals, in CNY.
    `contact` is a telephone number, and `consents` say who may call it: both, or neither. `photos` are
    as `read_photos` gives them.
    """

    categories: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    comment: str = ""
    order: str = ""
    occurred_at: str = ""
    amount: str = ""
    contact: str = ""
    consents: tuple[Consent, ...] = ()
    photos: tuple[bytes, ...] = ()
    lang: Lang = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplement:
    """What a customer adds to a complaint: words, photos, a number and who may call it; not nothing."""

    comment: str = ""
    contact: str = ""
    consents: tuple[Consent, ...] = ()
    photos: tuple[bytes, ...] = ()
    lang: Lang = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """The signed complaint, and the claim that its customer takes along: 14 characters, kept nowhere here."""

    own: OwnRecord
    claim: str


def complain(central: Central, asked: Asked, grievance: Grievance) -> Filed:
    """Signs the complaint, which opens a case.

    Raises:
        InvalidError: "complaint" (neither a problem nor words), "category", "remedy", "comment", "order",
            "occurred-at", "occurred-in-future" (by more than a day), "amount", "contact" or "consents" (a number
            and who may call it go together).
        ConflictError: "ended" or "answered", when the invitation has ended or was used to complain before.
    """
    enclosed = read_enclosed(grievance.contact, grievance.consents, grievance.photos)
    catalogue = central.catalogue
    check_codes(grievance.categories, catalogue.category, "category")
    check_codes(grievance.remedies, catalogue.remedy, "remedy")
    comment = check_comment(grievance.comment)
    if not comment and not grievance.categories:
        raise InvalidError("complaint", "a problem or some words are expected")
    words = {
        "comment": comment,
        "order": check_order(grievance.order),
        "occurred_at": check_occurred_at(grievance.occurred_at, central.clock.now()),
        "amount": check_amount(grievance.amount),
    }
    claim = new_claim()
    body = ComplaintBody(
        categories=grievance.categories,
        remedies=grievance.remedies,
        channel="phone",
        lang=grievance.lang,
        catalogue=catalogue.version,
        claim=claim_hash(claim),
        consents=grievance.consents,
        notice=catalogue.notice.version,
        first="shop",
    )
    own = append_answer(central, asked, Kind.COMPLAINT, body, words, enclosed)
    return Filed(own=own, claim=encode_b64u(claim))


def add_to(central: Central, merchant: str, complaint: Said, supplement: Supplement) -> OwnRecord:
    """The signed addition; the caller has made sure that the complaint's customer asks for it.

    Raises:
        InvalidError: "addition" (nothing is added), "comment", "contact" or "consents".
        ConflictError: "additions", when as much was added as one case may hold.
    """
    enclosed = read_enclosed(supplement.contact, supplement.consents, supplement.photos)
    comment = check_comment(supplement.comment)
    if not (comment or enclosed.contact or enclosed.photos):
        raise InvalidError("addition", "words, a photo or a number are expected")
    body = AdditionBody(
        place=complaint.place,
        lang=supplement.lang,
        consents=supplement.consents,
        notice=central.catalogue.notice.version if enclosed.contact else None,
    )
    about = About(prompt=None, case=complaint.record.id)
    with central.store.write() as tx:
        count = Addition.select(peewee.fn.COUNT(Addition.seq)).where(added_to(merchant, complaint))
        if int(tx.scalar(count) or 0) >= MOST_ADDITIONS:
            raise ConflictError("additions", "as much was added as one case may hold")
        return append_with(central, tx, merchant, Kind.ADDITION, body, about, {"comment": comment}, enclosed)


def added_to(merchant: str, complaint: Said) -> peewee.Expression:
    """The additions to a complaint."""
    place = complaint.place
    added: peewee.Expression = (
        (Addition.merchant == merchant)
        & (Addition.to_issuer == place.issuer)
        & (Addition.to_epoch == place.epoch)
        & (Addition.to_seq == place.seq)
    )
    return added
