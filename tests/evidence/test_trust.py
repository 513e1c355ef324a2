"""A trust file states keys that can be used, or is refused whole."""

from __future__ import annotations

import pytest

from merchant_agent.errors import FormatError
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.trust import encode_trust, load_trust
from tests.evidence.logged import ORIGIN, VKEYS, logged_trust
from tests.evidence.synthetic import trust_of

FILE = encode_trust(logged_trust())


def test_trust_survives_with_and_without_a_log() -> None:
    for trust in (trust_of(), logged_trust()):
        assert load_trust(encode_trust(trust)) == trust


def test_white_space_is_allowed() -> None:
    assert load_trust(FILE.replace(b",", b",\n  ")) == logged_trust()


def test_keys_of_the_log_are_its_signature_and_its_cosignature() -> None:
    signing, cosigning = load_trust(FILE).log_keys()
    assert signing.name == cosigning.name == ORIGIN
    assert {signing.algorithm.name, cosigning.algorithm.name} == {"ED25519", "COSIGNATURE"}


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"{}",
        FILE.replace(b'"log"', b'"logs"'),
        FILE.replace(VKEYS[0].encode(), VKEYS[0][:-4].encode()),
        FILE.replace(VKEYS[0].encode(), b""),
        FILE.replace(trust_of().root[0].key.encode(), encode_b64u(b"\x01" + bytes(31)).encode()),
        FILE.replace(b"[", b"[" * 2),
        FILE + b" " * 70_000,
    ],
    ids=["empty", "nothing", "another member", "a cut key", "no key", "a weak key", "a list", "too long"],
)
def test_other_files_are_refused(octets: bytes) -> None:
    with pytest.raises(FormatError):
        load_trust(octets)
