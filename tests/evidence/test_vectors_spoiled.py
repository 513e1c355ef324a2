"""Of every good vector, each proper prefix and each changed byte is refused by the reader that takes the whole."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.checkpoint import open_checkpoint
from merchant_agent.evidence.disclosure import check_disclosures
from merchant_agent.evidence.enrolment import verify_enrolment
from merchant_agent.evidence.epochs import open_epoch_request, open_head, verify_possession
from merchant_agent.evidence.exchange import open_ack, open_batch
from merchant_agent.evidence.grant import open_grant
from merchant_agent.evidence.invitation import open_invitation
from merchant_agent.evidence.jws import Typ, decode_jws, verify_jws
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.merkle import verify_consistency
from merchant_agent.evidence.note import NoteKey, parse_vkey
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.query_code import parse_query_code
from merchant_agent.evidence.record import decode_record
from merchant_agent.evidence.requests import verify_request
from merchant_agent.evidence.seal import open_complaint, open_contact
from merchant_agent.evidence.slip import open_slip
from merchant_agent.evidence.stub import open_stub
from merchant_agent.evidence.tlog_proof import verify_tlog_proof
from tests.evidence.test_vectors import keys_of, load, signer_of
from tests.vectors.forms import read_octets

Read = Callable[[bytes], object]
Case = tuple[str, bytes, Read]


def key_in(text: str) -> VerifyingKey:
    return VerifyingKey(bytes.fromhex(text))


def reads_jws(typ: Typ, key: VerifyingKey) -> Read:
    return lambda octets: verify_jws(decode_jws(octets, typ), key)


def opens(open_: Callable[[bytes, VerifyingKey], object], key: VerifyingKey) -> Read:
    return lambda octets: open_(octets, key)


def opens_complaint(private: X25519PrivateKey, issuer: str, record_id: str) -> Read:
    return lambda octets: open_complaint(private, issuer, record_id, octets)


def opens_contact(private: X25519PrivateKey, issuer: str, record_id: str) -> Read:
    return lambda octets: open_contact(private, issuer, record_id, octets)


def reads_proof(leaf: bytes, log: Sequence[NoteKey]) -> Read:
    return lambda octets: verify_tlog_proof(octets, leaf, log)


def reads_request(key: VerifyingKey, good: Any) -> Read:
    stated = good["purpose"], good["issuer"], good["nonce"], good["detail"]
    return lambda octets: verify_request(octets.decode("latin-1"), key, *stated)


def claims(good: Any) -> Read:
    public = bytes.fromhex(good["public"])
    return lambda octets: verify_enrolment(public, good["code"], octets, good["continues"])


def signed() -> Iterator[Case]:
    """Everything that is a JWS."""
    for good in load("jws")["good"]:
        typ, key = Typ(good["typ"]), key_in(good["public"])
        yield (
            good["typ"],
            good["octets"].encode(),
            reads_jws(typ, key),
        )
    grants, acks, heads, epochs = (load(name) for name in ("grants", "acks", "heads", "epochs"))
    readers: dict[str, Read] = {
        "grants": lambda octets: open_grant(octets, keys_of(grants["root"])),
        "acks": lambda octets: open_ack(octets, keys_of(acks["keys"])),
        "heads": lambda octets: open_head(octets, keys_of(heads["keys"])),
        "epochs": lambda octets: open_epoch_request(octets, key_in(epochs["public"])),
    }
    for name, read in readers.items():
        for number, good in enumerate(load(name)["good"]):
            yield f"{name} {number}", good["octets"].encode(), read
    openers: dict[str, tuple[Typ, Callable[[bytes, VerifyingKey], object]]] = {
        "batches": (Typ.BATCH, open_batch),
        "stubs": (Typ.STUB, open_stub),
    }
    for name, (typ, open_) in openers.items():
        for number, good in enumerate(load(name)["good"]):
            octets = good["octets"].encode()
            key = signer_of(octets, typ, load(name)["keys"])
            yield f"{name} {number}", octets, opens(open_, key)


def carried() -> Iterator[Case]:
    """What customers take along, what they leave, and what the log says."""
    slips, contacts, proofs = (load(name) for name in ("slips", "contacts", "proofs"))
    for number, good in enumerate(slips["good"]):
        key = key_in(slips["public"])
        yield f"slips {number}", bytes.fromhex(good["hex"]), opens(open_slip, key)
    for good in load("invitations")["good"]:
        key = key_in(good["public"])
        yield "invitations", bytes.fromhex(good["hex"]), opens(open_invitation, key)
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(contacts["private"]))
    for good in contacts["good"]:
        yield (
            "contacts",
            bytes.fromhex(good["hex"]),
            opens_contact(private, good["issuer"], good["id"]),
        )
    for good in load("confided")["good"]:
        yield "confided", bytes.fromhex(good["hex"]), opens_complaint(private, good["issuer"], good["id"])
    vkeys = [parse_vkey(text) for text in load("checkpoints")["vkeys"]]
    for number, good in enumerate(load("checkpoints")["good"][:1]):
        yield f"checkpoints {number}", good["text"].encode(), lambda octets: open_checkpoint(octets, vkeys)
    for good in proofs["good"]:
        leaf, log = decode_b64u(proofs["leaf"]), [parse_vkey(text) for text in proofs["vkeys"]]
        yield (
            "proofs",
            good["text"].encode(),
            reads_proof(leaf, log),
        )


def bare() -> Iterator[Case]:
    """What stands beside a signature: headers, possession, claims of codes, disclosures."""
    requests, epochs, codes, said = (load(name) for name in ("requests", "epochs", "codes", "disclosures"))
    for good in requests["good"]:
        yield (
            f"requests {good['purpose']}",
            good["header"].encode(),
            reads_request(key_in(requests["public"]), good),
        )
    known = epochs["possession"]
    yield (
        "possession",
        bytes.fromhex(known["signature"]),
        lambda octets: verify_possession(key_in(known["public"]), known["octets"].encode(), octets),
    )
    for number, good in enumerate(codes["enrolment"]):
        yield (
            f"enrolment {number}",
            decode_b64u(good["signature"]),
            claims(good),
        )
    record = decode_record(decode_jws(said["record"].encode(), Typ.RECORD).payload)
    for number, text in enumerate(said["good"][0]["disclosures"]):
        yield (
            f"disclosures {number}",
            text.encode(),
            lambda octets: check_disclosures(record, [octets.decode("latin-1")]),
        )


CASES = [pytest.param(octets, read, id=name) for name, octets, read in (*signed(), *carried(), *bare())]


@pytest.mark.parametrize(("octets", "read"), CASES)
def test_every_proper_prefix_of_every_vector_is_refused(octets: bytes, read: Read) -> None:
    read(octets)
    for length in range(len(octets)):
        with pytest.raises((FormatError, VerificationError)):
            read(octets[:length])


@pytest.mark.parametrize(("octets", "read"), CASES)
def test_every_changed_byte_of_every_vector_is_refused(octets: bytes, read: Read) -> None:
    for position, old in enumerate(octets):
        for bit in (0x01, 0x20, 0x80):
            with pytest.raises((FormatError, VerificationError)):
                read(octets[:position] + bytes([old ^ bit]) + octets[position + 1 :])


@pytest.mark.parametrize("name", ["records", "kinds"])
def test_a_changed_byte_of_a_payload_is_refused_or_says_something_else(name: str) -> None:
    """Payloads are not signed by themselves: what a reader takes must be another payload, written as it came."""
    for vector in load(name)["good"]:
        payload = read_octets(dict(vector))
        read = decode_record(payload)
        for position, old in enumerate(payload):
            changed = payload[:position] + bytes([old ^ 1]) + payload[position + 1 :]
            try:
                assert decode_record(changed) != read
            except FormatError:
                continue
        for length in range(len(payload)):
            with pytest.raises(FormatError):
                decode_record(payload[:length])


def test_a_changed_letter_of_a_query_code_is_another_letter_or_refused() -> None:
    for known in load("codes")["query"]:
        code = known["code"]
        for position, old in enumerate(code):
            for letter in set("0123456789ABCDEFGHJKMNPQRSTVWXYZ") - {old} if old != "-" else ():
                with pytest.raises(FormatError):
                    parse_query_code(code[:position] + letter + code[position + 1 :])


def test_every_shortened_or_changed_proof_of_consistency_is_refused() -> None:
    stated = load("proofs")["consistency"]
    old_root, new_root = (b64decode(stated[name]) for name in ("old_root", "new_root"))
    path = [b64decode(text) for text in stated["path"]]

    def verify(proof: list[bytes]) -> None:
        verify_consistency(stated["old"], old_root, stated["new"], new_root, proof)

    verify(path)
    for length in range(len(path)):
        with pytest.raises(VerificationError):
            verify(path[:length])
    for number, node in enumerate(path):
        for position in range(32):
            changed = node[:position] + bytes([node[position] ^ 1]) + node[position + 1 :]
            with pytest.raises(VerificationError):
                verify([*path[:number], changed, *path[number + 1 :]])
