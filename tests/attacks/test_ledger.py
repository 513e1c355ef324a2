"""What root on the terminal can do to the ledger; the pieces of evidence lie outside the shop."""

from __future__ import annotations

from pathlib import Path

from merchant_agent.evidence import archive
from merchant_agent.evidence.archive import (
    ACKS,
    BATCHES,
    DISCLOSURES,
    RECORDS,
    SLIPS,
    encode_disclosure_line,
    encode_slip_line,
)
from merchant_agent.evidence.exchange import decode_ack, decode_batch
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash, link_of
from merchant_agent.evidence.slip import open_slip
from tests.attacks.telling import place_of, signed_anew, told, verdict_of
from tests.evidence.synthetic import Shop, busy_shop, disclosure_of, id_of

PROTOCOL = Path(archive.__file__).with_name("PROTOCOL.md")


def acknowledged() -> Shop:
    """Three visits, all of which central acknowledged."""
    shop = Shop()
    for level in (1, 2, 3):
        shop.rate(level, "咸", prompt=shop.sale())
    shop.upload()
    return shop


def sign_again(shop: Shop, kept: int) -> Shop:
    """The same terminal, as if what came behind the first `kept` records had never been."""
    again = Shop()
    for number in range(kept // 2):
        again.rate(number + 1, "咸", prompt=again.sale())
    assert again.records == shop.records[:kept]
    again.batches, again.acks = list(shop.batches), list(shop.acks)
    return again


def test_edited_record_is_not_what_the_key_signed() -> None:
    export = acknowledged().export()
    true = export.files[RECORDS][1]
    false = signed_anew(true, b'"level":1', b'"level":5')
    export.files[RECORDS][1] = b".".join([*false.split(b".")[:2], true.split(b".")[2]])
    assert told(export, "V3").seq == 1
    assert told(export, "V3").octets == export.files[RECORDS][1] != true


def test_edited_and_signed_anew_record_is_not_the_one_that_the_next_follows() -> None:
    export = acknowledged().export()
    true = export.files[RECORDS][1]
    export.files[RECORDS][1] = signed_anew(true, b'"tags":[]', b'"tags":["x"]')
    named = told(export, "V5")
    assert named.seq == 2
    stated = decode_jws(named.octets, Typ.RECORD).payload
    assert link_of(true).encode() in stated
    assert link_of(export.files[RECORDS][1]).encode() not in stated


def test_tail_edited_and_signed_anew_contradicts_the_acknowledgement() -> None:
    shop = acknowledged()
    again = sign_again(shop, 4)
    again.rate(5, "咸", prompt=again.sale())
    named = told(again.export(), "V15")
    assert (named.seq, named.file) == (5, BATCHES)
    assert decode_batch(decode_jws(shop.batches[0], Typ.BATCH).payload).newest.link == link_of(
        shop.records[5]
    )
    assert decode_ack(decode_jws(shop.acks[0], Typ.ACK).payload).head.link == link_of(shop.records[5])
    assert link_of(again.records[5]) != link_of(shop.records[5])


def test_record_deleted_in_the_middle_leaves_its_number() -> None:
    export = acknowledged().export()
    del export.files[RECORDS][2]
    named = told(export, "V4")
    assert named.seq == 2
    assert b'"seq":3' in decode_jws(named.octets, Typ.RECORD).payload


def test_record_deleted_and_the_rest_signed_anew_contradicts_the_acknowledgement() -> None:
    shop = acknowledged()
    again = sign_again(shop, 2)
    again.rate(3, "咸", prompt=again.sale())
    export = again.export()
    named = told(export, "V15")
    assert (named.seq, named.file, named.octets) == (5, BATCHES, shop.batches[0])
    assert len(export.files[RECORDS]) == 4


def test_tail_cut_with_a_slip_contradicts_the_customers_slip() -> None:
    shop = Shop()
    shop.rate(1, prompt=shop.sale())
    slip = shop.slip(level=1)
    export = shop.export()
    del export.files[RECORDS][1]
    export.files[SLIPS] = [encode_slip_line(1, 1, slip)]
    named = told(export, "V12")
    assert named.seq == 1
    promise = open_slip(slip, shop.verifying_key())
    assert promise.leaf == leaf_hash(shop.records[1])
    assert promise.leaf not in {leaf_hash(octets) for octets in export.files[RECORDS]}


def test_tail_cut_with_an_uploaded_prompt_contradicts_its_batch() -> None:
    shop = Shop()
    prompt = shop.sale()
    shop.rate(1, prompt=prompt)
    shop.upload()
    export = shop.export()
    del export.files[RECORDS][1]
    named = told(export, "V15")
    assert (named.seq, named.octets) == (1, shop.batches[0])
    assert decode_batch(decode_jws(named.octets, Typ.BATCH).payload).newest.link == link_of(shop.records[1])


def test_tail_cut_with_neither_slip_nor_batch_is_undetectable_and_said_to_be() -> None:
    shop = acknowledged()
    shop.rate(1, "很差", prompt=shop.sale())
    export = shop.export()
    del export.files[RECORDS][6:]
    del export.files[DISCLOSURES][3:]
    verdict = verdict_of(export)
    assert verdict.trusted
    assert not verdict.violations
    assert not verdict.findings
    said = PROTOCOL.read_text(encoding="utf-8").partition("## What this cannot show")[2]
    assert (
        "cut off or signed anew before any batch told of them, and of which no customer opened a slip" in said
    )


def test_reordered_records_do_not_follow_each_other() -> None:
    export = acknowledged().export()
    records = export.files[RECORDS]
    records[2], records[3] = records[3], records[2]
    assert told(export, "V4").seq == 2
    assert told(export, "V4").octets == records[2]


def test_reordered_and_signed_anew_records_contradict_the_acknowledgement() -> None:
    shop = acknowledged()
    again = Shop()
    for level in (3, 2, 1):
        again.rate(level, "咸", prompt=again.sale())
    again.batches, again.acks = list(shop.batches), list(shop.acks)
    named = told(again.export(), "V15")
    assert (named.seq, named.octets) == (5, shop.batches[0])
    assert link_of(again.records[5]) != link_of(shop.records[5])


def test_record_replayed_under_another_issuer_has_no_grant_there() -> None:
    other = Shop(name="other")
    other.rate(5, prompt=other.sale())
    export = acknowledged().export()
    export.files[RECORDS] += other.records
    named = told(export, "V11")
    assert named.octets == other.records[0]
    assert id_of("other").encode() in decode_jws(named.octets, Typ.RECORD).payload


def test_record_replayed_by_the_own_key_states_the_other_issuer() -> None:
    export = acknowledged().export()
    export.files[RECORDS][1] = signed_anew(
        export.files[RECORDS][1], id_of("shop").encode(), id_of("other").encode()
    )
    assert told(export, "V4").seq == 1
    assert told(export, "V4").octets == export.files[RECORDS][1]


def test_record_replayed_in_the_next_epoch_states_the_old_one() -> None:
    shop = busy_shop()
    export = shop.export()
    export.files[RECORDS].append(export.files[RECORDS][1])
    named = told(export, "V4")
    assert (named.seq, named.octets) == (1, shop.records[1])
    assert b'"epoch":1' in decode_jws(named.octets, Typ.RECORD).payload


def test_record_signed_anew_for_the_next_epoch_is_not_in_its_chain() -> None:
    shop = busy_shop()
    export = shop.export()
    replayed = signed_anew(shop.records[1], b'"epoch":1,"seq":1', b'"epoch":2,"seq":1', epoch=2)
    first = len(shop.records) - 4
    export.files[RECORDS][first + 1] = replayed
    named = told(export, "V5")
    assert (named.seq, named.octets) == (1, replayed)


def test_restored_snapshot_that_diverges_contradicts_what_was_uploaded_before() -> None:
    shop = acknowledged()
    restored = sign_again(shop, 2)
    restored.lapse(restored.sale())
    restored.sale()
    restored.sale()
    named = told(restored.export(), "V15")
    assert (named.seq, named.octets) == (5, shop.batches[0])
    assert link_of(restored.records[5]) != link_of(shop.records[5])


def test_swapped_comment_is_not_the_one_whose_digest_was_signed() -> None:
    export = acknowledged().export()
    export.files[DISCLOSURES][0] = encode_disclosure_line(1, 1, disclosure_of("comment", "好吃"))
    named = told(export, "V10")
    assert (named.seq, named.octets) == (1, export.files[DISCLOSURES][0])


def test_comments_of_two_customers_exchanged_are_told() -> None:
    shop = Shop()
    shop.rate(1, "难吃", prompt=shop.sale())
    shop.rate(5, "好吃", prompt=shop.sale())
    export = shop.export()
    texts = [text for _, _, text in shop.disclosures]
    export.files[DISCLOSURES] = [
        encode_disclosure_line(1, 1, texts[1]),
        encode_disclosure_line(1, 3, texts[0]),
    ]
    assert told(export, "V10").seq == 1
    assert verdict_of(export).counts["V10"] == 2


def test_acknowledgement_left_out_leaves_its_batch_unanswered() -> None:
    shop = busy_shop()
    export = shop.export()
    del export.files[ACKS][0]
    named = told(export, "V15")
    assert (named.file, named.octets) == (BATCHES, shop.batches[1])


def test_places_are_named_as_people_can_look_them_up() -> None:
    export = acknowledged().export()
    del export.files[RECORDS][2]
    assert verdict_of(export).first_places["V4"].place == place_of(2)
