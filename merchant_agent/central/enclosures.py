"""What goes with a customer's words into the same transaction: a sealed contact, and photos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from merchant_agent.central.own_chain import OwnRecord, append_own, own_issuer
from merchant_agent.central.photos import keep_photos, photo_hashes
from merchant_agent.central.services import Central
from merchant_agent.domain.contacts import check_contact
from merchant_agent.errors import InvalidError
from merchant_agent.evidence.bodies import Body, Consent, Kind
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.evidence.record import About, new_id
from merchant_agent.evidence.seal import seal_contact
from merchant_agent.store.store import Writer

CONSENTS: tuple[Consent, ...] = ("authority", "shop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosed:
    """A telephone number in clear, empty where there is none, and pictures as `read_photos` gives them."""

    contact: str = ""
    photos: tuple[bytes, ...] = ()


NOTHING = Enclosed()


def read_enclosed(contact: str, consents: tuple[Consent, ...], photos: tuple[bytes, ...]) -> Enclosed:
    """What is to go along; a number and who may call it go together.

    Raises:
        InvalidError: "contact" or "consents".
    """
    number = check_contact(contact)
    if len(set(consents)) != len(consents) or bool(number) != bool(consents):
        raise InvalidError("consents", "a number and who may call it are expected together")
    return Enclosed(contact=number, photos=photos)


def append_with(  # noqa: PLR0913, PLR0917 -- a record has these parts
    central: Central,
    tx: Writer,
    merchant: str,
    kind: Kind,
    body: Body,
    about: About,
    words: Mapping[str, str],
    enclosed: Enclosed,
) -> OwnRecord:
    """The next record of central's chain for the merchant, with its erasable members and its photos.

    Raises:
        As `append_own`.
    """
    record_id = new_id(central.clock.now())
    members = {**words, "photos": photo_hashes(enclosed.photos)}
    if enclosed.contact:
        public = decode_b64u(central.identity.sealing_key)
        issuer = own_issuer(central, tx, merchant)
        members["contact"] = encode_b64u(seal_contact(public, issuer, record_id, enclosed.contact))
    own = append_own(central, tx, merchant, kind, body, id=record_id, about=about, disclosures=members)
    keep_photos(central, tx, merchant, own, enclosed.photos)
    return own
