"""A stub says which record does not come by itself, and nobody but its issuer can say so."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.stub import Stub, is_stub, open_stub, sign_stub
from tests.evidence.synthetic import busy_shop, id_of, key_of
from tests.vectors.asked import stub

FIRST, SECOND = key_of("shop 1"), key_of("shop 2")


def stub_with(**members: object) -> Stub:
    return msgspec.structs.replace(stub(), **members)


def test_a_stub_is_opened_as_it_was_signed() -> None:
    for key, signer in ((FIRST, None), (FIRST, 1), (SECOND, 2)):
        octets = sign_stub(key, stub(), signer)
        assert is_stub(octets)
        assert open_stub(octets, VerifyingKey(key.public)) == stub()


def test_only_stubs_are_stubs() -> None:
    shop = busy_shop()
    assert not any(is_stub(octets) for octets in (*shop.records, *shop.batches, *shop.acks, b"", b"."))


def test_an_earlier_key_signs_no_stub_of_a_later_epoch() -> None:
    with pytest.raises(VerificationError) as caught:
        sign_stub(FIRST, stub_with(epoch=2), 1)
    assert caught.value.rule == "V15"


def test_another_shop_signs_no_stub() -> None:
    octets = sign_stub(key_of("other 1"), stub_with(issuer=id_of("other")))
    with pytest.raises(VerificationError) as caught:
        open_stub(octets, VerifyingKey(FIRST.public))
    assert caught.value.rule == "V3"


@pytest.mark.parametrize("members", [{"seq": -1}, {"link": "A" * 42}, {"reason": "whim"}, {"issuer": "x"}])
def test_no_malformed_stub_is_signed(members: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        sign_stub(FIRST, stub_with(**members))


@given(st.binary())
def test_no_octets_crash_the_readers(octets: bytes) -> None:
    assert not is_stub(octets)
    with pytest.raises(VerificationError):
        open_stub(octets, VerifyingKey(FIRST.public))
