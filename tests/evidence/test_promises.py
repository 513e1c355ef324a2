"""Slips, invitations, contacts, checkpoints and proofs: what is taken is exactly what was made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.checkpoint import open_checkpoint
from merchant_agent.evidence.fields import MAX_EPOCH, MAX_SEQ, Place
from merchant_agent.evidence.grant import new_issuer_id
from merchant_agent.evidence.invitation import (
    INVITATION_BYTES,
    decode_invitation,
    invitation_url,
    open_invitation,
    parse_invitation,
    sign_invitation,
)
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.note import parse_vkey
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.seal import MAX_CONTACT_BYTES, open_contact, seal_contact
from merchant_agent.evidence.slip import (
    MAX_CENTRAL_CHARS,
    SLIP_BYTES,
    Slip,
    claim_hash,
    decode_slip,
    new_claim,
    open_slip,
    parse_slip,
    sign_slip,
    slip_url,
)
from merchant_agent.evidence.tlog_proof import verify_tlog_proof
from tests.evidence.logged import VKEYS, logged_shop
from tests.evidence.synthetic import START, id_of, key_of, octets_of, uuid_of

KEY = SigningKey(bytes(range(32)))
PUBLIC = VerifyingKey(KEY.public)
SEALING = X25519PrivateKey.from_private_bytes(bytes(range(32)))
SEALING_PUBLIC = SEALING.public_key().public_bytes_raw()
LOG_KEYS = [parse_vkey(text) for text in VKEYS]
SHOP = logged_shop()
SHOP_KEY = VerifyingKey(key_of("shop 1").public)
INVITATION = sign_invitation(KEY, Place(issuer=id_of("shop"), epoch=1, seq=0), START, 14, bytes(8))
CHECKPOINT = SHOP.log.checkpoints[8]
PROOF = SHOP.log.prove(SHOP.records[3], 11)
LEAF = leaf_hash(SHOP.records[3])

Read = Callable[[bytes], object]
READERS: dict[str, tuple[bytes, Read]] = {
    "slip": (SHOP.slips[0][2], lambda octets: open_slip(octets, SHOP_KEY)),
    "invitation": (INVITATION, lambda octets: open_invitation(octets, PUBLIC)),
    "contact": (
        seal_contact(SEALING_PUBLIC, id_of("shop"), uuid_of(1), "13800138000"),
        lambda octets: open_contact(SEALING, id_of("shop"), uuid_of(1), octets),
    ),
    "checkpoint": (CHECKPOINT, lambda octets: open_checkpoint(octets, LOG_KEYS)),
    "proof": (PROOF, lambda octets: verify_tlog_proof(octets, LEAF, LOG_KEYS)),
}
PLACES = st.builds(
    Place,
    issuer=st.binary(min_size=8, max_size=8).map(encode_b64u),
    epoch=st.integers(1, MAX_EPOCH),
    seq=st.integers(0, MAX_SEQ),
)
SLIPS = st.builds(
    Slip,
    place=PLACES,
    time=st.integers(0, 2**32 - 1),
    level=st.integers(1, 5),
    complaint=st.booleans(),
    contact=st.booleans(),
    suggestion=st.booleans(),
    deadline_hours=st.integers(1, 255),
    leaf=st.binary(min_size=32, max_size=32),
)


@pytest.mark.parametrize("name", READERS)
def test_every_proper_prefix_is_refused(name: str) -> None:
    octets, read = READERS[name]
    read(octets)
    for length in range(len(octets)):
        with pytest.raises(VerificationError):
            read(octets[:length])


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("bit", [0x01, 0x20, 0x80])
def test_every_byte_counts(name: str, bit: int) -> None:
    octets, read = READERS[name]
    for place in range(len(octets)):
        changed = bytearray(octets)
        changed[place] ^= bit
        with pytest.raises(VerificationError):
            read(bytes(changed))


@pytest.mark.parametrize("name", READERS)
@given(octets=st.binary(max_size=200))
def test_no_octets_raise_anything_but_the_declared_error(name: str, octets: bytes) -> None:
    with pytest.raises(VerificationError):
        READERS[name][1](octets)


# Slips


@given(SLIPS)
def test_slips_survive(slip: Slip) -> None:
    octets = sign_slip(KEY, slip)
    assert len(octets) == SLIP_BYTES
    assert open_slip(octets, PUBLIC) == slip


@given(st.binary(min_size=SLIP_BYTES, max_size=SLIP_BYTES))
def test_octets_are_a_slip_or_refused(octets: bytes) -> None:
    try:
        slip = decode_slip(octets)
    except FormatError:
        return
    assert sign_slip(KEY, slip)[:53] == octets[:53]


def test_address_of_a_slip_fits_its_code_and_names_it() -> None:
    octets = SHOP.slips[0][2]
    url = slip_url("https://" + "c" * (MAX_CENTRAL_CHARS - 8) + "/", octets, new_claim())
    # QR version 10 at level M holds 213 bytes.
    assert len(url) <= 213
    assert parse_slip(url.rpartition("/")[2].partition("#")[0]) == octets


def test_claims_are_told_apart_by_their_hash() -> None:
    assert len({claim_hash(new_claim()) for _ in range(20)}) == 20


@pytest.mark.parametrize("text", ["", "AAAA", encode_b64u(bytes(117)), "é" * 156])
def test_address_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_slip(text)
    with pytest.raises(FormatError):
        parse_invitation(text)


# Invitations


@given(place=PLACES, at=st.datetimes(), days=st.integers(1, 255), tag=st.binary(min_size=8, max_size=8))
def test_invitations_survive(place: Place, at: datetime, days: int, tag: bytes) -> None:
    moment = at.replace(tzinfo=UTC)
    octets = sign_invitation(KEY, place, moment, days, tag)
    invitation = open_invitation(octets, PUBLIC)
    assert (invitation.place, invitation.days, invitation.tag) == (place, days, tag)
    assert invitation.time == min(max(int(moment.timestamp()), 0), 2**32 - 1)
    assert parse_invitation(invitation_url("https://central.example", octets).rpartition("/")[2]) == octets


@given(st.binary(min_size=INVITATION_BYTES, max_size=INVITATION_BYTES))
def test_octets_are_an_invitation_or_refused(octets: bytes) -> None:
    try:
        invitation = decode_invitation(octets)
    except FormatError:
        return
    at = datetime.fromtimestamp(invitation.time, UTC)
    signed = sign_invitation(KEY, invitation.place, at, invitation.days, invitation.tag)
    assert signed[:28] == octets[:28]


def test_invitation_ends_after_its_days() -> None:
    invitation = open_invitation(INVITATION, PUBLIC)
    assert invitation.ends == int(START.timestamp()) + 14 * 86_400


# Contacts


@given(st.text(min_size=1, max_size=120))
def test_contacts_survive_and_are_sealed_anew_each_time(text: str) -> None:
    record_id, issuer = uuid_of(3), new_issuer_id()
    sealed = {seal_contact(SEALING_PUBLIC, issuer, record_id, text) for _ in range(2)}
    assert len(sealed) == 2
    assert {open_contact(SEALING, issuer, record_id, octets) for octets in sealed} == {text}


def test_swapped_contact_is_not_opened() -> None:
    sealed = seal_contact(SEALING_PUBLIC, id_of("shop"), uuid_of(1), "13800138000")
    for issuer, record_id in ((id_of("shop"), uuid_of(2)), (id_of("other"), uuid_of(1))):
        with pytest.raises(VerificationError, match="V10"):
            open_contact(SEALING, issuer, record_id, sealed)


def test_number_is_not_readable_in_what_is_sealed() -> None:
    assert b"13800138000" not in seal_contact(SEALING_PUBLIC, id_of("shop"), uuid_of(1), "13800138000")


@pytest.mark.parametrize("text", ["", "x" * (MAX_CONTACT_BYTES + 1), "\ud800"])
def test_text_that_is_no_contact_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        seal_contact(SEALING_PUBLIC, id_of("shop"), uuid_of(1), text)


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(32), b"\x01" + bytes(31)])
def test_key_with_which_nothing_is_secret_is_refused(public: bytes) -> None:
    with pytest.raises(FormatError):
        seal_contact(public, id_of("shop"), uuid_of(1), "13800138000")


def test_contact_for_another_key_is_not_opened() -> None:
    other = X25519PrivateKey.from_private_bytes(octets_of("other", 32))
    with pytest.raises(VerificationError, match="V10"):
        open_contact(other, id_of("shop"), uuid_of(1), READERS["contact"][0])
