"""A JWS has one form; whatever else is offered is refused before anything is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.jws import (
    MAX_JWS_BYTES,
    Typ,
    decode_jws,
    format_kid,
    leaf_hash,
    link_hash,
    link_of,
    sign_jws,
    verify_jws,
)
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.octets import MAX_PAYLOAD_BYTES, encode_b64u
from tests.evidence.synthetic import Shop, busy_shop, id_of, key_of

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
KEY = VerifyingKey(key_of("shop 1").public)
SHORT = sign_jws(key_of("shop 1"), Typ.RECORD, id_of("shop"), 1, b'{"a":1}')


def require(octets: bytes, typ: Typ = Typ.RECORD, key: VerifyingKey = KEY) -> None:
    verify_jws(decode_jws(octets, typ), key)


@given(st.binary(max_size=300), st.integers(1, 65_535), st.sampled_from(Typ))
def test_payloads_survive(payload: bytes, epoch: int, typ: Typ) -> None:
    octets = sign_jws(key_of("shop 1"), typ, id_of("shop"), epoch, payload)
    jws = decode_jws(octets, typ)
    verify_jws(jws, KEY)
    assert (jws.issuer, jws.epoch, jws.payload, jws.octets) == (id_of("shop"), epoch, payload, octets)
    assert jws.kid == format_kid(id_of("shop"), epoch)


def test_every_proper_prefix_is_refused() -> None:
    shop = Shop()
    shop.sale()
    for octets in (SHORT, shop.records[0]):
        for length in range(len(octets)):
            with pytest.raises(VerificationError):
                require(octets[:length])


def test_every_other_byte_at_every_position_is_refused() -> None:
    for position, old in enumerate(SHORT):
        for byte in range(256):
            if byte != old:
                with pytest.raises(VerificationError) as caught:
                    require(SHORT[:position] + bytes([byte]) + SHORT[position + 1 :])
                assert caught.value.rule in {"V1", "V2", "V3"}


@pytest.mark.parametrize("octets", busy_shop().records[:9])
def test_every_changed_byte_of_every_kind_of_record_is_refused(octets: bytes) -> None:
    for position, old in enumerate(octets):
        for byte in {old ^ 1, ALPHABET[(ALPHABET.find(old) + 1) % 64]}:
            with pytest.raises(VerificationError):
                require(octets[:position] + bytes([byte]) + octets[position + 1 :])


@pytest.mark.parametrize("byte", [b"A", b".", b"=", b"\n", b"\x00", b" "])
def test_a_byte_put_in_anywhere_is_refused(byte: bytes) -> None:
    for position in range(len(SHORT) + 1):
        with pytest.raises(VerificationError):
            require(SHORT[:position] + byte + SHORT[position:])


@given(st.binary() | st.text(st.sampled_from(ALPHABET.decode() + ".")).map(str.encode), st.sampled_from(Typ))
def test_no_octets_crash_the_reader(octets: bytes, typ: Typ) -> None:
    with pytest.raises(VerificationError):
        decode_jws(octets, typ)


@pytest.mark.parametrize("expected", Typ)
@pytest.mark.parametrize("given_typ", Typ)
def test_one_thing_is_not_taken_for_another(given_typ: Typ, expected: Typ) -> None:
    octets = sign_jws(key_of("shop 1"), given_typ, id_of("shop"), 1, b"{}")
    if given_typ is expected:
        require(octets, expected)
        return
    with pytest.raises(VerificationError) as caught:
        decode_jws(octets, expected)
    assert caught.value.rule == "V2"


def test_the_longest_payload_fits_and_a_longer_one_is_not_signed() -> None:
    octets = sign_jws(key_of("shop 1"), Typ.RECORD, id_of("shop"), 65_535, bytes(MAX_PAYLOAD_BYTES))
    assert len(octets) <= MAX_JWS_BYTES
    require(octets)
    with pytest.raises(FormatError):
        sign_jws(key_of("shop 1"), Typ.RECORD, id_of("shop"), 1, bytes(MAX_PAYLOAD_BYTES + 1))


def test_a_long_jws_is_refused_unread() -> None:
    with pytest.raises(VerificationError) as caught:
        decode_jws(b"A" * (MAX_JWS_BYTES + 1), Typ.RECORD)
    assert caught.value.rule == "V1"


@pytest.mark.parametrize(
    ("issuer", "epoch"),
    [("", 1), ("AAAAAAAAAAB", 1), ('AAAAAAAAA","', 1), ("AAAAAAAAAAA", 0), ("AAAAAAAAAAA", 65_536)],
)
def test_no_malformed_key_id_is_signed(issuer: str, epoch: int) -> None:
    with pytest.raises(FormatError):
        sign_jws(key_of("shop 1"), Typ.RECORD, issuer, epoch, b"{}")


def test_link_and_leaf_differ() -> None:
    # RFC 6962's hash of a leaf without content.
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert link_of(b"") == encode_b64u(link_hash(b""))
    assert link_hash(b"").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
