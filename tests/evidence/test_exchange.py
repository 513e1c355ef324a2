"""Batches and acknowledgements: signed by whom the grant names, and in a range that makes sense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.exchange import (
    MAX_BATCH_RECORDS,
    Ack,
    Answer,
    Batch,
    Newest,
    decode_upload,
    encode_upload,
    open_ack,
    open_batch,
    sign_ack,
    sign_batch,
)
from merchant_agent.evidence.fields import MAX_SEQ, Head, Place
from merchant_agent.evidence.invitation import invitation_url, sign_invitation
from merchant_agent.evidence.jws import Typ, decode_kid, format_kid, link_of
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.octets import decode_b64u
from tests.evidence.synthetic import ACKNOWLEDGING, START, START_TEXT, Shop, id_of, key_of, nonce_of

KEYS = {format_kid(id_of(ACKNOWLEDGING), 1): VerifyingKey(key_of(ACKNOWLEDGING).public)}


def shop_with_a_sale() -> Shop:
    shop = Shop()
    shop.sale()
    return shop


def batch_with(**members: object) -> Batch:
    batch = shop_with_a_sale().batch(0, 0)
    return Batch(**{**{name: getattr(batch, name) for name in batch.__struct_fields__}, **members})


def ack_with(**members: object) -> Ack:
    shop = shop_with_a_sale()
    ack = shop.answer(shop.batch(0, 0), "accepted", shop.chain.head)
    return Ack(**{**{name: getattr(ack, name) for name in ack.__struct_fields__}, **members})


def sign_as_central(ack: Ack) -> bytes:
    return sign_ack(key_of(ACKNOWLEDGING), id_of(ACKNOWLEDGING), 1, ack)


def test_a_batch_is_opened_as_it_was_signed() -> None:
    shop = shop_with_a_sale()
    batch = shop.batch(0, 0)
    assert open_batch(sign_batch(shop.key, batch), shop.verifying_key()) == batch
    assert batch.newest == Newest(seq=0, link=link_of(shop.records[0]))


def test_a_batch_of_an_epoch_that_is_over_travels_under_a_later_key() -> None:
    batch, later = batch_with(), key_of("shop 2")
    octets = sign_batch(later, batch, 2)
    assert decode_kid(octets, Typ.BATCH) == (batch.issuer, 2)
    assert open_batch(octets, VerifyingKey(later.public)) == batch


def test_an_earlier_key_signs_no_batch_of_a_later_epoch() -> None:
    with pytest.raises(VerificationError) as caught:
        sign_batch(key_of("shop 1"), batch_with(epoch=2), 1)
    assert caught.value.rule == "V15"


@pytest.mark.parametrize(
    "members",
    [
        {"from_": 1},
        {"to": 1},
        {"from_": 0, "to": 256, "newest": Newest(seq=256, link="A" * 43)},
        {"from_": 0, "to": MAX_SEQ, "newest": Newest(seq=MAX_SEQ, link="A" * 43)},
    ],
)
def test_a_senseless_range_is_not_signed(members: dict[str, object]) -> None:
    with pytest.raises(VerificationError) as caught:
        sign_batch(key_of("shop 1"), batch_with(**members))
    assert caught.value.rule == "V15"


@pytest.mark.parametrize(
    "members",
    [
        {"nonce": "short"},
        {"software": "x" * 65},
        {"at": "now"},
        {"boot": ""},
        {"epoch": 65_536},
        {"uptime_ms": -1},
        {"newest": Newest(seq=0, link="A" * 42)},
    ],
)
def test_no_malformed_batch_is_signed(members: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        sign_batch(key_of("shop 1"), batch_with(**members))


def test_an_acknowledgement_is_opened_as_it_was_signed() -> None:
    answers = tuple(
        Answer(seq=MAX_SEQ - number, answer="rejected", rule="V10") for number in range(MAX_BATCH_RECORDS)
    )
    for ack in (
        ack_with(),
        ack_with(answers=answers),
        ack_with(answers=(Answer(seq=0, answer="stub", rule=None),)),
        ack_with(outcome="revoked"),
        ack_with(outcome="behind", head=Head(epoch=1, seq=-1, link="A" * 43)),
    ):
        assert open_ack(sign_as_central(ack), KEYS) == ack


def test_an_acknowledgement_of_an_unlisted_key_is_refused() -> None:
    octets = sign_ack(key_of("stranger"), id_of("stranger"), 1, ack_with())
    with pytest.raises(VerificationError) as caught:
        open_ack(octets, KEYS)
    assert caught.value.rule == "V15"


def test_a_forged_acknowledgement_is_refused() -> None:
    octets = sign_ack(key_of("shop 1"), id_of(ACKNOWLEDGING), 1, ack_with())
    with pytest.raises(VerificationError) as caught:
        open_ack(octets, KEYS)
    assert caught.value.rule == "V3"


@pytest.mark.parametrize(
    "members",
    [
        {"head": Head(epoch=2, seq=0, link="A" * 43)},
        {"now": START_TEXT[:-6]},
        {"outcome": "perhaps"},
        {"nonce": nonce_of("x")[:-1]},
        {"answers": (Answer(seq=0, answer="duplicate", rule="V1"),)},
        {"answers": (Answer(seq=0, answer="stub", rule="V1"),)},
        {"answers": (Answer(seq=0, answer="rejected", rule=None),)},
        {"answers": (Answer(seq=0, answer="rejected", rule="V0"),)},
        {"answers": tuple(Answer(seq=n, answer="duplicate", rule=None) for n in range(257))},
    ],
)
def test_no_malformed_acknowledgement_is_signed(members: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        sign_as_central(ack_with(**members))


def test_every_proper_prefix_and_changed_byte_is_refused() -> None:
    batch = sign_batch(key_of("shop 1"), batch_with())
    ack = sign_as_central(ack_with())
    key = VerifyingKey(key_of("shop 1").public)
    for octets in (batch, ack):
        for position, old in enumerate(octets):
            for attempt in (octets[:position], octets[:position] + bytes([old ^ 1]) + octets[position + 1 :]):
                with pytest.raises(VerificationError):
                    open_batch(attempt, key)
                with pytest.raises(VerificationError):
                    open_ack(attempt, KEYS)


@given(st.binary())
def test_no_octets_crash_the_readers(octets: bytes) -> None:
    with pytest.raises(VerificationError):
        open_batch(octets, VerifyingKey(key_of("shop 1").public))
    with pytest.raises(VerificationError):
        open_ack(octets, KEYS)


LINES = st.binary(min_size=1, max_size=50).filter(lambda line: b"\n" not in line)


@given(LINES, st.lists(LINES, min_size=1, max_size=MAX_BATCH_RECORDS))
def test_uploads_survive(batch: bytes, lines: list[bytes]) -> None:
    assert decode_upload(encode_upload(batch, lines)) == (batch, lines)


@pytest.mark.parametrize(
    "body",
    [b"", b"\n", b"batch", b"batch\n", b"batch\nrecord", b"batch\n\nrecord\n", b"\nrecord\n", b"b\n" * 258],
)
def test_other_bodies_are_refused(body: bytes) -> None:
    with pytest.raises(FormatError):
        decode_upload(body)


def test_a_full_body_is_taken() -> None:
    assert len(decode_upload(b"b\n" * 257)[1]) == MAX_BATCH_RECORDS


# Invitations


@pytest.mark.parametrize(
    ("place", "days", "tag"),
    [
        (Place(issuer=id_of("shop"), epoch=0, seq=0), 14, bytes(8)),
        (Place(issuer=id_of("shop"), epoch=65_536, seq=0), 14, bytes(8)),
        (Place(issuer=id_of("shop"), epoch=1, seq=-1), 14, bytes(8)),
        (Place(issuer=id_of("shop"), epoch=1, seq=2**32), 14, bytes(8)),
        (Place(issuer="AAAA", epoch=1, seq=0), 14, bytes(8)),
        (Place(issuer=id_of("shop"), epoch=1, seq=0), 0, bytes(8)),
        (Place(issuer=id_of("shop"), epoch=1, seq=0), 256, bytes(8)),
        (Place(issuer=id_of("shop"), epoch=1, seq=0), 14, bytes(7)),
    ],
)
def test_an_invitation_that_does_not_fit_is_not_signed(place: Place, days: int, tag: bytes) -> None:
    with pytest.raises(FormatError):
        sign_invitation(key_of("shop 1"), place, START, days, tag)


@pytest.mark.parametrize(("year", "seconds"), [(1901, 0), (2199, 2**32 - 1)])
def test_a_wrong_clock_is_no_reason_to_refuse_a_customer(year: int, seconds: int) -> None:
    place = Place(issuer=id_of("shop"), epoch=65_535, seq=MAX_SEQ)
    octets = sign_invitation(key_of("shop 1"), place, START.replace(year=year), 255, bytes(8))
    assert int.from_bytes(octets[15:19]) == seconds
    url = invitation_url("https://central.example/", octets)
    assert decode_b64u(url.removeprefix("https://central.example/i/")) == octets
