"""Complaints with words and a contact, as an honest terminal sends them and as others would."""

from __future__ import annotations

from merchant_agent.evidence.bodies import ComplaintBody, Consent, Kind
from merchant_agent.evidence.chain import append_record
from merchant_agent.evidence.disclosure import make_disclosure
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.evidence.record import ABOUT_NOTHING, new_id
from merchant_agent.evidence.seal import Confided, seal_complaint, seal_contact
from tests.central.sender import CATALOGUE, Sender, Sent

NUMBER = "13987654321"
COMMENT = "柜台前的秤不准已经三次了"
AUTHORITY: tuple[Consent, ...] = ("authority",)


def sealed(sender: Sender, record_id: str, number: str = NUMBER) -> str:
    """The number sealed for central in that record."""
    public = decode_b64u(sender.grant.sealing_key, length=32)
    return encode_b64u(seal_contact(public, sender.issuer, record_id, number))


def complain_with(
    sender: Sender,
    *,
    consents: tuple[Consent, ...] = AUTHORITY,
    contact: str | None = None,
    comment: str = COMMENT,
) -> Sent:
    """A complaint; `contact` is what stands there instead of the honest seal."""
    record_id = new_id(sender.at)
    body = ComplaintBody(
        categories=("measure",),
        remedies=("refund",),
        channel="tablet",
        lang="zh",
        catalogue=CATALOGUE,
        claim=None,
        consents=consents,
        notice="2026-1",
        first="shop",
    )
    words = {"comment": comment, "order": "ZX-087", "amount": "64.00 CNY"}
    texts = [make_disclosure(name, value) for name, value in words.items()]
    texts.append(make_disclosure("contact", contact or sealed(sender, record_id)))
    octets = append_record(
        sender.chain, sender.key, Kind.COMPLAINT, record_id, sender.read(), ABOUT_NOTHING, body, texts
    )
    sender.chain.accept(octets, texts)
    return sender.keep(octets, texts)


def confide(sender: Sender, *, claim: str | None = None, sealed_for: str | None = None) -> Sent:
    """A complaint for the station alone; `sealed_for` is the id of another record that it was sealed for."""
    record_id = new_id(sender.at)
    confided = Confided(
        categories=("measure",),
        remedies=("refund",),
        comment=COMMENT,
        order="ZX-087",
        occurred_at="2026-05-20T11:07",
        amount="64.00 CNY",
        contact=NUMBER,
        consents=AUTHORITY,
        notice="2026-1",
    )
    body = ComplaintBody(
        categories=(),
        remedies=(),
        channel="tablet",
        lang="zh",
        catalogue=CATALOGUE,
        claim=claim,
        consents=(),
        notice=None,
        first="station",
    )
    public = decode_b64u(sender.grant.sealing_key, length=32)
    octets = seal_complaint(public, sender.issuer, sealed_for or record_id, confided)
    texts = [make_disclosure("sealed", encode_b64u(octets))]
    signed = append_record(
        sender.chain, sender.key, Kind.COMPLAINT, record_id, sender.read(), ABOUT_NOTHING, body, texts
    )
    sender.chain.accept(signed, texts)
    return sender.keep(signed, texts)


def place_of(sender: Sender, sent: Sent) -> Place:
    """Where it stands."""
    return Place(issuer=sender.issuer, epoch=1, seq=sent.seq)
