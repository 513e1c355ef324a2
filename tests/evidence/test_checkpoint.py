"""Notes, checkpoints and proofs: what is signed is exactly what is read."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.checkpoint import (
    TreeHead,
    decode_tree_head,
    encode_tree_head,
    open_checkpoint,
    sign_checkpoint,
)
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.merkle import node_hash
from merchant_agent.evidence.note import (
    Algorithm,
    NoteKey,
    cosign_note,
    format_vkey,
    join_note,
    open_note,
    parse_vkey,
    sign_note,
)
from merchant_agent.evidence.tlog_proof import decode_tlog_proof, encode_tlog_proof, verify_tlog_proof

ORIGIN = "central.example.gov.cn/log"
LOG, COSIGNER, STRANGER = (SigningKey(bytes([number]) * 32) for number in (1, 2, 3))
KEYS = (
    NoteKey(name=ORIGIN, algorithm=Algorithm.ED25519, key=VerifyingKey(LOG.public)),
    NoteKey(name=ORIGIN, algorithm=Algorithm.COSIGNATURE, key=VerifyingKey(COSIGNER.public)),
)
LEFT, RIGHT = (hashlib.sha256(bytes([number])).digest() for number in (4, 5))
HEAD = TreeHead(origin=ORIGIN, size=2, root=node_hash(LEFT, RIGHT))
TIME = 1_779_249_600
CHECKPOINT = sign_checkpoint(HEAD, LOG, COSIGNER, TIME)
PROOF = encode_tlog_proof(1, [LEFT], CHECKPOINT)


def test_example_of_the_specification_opens() -> None:
    # Source: C2SP signed-note, "Example".
    key = parse_vkey("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    assert (key.name, key.id.hex(), key.algorithm) == ("example.com/foo", "530d903a", Algorithm.ED25519)


def test_checkpoint_round_trip() -> None:
    checkpoint = open_checkpoint(CHECKPOINT, KEYS)
    assert (checkpoint.head, checkpoint.time, checkpoint.octets) == (HEAD, TIME, CHECKPOINT)


def test_verifier_keys_round_trip() -> None:
    for key in KEYS:
        again = parse_vkey(format_vkey(key))
        assert (again.name, again.algorithm, again.id) == (key.name, key.algorithm, key.id)
        assert again.key.octets == key.key.octets
    assert KEYS[0].id != KEYS[1].id


def test_every_prefix_and_every_changed_byte_of_what_counts_is_refused() -> None:
    for end in range(len(CHECKPOINT)):
        with pytest.raises(VerificationError, match="V14"):
            open_checkpoint(CHECKPOINT[:end], KEYS)
    for at, byte in enumerate(CHECKPOINT):
        for change in (1, 0x80):
            with pytest.raises(VerificationError, match="V14"):
                open_checkpoint(CHECKPOINT[:at] + bytes([byte ^ change]) + CHECKPOINT[at + 1 :], KEYS)


def test_every_prefix_and_every_changed_byte_of_a_proof_is_refused() -> None:
    verify_tlog_proof(PROOF, RIGHT, KEYS)
    for end in range(len(PROOF)):
        with pytest.raises(VerificationError, match="V14"):
            verify_tlog_proof(PROOF[:end], RIGHT, KEYS)
    for at, byte in enumerate(PROOF):
        with pytest.raises(VerificationError, match="V14"):
            verify_tlog_proof(PROOF[:at] + bytes([byte ^ 1]) + PROOF[at + 1 :], RIGHT, KEYS)


def test_proof_of_another_leaf_is_refused() -> None:
    with pytest.raises(VerificationError, match="V14"):
        verify_tlog_proof(PROOF, LEFT, KEYS)


def test_checkpoint_of_a_stranger_is_refused() -> None:
    with pytest.raises(VerificationError, match="no known key"):
        open_checkpoint(sign_checkpoint(HEAD, STRANGER, STRANGER, TIME), KEYS)


def test_checkpoint_without_its_cosignature_is_refused() -> None:
    text = encode_tree_head(HEAD)
    alone = join_note(text, [sign_note(text, ORIGIN, LOG)]).encode()
    with pytest.raises(VerificationError, match="not both"):
        open_checkpoint(alone, KEYS)
    other = join_note(text, [cosign_note(text, ORIGIN, COSIGNER, TIME)]).encode()
    with pytest.raises(VerificationError, match="not both"):
        open_checkpoint(other, KEYS)


def test_signatures_of_strangers_beside_ours_are_passed_over() -> None:
    text = encode_tree_head(HEAD)
    lines = (
        cosign_note(text, "witness.example", STRANGER, TIME + 9),
        sign_note(text, ORIGIN, LOG),
        cosign_note(text, ORIGIN, COSIGNER, TIME),
    )
    assert open_checkpoint(join_note(text, lines).encode(), KEYS).time == TIME


def test_wrong_signature_under_a_known_name_and_id_refuses_the_whole_note() -> None:
    text = encode_tree_head(HEAD)
    other = encode_tree_head(TreeHead(origin=ORIGIN, size=3, root=HEAD.root))
    lines = (sign_note(other, ORIGIN, LOG), cosign_note(text, ORIGIN, COSIGNER, TIME))
    with pytest.raises(VerificationError, match="is wrong"):
        open_checkpoint(join_note(text, lines).encode(), KEYS)


def test_cosignature_is_bound_to_its_time() -> None:
    text = encode_tree_head(HEAD)
    line = cosign_note(text, ORIGIN, COSIGNER, TIME)
    note = open_note(join_note(text, [line]).encode(), KEYS)
    assert [signature.time for signature in note.signatures] == [TIME]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x\n1\n",
        "x\n01\n" + "A" * 43 + "=\n",
        "x\n1\n" + "A" * 42 + "B=\n",
        "x\n1\n" + "A" * 40 + "\n",
        "\n1\n" + "A" * 43 + "=\n",
        "x\n1\n" + "A" * 43 + "=\nmore\n",
        "x\n-1\n" + "A" * 43 + "=\n",
        "x\n1\n" + "A" * 43 + "=",
    ],
)
def test_tree_head_has_one_form(text: str) -> None:
    with pytest.raises(FormatError):
        decode_tree_head(text)


@pytest.mark.parametrize("origin", ["", "a\nb", "a b", "a+b"])
def test_origin_that_cannot_stand_in_a_note_is_refused(origin: str) -> None:
    with pytest.raises(FormatError):
        sign_checkpoint(TreeHead(origin=origin, size=0, root=bytes(32)), LOG, COSIGNER, TIME)


@given(st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)))
def test_no_octets_raise_anything_but_the_declared_errors(octets: bytes) -> None:
    with pytest.raises(VerificationError):
        open_checkpoint(octets, KEYS)
    with pytest.raises(FormatError):
        decode_tlog_proof(octets)


@given(st.text(max_size=80))
def test_no_text_makes_a_verifier_key_by_accident(text: str) -> None:
    with pytest.raises(FormatError):
        parse_vkey(text)
