"""The vectors are what their script makes, and this package reads each as it says."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.checkpoint import open_checkpoint
from merchant_agent.evidence.disclosure import check_disclosures
from merchant_agent.evidence.enrolment import parse_code, verify_enrolment
from merchant_agent.evidence.epochs import open_epoch_request, open_head, verify_possession
from merchant_agent.evidence.exchange import open_ack, open_batch
from merchant_agent.evidence.grant import open_grant
from merchant_agent.evidence.invitation import open_invitation
from merchant_agent.evidence.jws import (
    Typ,
    decode_jws,
    decode_kid,
    format_kid,
    leaf_hash,
    link_of,
    verify_jws,
)
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.merkle import verify_consistency
from merchant_agent.evidence.note import NoteKey, parse_vkey
from merchant_agent.evidence.octets import decode_b64u, encode_b64u, encode_json
from merchant_agent.evidence.query_code import parse_query_code, query_code
from merchant_agent.evidence.record import decode_record, encode_record
from merchant_agent.evidence.requests import epoch_of, verify_request
from merchant_agent.evidence.seal import open_complaint, open_contact
from merchant_agent.evidence.slip import claim_hash, open_slip, parse_slip
from merchant_agent.evidence.stub import is_stub, open_stub
from merchant_agent.evidence.tlog_proof import decode_hashes, verify_tlog_proof
from merchant_agent.evidence.trust import load_trust
from merchant_agent.evidence.verify import verify_export
from tests.evidence.synthetic import Export, id_of
from tests.vectors.forms import read_octets
from tests.vectors.make import FOLDER, MAKERS, render

PROTOCOL = Path(__file__).parents[2] / "merchant_agent" / "evidence" / "PROTOCOL.md"
CHECKED = {"V1", "V2", "V3", "V4", "V5", "V6", "V7", "V10", "V11", "V12", "V14", "V15", "V16"}


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def bad_of(name: str) -> list[Any]:
    return [pytest.param(bad, id=bad["name"]) for bad in load(name)["bad"]]


def edited_vectors() -> list[Any]:
    return [
        pytest.param(name, bad, id=f"{name}: {bad['name']}")
        for name in ("exports", "rotated")
        for bad in load(name)["bad"]
    ]


def keys_of(by_kid: dict[str, str]) -> dict[str, VerifyingKey]:
    return {kid: VerifyingKey(bytes.fromhex(public)) for kid, public in by_kid.items()}


def signer_of(octets: bytes, typ: Typ, by_kid: dict[str, str]) -> VerifyingKey:
    """The key that the header names."""
    return keys_of(by_kid)[format_kid(*decode_kid(octets, typ))]


@pytest.mark.parametrize("name", MAKERS)
def test_the_checked_in_file_is_what_the_script_makes(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text() == render(name)


def test_there_is_no_file_that_no_script_makes() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(MAKERS)


def test_every_checked_rule_has_a_bad_vector() -> None:
    assert {bad["rule"] for name in MAKERS for bad in load(name).get("bad", [])} == CHECKED


def test_no_bad_vector_is_a_good_one() -> None:
    for name in ("records", "jws"):
        good = [{"text": str(text)} for text in _good_texts(name)]
        assert not [bad for bad in load(name)["bad"] if {"text": bad.get("text")} in good]


def _good_texts(name: str) -> list[str]:
    return [good.get("text", good.get("octets")) for good in load(name)["good"]]


# Octets


@pytest.mark.parametrize("good", load("base64url")["good"])
def test_base64url_has_one_text(good: dict[str, str]) -> None:
    assert encode_b64u(bytes.fromhex(good["hex"])) == good["text"]
    assert decode_b64u(good["text"]).hex() == good["hex"]


@pytest.mark.parametrize("bad", bad_of("base64url"))
def test_other_base64url_is_refused(bad: dict[str, str]) -> None:
    with pytest.raises(FormatError):
        decode_b64u(bad["text"])


@pytest.mark.parametrize("good", load("keys")["good"])
def test_strong_keys_are_taken(good: dict[str, str]) -> None:
    assert VerifyingKey(bytes.fromhex(good["public"])).octets.hex() == good["public"]


@pytest.mark.parametrize("bad", bad_of("keys"))
def test_weak_keys_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(FormatError):
        VerifyingKey(bytes.fromhex(bad["public"]))


@pytest.mark.parametrize("good", load("jws")["good"])
def test_jws_are_read(good: dict[str, str]) -> None:
    octets = good["octets"].encode()
    verify_jws(decode_jws(octets, Typ(good["typ"])), VerifyingKey(bytes.fromhex(good["public"])))
    assert link_of(octets) == good["link"]
    assert encode_b64u(leaf_hash(octets)) == good["leaf"]


@pytest.mark.parametrize("bad", bad_of("jws"))
def test_other_jws_are_refused(bad: dict[str, str]) -> None:
    key = VerifyingKey(bytes.fromhex(load("jws")["public"]))
    with pytest.raises(VerificationError) as caught:
        verify_jws(decode_jws(read_octets(dict(bad)), Typ(bad["typ"])), key)
    assert caught.value.rule == bad["rule"]


# Statements


@pytest.mark.parametrize("good", load("records")["good"])
def test_records_are_read_and_written_again(good: dict[str, str]) -> None:
    payload = read_octets(dict(good))
    assert encode_record(decode_record(payload)) == payload


@pytest.mark.parametrize("bad", bad_of("records"))
def test_other_records_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(FormatError):
        decode_record(read_octets(dict(bad)))


@pytest.mark.parametrize("good", load("grants")["good"])
def test_grants_are_read(good: dict[str, str]) -> None:
    open_grant(good["octets"].encode(), keys_of(load("grants")["root"]))


@pytest.mark.parametrize("bad", bad_of("grants"))
def test_other_grants_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(VerificationError) as caught:
        open_grant(bad["octets"].encode(), keys_of(load("grants")["root"]))
    assert caught.value.rule == bad["rule"]


@pytest.mark.parametrize("good", load("batches")["good"])
def test_batches_are_read(good: dict[str, str]) -> None:
    octets = good["octets"].encode()
    open_batch(octets, signer_of(octets, Typ.BATCH, load("batches")["keys"]))


@pytest.mark.parametrize("bad", bad_of("batches"))
def test_other_batches_are_refused(bad: dict[str, str]) -> None:
    octets = bad["octets"].encode()
    with pytest.raises(VerificationError) as caught:
        open_batch(octets, signer_of(octets, Typ.BATCH, load("batches")["keys"]))
    assert caught.value.rule == bad["rule"]


@pytest.mark.parametrize("good", load("acks")["good"])
def test_acknowledgements_are_read(good: dict[str, str]) -> None:
    open_ack(good["octets"].encode(), keys_of(load("acks")["keys"]))


@pytest.mark.parametrize("bad", bad_of("acks"))
def test_other_acknowledgements_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(VerificationError) as caught:
        open_ack(bad["octets"].encode(), keys_of(load("acks")["keys"]))
    assert caught.value.rule == bad["rule"]


@pytest.mark.parametrize("good", load("disclosures")["good"])
def test_disclosures_say_what_was_said(good: dict[str, Any]) -> None:
    record = decode_record(decode_jws(load("disclosures")["record"].encode(), Typ.RECORD).payload)
    assert check_disclosures(record, good["disclosures"]) == good["values"]


@pytest.mark.parametrize("bad", bad_of("disclosures"))
def test_other_disclosures_are_refused(bad: dict[str, Any]) -> None:
    record = decode_record(decode_jws(load("disclosures")["record"].encode(), Typ.RECORD).payload)
    with pytest.raises(VerificationError) as caught:
        check_disclosures(record, bad["disclosures"])
    assert (caught.value.rule, caught.value.seq) == (bad["rule"], record.seq)


def test_query_codes_are_made_and_read() -> None:
    codes = load("codes")
    for known in codes["query"]:
        assert query_code(decode_b64u(known["leaf"])) == known["code"]
    for read in codes["query_read"]:
        assert parse_query_code(read["text"]) == read["code"]


@pytest.mark.parametrize("text", load("codes")["query_bad"])
def test_other_query_codes_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_query_code(text)


def test_enrolment_codes_are_read_and_their_signatures_hold() -> None:
    for known in load("codes")["enrolment"]:
        assert {parse_code(text) for text in known["read"]} == {known["code"]}
        public, signature = bytes.fromhex(known["public"]), decode_b64u(known["signature"])
        verify_enrolment(public, known["code"], signature, known["continues"])


@pytest.mark.parametrize("text", load("codes")["enrolment_bad"])
def test_other_enrolment_codes_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_code(text)


def test_invitations_are_laid_out_and_signed_as_specified() -> None:
    for known in load("invitations")["good"]:
        octets = bytes.fromhex(known["hex"])
        assert len(octets) == 92
        assert octets[0] == 1
        assert encode_b64u(octets[1:9]) == known["issuer"]
        numbers = (octets[9:11], octets[11:15], octets[15:19], octets[19:20])
        assert [int.from_bytes(number) for number in numbers] == [
            known[name] for name in ("epoch", "seq", "time", "days")
        ]
        assert encode_b64u(octets[20:28]) == known["tag"]
        key = VerifyingKey(bytes.fromhex(known["public"]))
        key.verify(octets[28:], b"merchant-agent/invitation/v1\n" + octets[:28])
        assert known["url"] == f"https://central.example/i/{encode_b64u(octets)}"


@pytest.mark.parametrize("good", load("epochs")["good"])
def test_epoch_requests_are_read(good: dict[str, str]) -> None:
    open_epoch_request(good["octets"].encode(), VerifyingKey(bytes.fromhex(load("epochs")["public"])))


@pytest.mark.parametrize("bad", bad_of("epochs"))
def test_other_epoch_requests_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(VerificationError) as caught:
        open_epoch_request(bad["octets"].encode(), VerifyingKey(bytes.fromhex(load("epochs")["public"])))
    assert caught.value.rule == bad["rule"]


def test_the_new_key_stands_behind_an_epoch_request() -> None:
    vectors = load("epochs")
    known = vectors["possession"]
    key, octets = VerifyingKey(bytes.fromhex(known["public"])), known["octets"].encode()
    verify_possession(key, octets, bytes.fromhex(known["signature"]))
    for bad in vectors["possession_bad"]:
        with pytest.raises(VerificationError) as caught:
            verify_possession(key, octets, bytes.fromhex(bad["signature"]))
        assert caught.value.rule == bad["rule"]


@pytest.mark.parametrize("good", load("heads")["good"])
def test_heads_are_read(good: dict[str, str]) -> None:
    open_head(good["octets"].encode(), keys_of(load("heads")["keys"]))


@pytest.mark.parametrize("bad", bad_of("heads"))
def test_other_heads_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(VerificationError) as caught:
        open_head(bad["octets"].encode(), keys_of(load("heads")["keys"]))
    assert caught.value.rule == bad["rule"]


@pytest.mark.parametrize("good", load("stubs")["good"])
def test_stubs_are_read(good: dict[str, str]) -> None:
    octets = good["octets"].encode()
    assert is_stub(octets)
    open_stub(octets, signer_of(octets, Typ.STUB, load("stubs")["keys"]))


@pytest.mark.parametrize("bad", bad_of("stubs"))
def test_other_stubs_are_refused(bad: dict[str, str]) -> None:
    octets = bad["octets"].encode()
    key = keys_of(load("stubs")["keys"])[f"{id_of('shop')}.1"]
    with pytest.raises(VerificationError) as caught:
        open_stub(octets, key)
    assert caught.value.rule == bad["rule"]


@pytest.mark.parametrize("good", load("requests")["good"])
def test_signed_requests_are_taken(good: dict[str, Any]) -> None:
    key = VerifyingKey(bytes.fromhex(load("requests")["public"]))
    assert epoch_of(good["header"]) == 1
    verify_request(good["header"], key, good["purpose"], good["issuer"], good["nonce"], good["detail"])


@pytest.mark.parametrize("bad", bad_of("requests"))
def test_other_requests_are_refused(bad: dict[str, str]) -> None:
    good = load("requests")["good"][0]
    key = VerifyingKey(bytes.fromhex(load("requests")["public"]))
    with pytest.raises(VerificationError) as caught:
        verify_request(bad["header"], key, good["purpose"], good["issuer"], good["nonce"], good["detail"])
    assert caught.value.rule == bad["rule"]


# Histories


def chain_of(vectors: Any) -> Chain:
    octets = vectors["grant"].encode()
    return Chain.begin(octets, open_grant(octets, keys_of(vectors["root"])))


def test_a_good_chain_is_accepted_to_its_head() -> None:
    vectors = load("chains")
    chain = chain_of(vectors)
    for octets in vectors["good"]:
        chain.accept(octets.encode())
    assert {"epoch": chain.epoch, "seq": chain.seq, "link": chain.link} == vectors["head"]


@pytest.mark.parametrize("bad", bad_of("chains"))
def test_other_chains_are_refused_at_their_last_record(bad: dict[str, Any]) -> None:
    chain = chain_of(load("chains"))
    *before, last = bad["records"]
    for octets in before:
        chain.accept(octets.encode())
    head = chain.head
    with pytest.raises(VerificationError) as caught:
        chain.accept(last.encode())
    assert (caught.value.rule, caught.value.seq) == (bad["rule"], bad["seq"])
    assert chain.head == head


def export_of(vectors: Any) -> Export:
    return Export({name: [line.encode() for line in lines] for name, lines in vectors["files"].items()})


def test_a_good_export_is_trusted_and_violates_nothing() -> None:
    vectors = load("exports")
    verdict = verify_export(export_of(vectors), load_trust(vectors["trust"].encode()))
    assert verdict.trusted
    assert verdict.records == 14
    assert not verdict.violations
    assert not verdict.findings


def test_epochs_that_interleave_violate_nothing() -> None:
    vectors = load("rotated")
    verdict = verify_export(export_of(vectors), load_trust(vectors["trust"].encode()))
    assert verdict.trusted
    assert not verdict.violations
    assert [finding.code for finding in verdict.findings] == vectors["findings"]


@pytest.mark.parametrize(("name", "bad"), edited_vectors())
def test_an_edited_export_violates_its_rule_at_its_place(name: str, bad: dict[str, Any]) -> None:
    vectors = load(name)
    export = export_of(vectors)
    for edit in sorted(bad["edits"], key=lambda edit: -edit["line"]):
        export.files[edit["file"]][edit["line"] - 1 : edit["line"]] = [
            line.encode() for line in edit["lines"]
        ]
    verdict = verify_export(export, load_trust(vectors["trust"].encode()))
    named = [
        (violation.place and msgspec.to_builtins(violation.place), violation.file)
        for violation in verdict.violations
        if violation.rule == bad["rule"]
    ]
    if bad["place"] is None:
        assert bad["file"] in {file for _, file in named}
    else:
        assert (bad["place"], bad["file"]) in named


# What customers take along, and the log


@pytest.mark.parametrize("good", load("kinds")["good"])
def test_every_kind_is_read_and_written_again(good: dict[str, str]) -> None:
    payload = read_octets(dict(good))
    record = decode_record(payload)
    assert record.kind == good["kind"]
    assert encode_record(record) == payload


@pytest.mark.parametrize("bad", bad_of("kinds"))
def test_kinds_that_make_no_sense_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(FormatError):
        decode_record(read_octets(dict(bad)))


def test_slips_are_laid_out_and_signed_as_specified() -> None:
    vectors = load("slips")
    key = VerifyingKey(bytes.fromhex(vectors["public"]))
    for good in vectors["good"]:
        slip = open_slip(bytes.fromhex(good["hex"]), key)
        assert msgspec.to_builtins(slip.place) == {name: good[name] for name in ("issuer", "epoch", "seq")}
        for name in ("time", "level", "complaint", "contact", "suggestion", "deadline_hours"):
            assert getattr(slip, name) == good[name]
        assert encode_b64u(slip.leaf) == good["leaf"]
    claim = vectors["claim"]
    assert claim_hash(bytes.fromhex(claim["hex"])) == claim["hash"]
    path, _, fragment = claim["url"].rpartition("/")[2].partition("#")
    assert parse_slip(path).hex() == vectors["good"][0]["hex"]
    assert decode_b64u(fragment).hex() == claim["hex"]


@pytest.mark.parametrize("bad", bad_of("slips"))
def test_other_slips_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(VerificationError) as caught:
        open_slip(bytes.fromhex(bad["hex"]), VerifyingKey(bytes.fromhex(load("slips")["public"])))
    assert caught.value.rule == bad["rule"]


@pytest.mark.parametrize("bad", bad_of("invitations"))
def test_other_invitations_are_refused(bad: dict[str, str]) -> None:
    (good,) = load("invitations")["good"]
    with pytest.raises(VerificationError) as caught:
        open_invitation(bytes.fromhex(bad["hex"]), VerifyingKey(bytes.fromhex(good["public"])))
    assert caught.value.rule == bad["rule"]


def sealing_key() -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(bytes.fromhex(load("contacts")["private"]))


@pytest.mark.parametrize("good", load("contacts")["good"])
def test_sealed_contacts_are_opened(good: dict[str, str]) -> None:
    sealed = bytes.fromhex(good["hex"])
    assert open_contact(sealing_key(), good["issuer"], good["id"], sealed) == good["text"]


@pytest.mark.parametrize("bad", bad_of("contacts"))
def test_other_sealed_contacts_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(VerificationError) as caught:
        open_contact(sealing_key(), bad["issuer"], bad["id"], bytes.fromhex(bad["hex"]))
    assert caught.value.rule == bad["rule"]


@pytest.mark.parametrize("good", load("confided")["good"])
def test_complaints_for_the_station_are_opened(good: dict[str, str]) -> None:
    opened = open_complaint(sealing_key(), good["issuer"], good["id"], bytes.fromhex(good["hex"]))
    assert encode_json(opened).decode() == good["text"]
    assert opened.comment not in repr(opened)


@pytest.mark.parametrize("bad", bad_of("confided"))
def test_other_complaints_for_the_station_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(VerificationError) as caught:
        open_complaint(sealing_key(), bad["issuer"], bad["id"], bytes.fromhex(bad["hex"]))
    assert caught.value.rule == bad["rule"]


def log_keys(vectors: Any) -> list[NoteKey]:
    return [parse_vkey(text) for text in vectors["vkeys"]]


@pytest.mark.parametrize("good", load("checkpoints")["good"])
def test_checkpoints_are_opened(good: dict[str, Any]) -> None:
    checkpoint = open_checkpoint(good["text"].encode(), log_keys(load("checkpoints")))
    assert checkpoint.head.size == good["size"]


@pytest.mark.parametrize("bad", bad_of("checkpoints"))
def test_other_checkpoints_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(VerificationError) as caught:
        open_checkpoint(bad["text"].encode(), log_keys(load("checkpoints")))
    assert caught.value.rule == bad["rule"]


def test_proofs_lead_from_the_leaf_to_the_root() -> None:
    vectors = load("proofs")
    for good in vectors["good"]:
        verify_tlog_proof(good["text"].encode(), decode_b64u(vectors["leaf"]), log_keys(vectors))
    verify_consistency(*connected(vectors, vectors["consistency"]["path"]))


def connected(vectors: Any, path: list[str]) -> tuple[int, bytes, int, bytes, list[bytes]]:
    stated = vectors["consistency"]
    old_root, new_root = (b64decode(stated[name]) for name in ("old_root", "new_root"))
    return stated["old"], old_root, stated["new"], new_root, decode_hashes(line.encode() for line in path)


@pytest.mark.parametrize("bad", bad_of("proofs"))
def test_other_proofs_are_refused(bad: dict[str, str]) -> None:
    vectors = load("proofs")
    with pytest.raises(VerificationError) as caught:
        verify_tlog_proof(bad["text"].encode(), decode_b64u(vectors["leaf"]), log_keys(vectors))
    assert caught.value.rule == bad["rule"]


@pytest.mark.parametrize("path", load("proofs")["consistency_bad"])
def test_other_consistency_proofs_are_refused(path: list[str]) -> None:
    with pytest.raises(VerificationError, match="V14"):
        verify_consistency(*connected(load("proofs"), path))


def test_a_logged_export_is_trusted_and_violates_nothing() -> None:
    vectors = load("logged")
    verdict = verify_export(export_of(vectors), load_trust(vectors["trust"].encode()))
    assert verdict.trusted
    assert (verdict.records, verdict.slips, verdict.checkpoints, verdict.proofs) == (10, 2, 3, 3)
    assert not verdict.violations
    assert not verdict.findings


@pytest.mark.parametrize("bad", bad_of("logged"))
def test_an_export_that_contradicts_slips_or_log_violates_their_rule(bad: dict[str, Any]) -> None:
    vectors = load("logged")
    export = export_of(vectors)
    for name, lines in bad["files"].items():
        if lines is None:
            del export.files[name]
        else:
            export.files[name] = [line.encode() for line in lines]
    verdict = verify_export(export, load_trust(vectors["trust"].encode()))
    named = [
        (violation.place and msgspec.to_builtins(violation.place), violation.file)
        for violation in verdict.violations
        if violation.rule == bad["rule"]
    ]
    assert (bad["place"], bad["file"]) in named


# The specification


def fenced(kind: str) -> list[str]:
    return re.findall(rf"```json {kind}\n(.*?)\n```", PROTOCOL.read_text(encoding="utf-8"), re.DOTALL)


def test_the_record_in_the_specification_is_one() -> None:
    (text,) = fenced("record")
    assert encode_record(decode_record(text.encode())) == text.encode()
    assert {"text": text} in load("records")["good"]


def test_the_trust_file_in_the_specification_is_one() -> None:
    (text,) = fenced("trust")
    assert load_trust(text.encode()) == load_trust(load("exports")["trust"].encode())


def test_every_section_that_the_code_cites_is_in_the_specification() -> None:
    headings = set(re.findall(r"^#+ (.*)$", PROTOCOL.read_text(encoding="utf-8"), re.MULTILINE))
    package = PROTOCOL.parents[1]
    cited = {
        section
        for path in package.rglob("*.py")
        for names in re.findall(r'PROTOCOL\.md((?:, "[^"]+")+)', path.read_text(encoding="utf-8"))
        for section in re.findall(r'"([^"]+)"', names)
    }
    assert cited
    assert cited <= headings
