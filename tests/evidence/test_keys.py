"""Keys: kept for their owner alone, never overwritten, and refused where weak."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.keys import SigningKey, VerifyingKey, fingerprint, load_key, save_key
from tests.evidence.synthetic import key_of

# RFC 8032, section 7.1, test 3.
SEED = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"
PUBLIC = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
MESSAGE = "af82"
SIGNATURE = (
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)
ORDER = 2**252 + 27742317777372353535851937790883648493


def test_signatures_are_those_of_rfc_8032() -> None:
    key = SigningKey(bytes.fromhex(SEED))
    assert key.public.hex() == PUBLIC
    assert key.sign(bytes.fromhex(MESSAGE)).hex() == SIGNATURE
    VerifyingKey(key.public).verify(bytes.fromhex(SIGNATURE), bytes.fromhex(MESSAGE))


@pytest.mark.parametrize("position", range(64))
def test_every_changed_byte_of_a_signature_is_refused(position: int) -> None:
    signature = bytearray.fromhex(SIGNATURE)
    signature[position] ^= 1
    with pytest.raises(VerificationError) as caught:
        VerifyingKey(bytes.fromhex(PUBLIC)).verify(bytes(signature), bytes.fromhex(MESSAGE))
    assert caught.value.rule == "V3"


def test_a_signature_with_the_order_added_is_refused() -> None:
    signature = bytes.fromhex(SIGNATURE)
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    malleable = signature[:32] + scalar.to_bytes(32, "little")
    with pytest.raises(VerificationError):
        VerifyingKey(bytes.fromhex(PUBLIC)).verify(malleable, bytes.fromhex(MESSAGE))


@given(st.binary(max_size=70), st.binary(max_size=70))
def test_no_signature_crashes_the_verifier(signature: bytes, message: bytes) -> None:
    with pytest.raises(VerificationError):
        VerifyingKey(bytes.fromhex(PUBLIC)).verify(signature, message)


@given(st.binary(max_size=40) | st.binary(min_size=32, max_size=32))
def test_a_public_key_is_strong_or_refused(octets: bytes) -> None:
    try:
        key = VerifyingKey(octets)
    except FormatError:
        return
    assert key.octets == octets


@given(st.binary(min_size=32, max_size=32))
def test_every_key_that_is_made_is_taken(seed: bytes) -> None:
    VerifyingKey(SigningKey(seed).public)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_has_32_bytes(length: int) -> None:
    with pytest.raises(FormatError):
        SigningKey(bytes(length))


def test_generated_keys_differ() -> None:
    assert SigningKey.generate().public != SigningKey.generate().public


def test_a_key_file_is_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = SigningKey.generate()
    save_key(path, key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path).public == key.public


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    save_key(path, key_of("first"))
    with pytest.raises(FileExistsError):
        save_key(path, key_of("second"))
    assert load_key(path).public == key_of("first").public


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_key(tmp_path / "none.pem")


def elliptic() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def encrypted() -> bytes:
    private = load_pem_private_key(key_of("any").pem(), password=None)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


@pytest.mark.parametrize(
    "octets",
    [b"", b"no key", key_of("any").pem()[:60], elliptic(), encrypted()],
    ids=["empty", "text", "cut", "elliptic", "encrypted"],
)
def test_a_file_that_holds_no_such_key_is_refused(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(octets)
    with pytest.raises(FormatError):
        load_key(path)


def test_a_fingerprint_is_sha_256_in_hex() -> None:
    assert fingerprint(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
