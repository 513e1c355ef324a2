"""Grants and trust: only a pinned root key gives permission, and only to strong keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.grant import Grant, NamedKey, new_issuer_id, new_nonce, open_grant, sign_grant
from merchant_agent.evidence.jws import format_kid
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.evidence.trust import Trust, encode_trust, load_trust
from tests.evidence.synthetic import ACKNOWLEDGING, ROOT, Shop, grant_of, id_of, key_of, trust_of

NEUTRAL = encode_b64u(b"\x01" + bytes(31))


def changed(**members: object) -> Grant:
    grant = grant_of("shop")
    return Grant(**{**{name: getattr(grant, name) for name in grant.__struct_fields__}, **members})


def sign(grant: Grant) -> bytes:
    return sign_grant(key_of(ROOT), id_of(ROOT), 1, grant)


def test_a_grant_is_opened_as_it_was_signed() -> None:
    grant = grant_of("shop", epoch=2, closes=Head(epoch=1, seq=4, link=NEUTRAL))
    opened = open_grant(sign(grant), trust_of().root_keys())
    assert opened == grant
    assert opened.kid == f"{id_of('shop')}.2"
    assert opened.verifying_key().octets == key_of("shop 2").public
    assert set(opened.central_keys()) == {format_kid(id_of(ACKNOWLEDGING), 1)}


def test_a_grant_of_an_unknown_root_is_refused() -> None:
    with pytest.raises(VerificationError) as caught:
        open_grant(Shop(root="home-made").grants[0], trust_of().root_keys())
    assert caught.value.rule == "V11"


def test_a_grant_under_the_name_of_the_root_is_refused() -> None:
    octets = sign_grant(key_of("home-made"), id_of(ROOT), 1, grant_of("shop"))
    with pytest.raises(VerificationError) as caught:
        open_grant(octets, trust_of().root_keys())
    assert caught.value.rule == "V3"


@pytest.mark.parametrize(
    "members",
    [
        {"key": NEUTRAL},
        {"central": (NamedKey(kid=format_kid(id_of(ACKNOWLEDGING), 1), key=NEUTRAL),)},
        {"key": encode_b64u(b"\xff" * 32)},
    ],
)
def test_a_weak_key_is_not_granted(members: dict[str, object]) -> None:
    with pytest.raises(VerificationError) as caught:
        sign(changed(**members))
    assert caught.value.rule == "V3"


@pytest.mark.parametrize(
    "members",
    [
        {"epoch": 0},
        {"issuer": "short"},
        {"nonce": NEUTRAL},
        {"deadline_hours": 0},
        {"deadline_hours": 256},
        {"central": ()},
        {"at": "2026-05-20"},
        {"key": "AAAA"},
    ],
)
def test_no_malformed_grant_is_signed(members: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        sign(changed(**members))


def test_every_proper_prefix_and_changed_byte_is_refused() -> None:
    octets = sign(grant_of("shop"))
    roots = trust_of().root_keys()
    for position, old in enumerate(octets):
        for attempt in (octets[:position], octets[:position] + bytes([old ^ 1]) + octets[position + 1 :]):
            with pytest.raises(VerificationError):
                open_grant(attempt, roots)


@given(st.binary())
def test_no_octets_crash_the_reader(octets: bytes) -> None:
    with pytest.raises(VerificationError):
        open_grant(octets, trust_of().root_keys())


def test_ids_and_nonces_are_fresh() -> None:
    assert len(decode_b64u(new_issuer_id())) == 8
    assert len(decode_b64u(new_nonce())) == 16
    assert new_issuer_id() != new_issuer_id()
    assert new_nonce() != new_nonce()


def test_a_trust_file_survives_people_who_indent_it() -> None:
    octets = encode_trust(trust_of())
    assert load_trust(octets) == trust_of()
    assert load_trust(octets.replace(b",", b",\n  ").replace(b"{", b"{ ")) == trust_of()


def test_a_weak_root_key_is_not_trusted() -> None:
    weak = Trust(root=(NamedKey(kid=format_kid(id_of(ROOT), 1), key=NEUTRAL),), log=())
    with pytest.raises(FormatError):
        load_trust(encode_trust(weak))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"{}",
        b'{"root":[],"log":[]}',
        b'{"root":[{"kid":"x","key":"y"}],"log":[]}',
        encode_trust(trust_of()).replace(b'"log":[]', b'"log":["x"]'),
        encode_trust(trust_of()).replace(b'"log":[]', b'"log":[],"more":1'),
        encode_trust(trust_of()) + b" " * 70_000,
        b"\xff",
    ],
    ids=range(8),
)
def test_other_files_are_no_trust(octets: bytes) -> None:
    with pytest.raises(FormatError):
        load_trust(octets)


@given(st.binary())
def test_no_octets_crash_the_reader_of_trust(octets: bytes) -> None:
    with pytest.raises(FormatError):
        load_trust(octets)
