"""What a shop can do to what its customers said, and what they hold against it."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Record
from merchant_agent.errors import VerificationError
from merchant_agent.evidence.archive import DISCLOSURES, SLIPS, encode_disclosure_line, encode_slip_line
from merchant_agent.evidence.bodies import DisputeBody, FindingBody, Kind, RatingBody
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.evidence.seal import open_contact, seal_contact
from merchant_agent.evidence.slip import decode_slip, open_slip
from tests.attacks.telling import told
from tests.central.phone.customers import Visitor, phone
from tests.clocks import ManualClock
from tests.evidence.synthetic import COMPLAINT, Shop, disclosure_of, id_of, octets_of, uuid_of

SEALING = X25519PrivateKey.from_private_bytes(octets_of("sealing", 32))


def only_finding(visitor: Visitor) -> FindingBody:
    """The one that central signed into its own chain."""
    [finding] = visitor.said(Kind.FINDING)
    assert isinstance(finding, FindingBody)
    return finding


def test_stored_5_for_pressed_1_contradicts_the_slip() -> None:
    shop = Shop()
    prompt = shop.sale()
    shop.rate(1, prompt=prompt)
    slip = shop.slip(level=1)
    other = Shop()
    other.rate(5, prompt=other.sale())
    export = other.export()
    export.files[SLIPS] = [encode_slip_line(1, 1, slip)]
    named = told(export, "V12")
    assert (named.seq, named.file) == (1, SLIPS)
    promise = open_slip(slip, shop.verifying_key())
    assert (promise.level, other.newest.body) != (5, shop.newest.body)
    assert promise.leaf == leaf_hash(shop.records[1]) != leaf_hash(other.records[1])


def test_stored_5_under_a_slip_that_says_1_contradicts_its_flags() -> None:
    shop = Shop()
    shop.rate(5, prompt=shop.sale())
    slip = shop.slip(level=1)
    assert told(shop.export(), "V12").seq == 1
    assert decode_slip(slip).leaf == leaf_hash(shop.records[1])


def test_stored_5_for_pressed_1_is_two_signatures_by_one_key_at_central(
    central: Central, visitor: Visitor
) -> None:
    prompt = visitor.sender.ask()
    pressed = visitor.rate(prompt, level=1)
    slip = visitor.slip(pressed, level=1)
    visitor.forget_newest()
    stored = visitor.rate(prompt, level=5)
    visitor.upload()
    phone(central).read(f"/s/{slip}")
    assert visitor.sweep() == ["conflict"]
    finding = only_finding(visitor)
    assert finding.leaf == encode_b64u(leaf_hash(pressed.octets))
    with central.store.read() as reader:
        held = reader.all(Record.select().where(Record.issuer == visitor.sender.issuer))
    assert stored.octets in {bytes(row.octets) for row in held}


def test_slip_for_a_deleted_row_is_a_broken_promise(central: Central, visitor: Visitor) -> None:
    deleted = visitor.rate(level=1)
    slip = visitor.slip(deleted, level=1)
    visitor.forget_newest()
    phone(central).read(f"/s/{slip}")
    visitor.pass_time(24.1)
    assert visitor.sweep() == ["broken_promise"]
    assert only_finding(visitor).leaf == encode_b64u(leaf_hash(deleted.octets))
    assert decode_slip(decode_b64u(slip)).place.seq == deleted.seq


def test_slip_for_a_deleted_row_is_told_in_an_export() -> None:
    shop = Shop()
    prompt = shop.sale()
    shop.rate(1, prompt=prompt)
    slip = shop.slip(level=1)
    kept = Shop()
    kept.lapse(kept.sale())
    export = kept.export()
    export.files[SLIPS] = [encode_slip_line(1, 1, slip)]
    assert told(export, "V12").seq == 1
    assert open_slip(slip, kept.verifying_key()).leaf != leaf_hash(kept.records[1])


def test_unsent_complaint_dropped_behind_its_slip_is_told() -> None:
    shop = Shop()
    shop.rate(2, prompt=shop.sale())
    shop.upload()
    shop.append(Kind.COMPLAINT, COMPLAINT)
    slip = shop.slip(complaint=True)
    export = shop.export()
    dropped = export.files["records.jws"].pop()
    named = told(export, "V12")
    assert (named.seq, json.loads(named.octets)["slip"]) == (2, encode_b64u(slip))
    assert open_slip(slip, shop.verifying_key()).leaf == leaf_hash(dropped)


def test_till_that_opens_every_slip_first_is_disputed(
    central: Central, visitor: Visitor, clock: ManualClock
) -> None:
    sent = visitor.rate(level=5)
    slip = visitor.slip(sent)
    visitor.upload()
    till, customer = phone(central, remote="192.0.2.1"), phone(central)
    till.open(slip, visitor.claim)
    clock.advance(60)
    customer.open(slip, visitor.claim)
    customer.post(f"/s/{slip}", f"/s/{slip}/dispute")
    [dispute] = visitor.said(Kind.DISPUTE)
    assert isinstance(dispute, DisputeBody)
    assert (dispute.place.seq, dispute.contested) == (sent.seq, True)
    assert till.post(f"/s/{slip}", f"/s/{slip}/confirm").status_code == 409


def test_5_signed_in_advance_counts_as_the_1_that_a_phone_answers(central: Central, visitor: Visitor) -> None:
    prompt = visitor.sender.ask()
    advance = visitor.rate(prompt, level=5)
    visitor.upload()
    path = f"/i/{visitor.invitation(prompt)}"
    mine = phone(central)
    mine.post(path, f"{path}/level", level="1")
    assert mine.post(path, f"{path}/rating", level="1").status_code == 303
    release = visitor.release()
    assert (release.level_1, release.level_5) == (1, 0)
    [answered] = visitor.said(Kind.RATING)
    assert isinstance(answered, RatingBody)
    assert (answered.level, answered.channel) == (1, "phone")
    with central.store.read() as reader:
        held = reader.all(Record.select().where(Record.issuer == visitor.sender.issuer))
    assert advance.octets in {bytes(row.octets) for row in held}


def complaint_with(contact: bytes) -> Shop:
    """A complaint whose contact is sealed."""
    shop = Shop()
    disclosure = disclosure_of("contact", encode_b64u(contact))
    body = replace(COMPLAINT, notice="2026-1", consents=("authority",))
    shop.append(Kind.COMPLAINT, body, disclosures=(disclosure,))
    return shop


def test_swapped_contact_is_not_the_one_whose_digest_was_signed() -> None:
    own = seal_contact(SEALING.public_key().public_bytes_raw(), id_of("shop"), uuid_of(1), "13800138000")
    shop = complaint_with(own)
    export = shop.export()
    swapped = seal_contact(SEALING.public_key().public_bytes_raw(), id_of("shop"), uuid_of(1), "10086")
    text = disclosure_of("contact", encode_b64u(swapped))
    export.files[DISCLOSURES] = [encode_disclosure_line(1, 0, text)]
    assert told(export, "V10").seq == 0
    assert told(export, "V10").octets == export.files[DISCLOSURES][0]


def test_contact_of_another_customer_signed_into_a_record_cannot_be_opened_there() -> None:
    others = seal_contact(SEALING.public_key().public_bytes_raw(), id_of("shop"), uuid_of(7), "13800138000")
    shop = complaint_with(others)
    assert open_contact(SEALING, id_of("shop"), uuid_of(7), others) == "13800138000"
    with pytest.raises(VerificationError) as refused:
        open_contact(SEALING, id_of("shop"), shop.newest.id, others)
    assert refused.value.rule == "V10"
