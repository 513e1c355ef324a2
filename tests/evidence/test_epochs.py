"""A request for another epoch is the holder's of both keys; what central knows of one is central's word."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.epochs import (
    EpochRequest,
    HeadAnswer,
    open_epoch_request,
    open_head,
    sign_epoch_request,
    sign_head,
    sign_possession,
    verify_possession,
)
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.octets import encode_b64u
from tests.evidence.synthetic import ACKNOWLEDGING, id_of, key_of
from tests.vectors.asked import epoch_request, head_answer

OLD, NEW = key_of("shop 2"), key_of("shop 3")
KEYS = {f"{id_of(ACKNOWLEDGING)}.1": VerifyingKey(key_of(ACKNOWLEDGING).public)}
LINK = "A" * 43


def asked(**members: object) -> EpochRequest:
    return msgspec.structs.replace(epoch_request(), **members)


def told(**members: object) -> HeadAnswer:
    return msgspec.structs.replace(head_answer(), **members)


def test_a_request_is_opened_as_it_was_signed() -> None:
    request = epoch_request()
    octets = sign_epoch_request(OLD, request)
    assert open_epoch_request(octets, VerifyingKey(OLD.public)) == request
    verify_possession(request.verifying_key(), octets, sign_possession(NEW, octets))


def test_whoever_lacks_the_new_key_asks_for_nothing() -> None:
    octets = sign_epoch_request(OLD, epoch_request())
    other = sign_epoch_request(OLD, asked(reason="planned"))
    for signature in (sign_possession(OLD, octets), sign_possession(NEW, other), NEW.sign(octets), b""):
        with pytest.raises(VerificationError) as caught:
            verify_possession(epoch_request().verifying_key(), octets, signature)
        assert caught.value.rule == "V3"


def test_an_epoch_under_the_same_key_is_not_asked_for() -> None:
    with pytest.raises(VerificationError) as caught:
        sign_epoch_request(OLD, asked(key=encode_b64u(OLD.public)))
    assert caught.value.rule == "V11"


def test_an_epoch_under_a_weak_key_is_not_asked_for() -> None:
    with pytest.raises(VerificationError) as caught:
        sign_epoch_request(OLD, asked(key=encode_b64u(b"\x01" + bytes(31))))
    assert caught.value.rule == "V3"


@pytest.mark.parametrize(
    "members",
    [
        {"newest": Head(epoch=1, seq=3, link=LINK)},
        {"newest": Head(epoch=2, seq=-2, link=LINK)},
        {"reason": "because"},
        {"at": "now"},
        {"epoch": 0},
        {"client_nonce": "short"},
        {"uptime_ms": -1},
    ],
)
def test_no_malformed_request_is_signed(members: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        sign_epoch_request(OLD, asked(**members))


def test_a_head_is_opened_as_it_was_signed() -> None:
    for answer in (told(), told(head=Head(epoch=2, seq=-1, link=LINK), claimed=-1, state="revoked")):
        octets = sign_head(key_of(ACKNOWLEDGING), id_of(ACKNOWLEDGING), 1, answer)
        assert open_head(octets, KEYS) == answer


def test_a_head_of_an_unlisted_key_is_refused() -> None:
    with pytest.raises(VerificationError) as caught:
        open_head(sign_head(key_of("stranger"), id_of("stranger"), 1, told()), KEYS)
    assert caught.value.rule == "V15"


@pytest.mark.parametrize(
    "members",
    [
        {"head": Head(epoch=1, seq=3, link=LINK)},
        {"newest_epoch": 1},
        {"claimed": -2},
        {"state": "gone"},
        {"now": "soon"},
        {"nonce": ""},
    ],
)
def test_no_malformed_head_is_signed(members: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        sign_head(key_of(ACKNOWLEDGING), id_of(ACKNOWLEDGING), 1, told(**members))


@given(st.binary())
def test_no_octets_crash_the_readers(octets: bytes) -> None:
    key = VerifyingKey(OLD.public)
    with pytest.raises(VerificationError):
        open_epoch_request(octets, key)
    with pytest.raises(VerificationError):
        open_head(octets, KEYS)
    with pytest.raises(VerificationError):
        verify_possession(key, octets, octets)
