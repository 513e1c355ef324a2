"""A whole export: whatever is done to it afterwards, the verdict names rule and place."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from merchant_agent.errors import FormatError
from merchant_agent.evidence.archive import (
    ACKS,
    BATCHES,
    DISCLOSURES,
    GRANTS,
    KEYS,
    RECORDS,
    encode_disclosure_line,
    encode_jwks,
)
from merchant_agent.evidence.bodies import Kind
from merchant_agent.evidence.exchange import Answer, Newest
from merchant_agent.evidence.fields import Head, Place
from merchant_agent.evidence.jws import Typ, decode_jws, link_of
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import Totals
from merchant_agent.evidence.verdict import Verdict
from merchant_agent.evidence.verify import verify_export
from tests.evidence.synthetic import (
    PROMPT,
    Export,
    Shop,
    busy_shop,
    disclosure_of,
    grant_of,
    id_of,
    key_of,
    trust_of,
)
from tests.vectors.forms import pinned_header, sign_raw

SHOP = busy_shop()
EXPORT = SHOP.export()
PLACES = [(1, seq) for seq in range(10)] + [(2, seq) for seq in range(4)]


def verify(export: Export, *, signatures: bool = True) -> Verdict:
    return verify_export(export, trust_of(), signatures=signatures)


def place(epoch: int, seq: int) -> Place:
    return Place(issuer=id_of("shop"), epoch=epoch, seq=seq)


def places_of(verdict: Verdict, rule: str, file: str) -> list[Place | None]:
    return [v.place for v in verdict.violations if (v.rule, v.file) == (rule, file)]


def edited(file: str, line: int, *lines: bytes) -> Export:
    """The export with one line, counted from 0, replaced by others."""
    export = EXPORT.copy()
    export.files[file][line : line + 1] = lines
    return export


def signed(payload: bytes, *, epoch: int = 1) -> bytes:
    return sign_raw(key_of(f"shop {epoch}"), pinned_header(Typ.RECORD, id_of("shop"), epoch), payload)


def payload_of(line: int) -> bytes:
    return decode_jws(EXPORT.files[RECORDS][line], Typ.RECORD).payload


# The untouched export


@pytest.mark.parametrize("signatures", [True, False])
def test_an_untouched_export_violates_nothing(*, signatures: bool) -> None:
    verdict = verify(EXPORT, signatures=signatures)
    assert (verdict.trusted, verdict.signatures, verdict.records) == (True, signatures, 14)
    assert (verdict.violations, verdict.counts, verdict.findings) == ((), {}, ())
    assert len(verdict.fingerprints) == 4


def test_a_terminal_that_never_recorded_anything_violates_nothing() -> None:
    verdict = verify(Shop().export())
    assert (verdict.records, verdict.violations, verdict.findings) == (0, (), ())


# Records


@pytest.mark.parametrize("line", range(14))
def test_changed_bytes_of_every_record_are_named_at_their_place(line: int) -> None:
    octets = EXPORT.files[RECORDS][line]
    for position in range(line % 11, len(octets), 11):
        changed = octets[:position] + bytes([octets[position] ^ 1]) + octets[position + 1 :]
        verdict = verify(edited(RECORDS, line, changed))
        first = next(v for v in verdict.violations if v.file == RECORDS)
        assert first.rule in {"V1", "V2", "V3"}
        # Without its dots, the first line of an epoch names none.
        named = place(1, 10) if line == 10 and octets[position] == ord(".") else place(*PLACES[line])
        assert (first.place, first.line) == (named, line + 1)
        assert (
            named != place(*PLACES[line])
            or len(verdict.violations) == len([v for v in verdict.violations if v.rule in {"V11", "V15"}]) + 1
        )


def test_every_changed_byte_of_a_record_is_named() -> None:
    shop = Shop()
    shop.sale()
    (octets,) = shop.records
    for position, old in enumerate(octets):
        export = shop.export()
        export.files[RECORDS] = [octets[:position] + bytes([old ^ 1]) + octets[position + 1 :]]
        verdict = verify(export)
        assert verdict.violations[0].place == place(1, 0)
        assert verdict.violations[0].rule in {"V1", "V2", "V3"}


@pytest.mark.parametrize("line", range(14))
def test_changed_bytes_are_found_by_hashes_alone_where_something_follows(line: int) -> None:
    octets = EXPORT.files[RECORDS][line]
    for position in range(line % 13, len(octets), 13):
        changed = octets[:position] + bytes([octets[position] ^ 1]) + octets[position + 1 :]
        assert verify(edited(RECORDS, line, changed), signatures=False).violations


@pytest.mark.parametrize("line", range(14))
def test_a_record_left_out_is_named_at_its_place(line: int) -> None:
    verdict = verify(edited(RECORDS, line))
    missing = place(*PLACES[line])
    if line in {9, 13}:
        # The last one of an epoch: no record follows, but others told of it.
        assert missing in places_of(verdict, "V15", BATCHES)
        assert missing in places_of(verdict, "V15", ACKS)
        assert (missing in places_of(verdict, "V11", GRANTS)) == (line == 9)
    else:
        assert places_of(verdict, "V4", RECORDS) == [missing]


@pytest.mark.parametrize("line", range(13))
def test_two_records_exchanged_are_named(line: int) -> None:
    export = EXPORT.copy()
    records = export.files[RECORDS]
    records[line], records[line + 1] = records[line + 1], records[line]
    assert place(*PLACES[line]) in places_of(verify(export), "V4", RECORDS)


@pytest.mark.parametrize("line", range(14))
def test_a_record_twice_is_named_at_its_place(line: int) -> None:
    octets = EXPORT.files[RECORDS][line]
    assert places_of(verify(edited(RECORDS, line, octets, octets)), "V4", RECORDS) == [place(*PLACES[line])]


def test_a_record_signed_anew_is_named_where_the_next_does_not_fit() -> None:
    anew = signed(payload_of(4).replace(b'"till":"1"', b'"till":"2"'))
    verdict = verify(edited(RECORDS, 4, anew))
    assert places_of(verdict, "V5", RECORDS) == [place(1, 5)]
    assert verdict.counts == {"V5": 1}


def test_a_tail_signed_anew_is_named_by_what_central_acknowledged() -> None:
    shop = Shop()
    for level in (1, 1, 1):
        shop.rate(level)
    shop.upload()
    better = Shop()
    for level in (1, 5, 5):
        better.rate(level)
    export = shop.export()
    export.files[RECORDS] = better.records
    verdict = verify(export)
    assert places_of(verdict, "V15", BATCHES) == [place(1, 2)]
    assert places_of(verdict, "V15", ACKS) == [place(1, 2)]


def test_a_tail_cut_off_is_named_by_the_batch_that_told_of_it() -> None:
    shop = Shop()
    shop.rate(3)
    shop.rate(1)
    batch = shop.batch(0, 0)
    shop.send(batch)
    shop.answer(batch, "accepted", Head(epoch=1, seq=0, link=link_of(shop.records[0])))
    assert not verify(shop.export()).violations
    export = shop.export()
    del export.files[RECORDS][1]
    assert places_of(verify(export), "V15", BATCHES) == [place(1, 1)]


def test_totals_that_do_not_add_up_are_named_once() -> None:
    shop = Shop()
    shop.sale()
    shop.chain.totals = Totals(
        prompts=0, lapses=0, ratings=(0, 0, 0, 0, 0), suggestions=0, complaints=0, returns=0
    )
    shop.sale()
    shop.sale()
    verdict = verify(shop.export())
    assert [(v.rule, v.place) for v in verdict.violations] == [("V6", place(1, 1))]


def test_a_record_of_a_kind_that_is_not_known_is_named_and_the_chain_goes_on() -> None:
    shop = Shop()
    shop.sale()
    odd = signed(
        decode_jws(shop.records[0], Typ.RECORD).payload.replace(b'"kind":"prompt"', b'"kind":"praise"')
    )
    shop.records[0] = odd
    shop.chain.seq, shop.chain.link = 0, link_of(odd)
    shop.sale()
    verdict = verify(shop.export())
    assert [(v.rule, v.place) for v in verdict.violations] == [("V1", place(1, 0))]


def test_a_record_that_states_another_chain_is_named() -> None:
    for old, new in ((id_of("shop").encode(), id_of("other").encode()), (b'"epoch":1', b'"epoch":2')):
        verdict = verify(edited(RECORDS, 4, signed(payload_of(4).replace(old, new, 1))))
        assert places_of(verdict, "V4", RECORDS) == [place(1, 4)]


def test_a_key_id_of_another_epoch_is_named() -> None:
    verdict = verify(edited(RECORDS, 4, signed(payload_of(4), epoch=2)))
    assert places_of(verdict, "V2", RECORDS) == [place(1, 4)]


def test_a_record_of_an_epoch_that_nobody_granted_is_named() -> None:
    payload = payload_of(13).replace(b'"epoch":2', b'"epoch":3', 1)
    verdict = verify(edited(RECORDS, 13, EXPORT.files[RECORDS][13], signed(payload, epoch=3)))
    assert places_of(verdict, "V11", RECORDS) == [place(3, 3)]


def test_an_epoch_that_comes_again_is_named() -> None:
    late = EXPORT.files[RECORDS][9]
    export = edited(RECORDS, 13, EXPORT.files[RECORDS][13], late)
    del export.files[RECORDS][9]
    assert place(1, 9) in places_of(verify(export), "V4", RECORDS)


# Disclosures


def test_words_exchanged_added_or_moved_are_named() -> None:
    lines = EXPORT.files[DISCLOSURES]
    other = encode_disclosure_line(1, 1, disclosure_of("comment", "all well"))
    later = encode_disclosure_line(1, 3, disclosure_of("comment", "好吃"))
    for attempt in ((other,), (other, lines[0]), (lines[0], other), (lines[0], lines[0])):
        assert places_of(verify(edited(DISCLOSURES, 0, *attempt)), "V10", DISCLOSURES) == [place(1, 1)]
    assert places_of(verify(edited(DISCLOSURES, 0, later)), "V10", DISCLOSURES) == [place(1, 3)]


def test_changed_bytes_of_every_disclosure_are_named() -> None:
    for line, octets in enumerate(EXPORT.files[DISCLOSURES]):
        for position in range(line % 5, len(octets), 5):
            changed = octets[:position] + bytes([octets[position] ^ 1]) + octets[position + 1 :]
            verdict = verify(edited(DISCLOSURES, line, changed), signatures=False)
            assert {v.rule for v in verdict.violations} <= {"V1", "V10"}
            assert verdict.violations[0].file == DISCLOSURES


def test_words_left_out_break_no_rule_and_are_told_of() -> None:
    verdict = verify(edited(DISCLOSURES, 0))
    assert not verdict.violations
    assert [(f.code, f.place) for f in verdict.findings] == [("undisclosed", place(1, 1))]


def test_words_of_no_record_are_named() -> None:
    lines = EXPORT.files[DISCLOSURES]
    stray = encode_disclosure_line(2, 40, disclosure_of("comment", "x"))
    verdict = verify(edited(DISCLOSURES, len(lines) - 1, lines[-1], stray))
    assert places_of(verdict, "V10", DISCLOSURES) == [place(2, 40)]


# Batches and acknowledgements


@pytest.mark.parametrize("file", [BATCHES, ACKS])
@pytest.mark.parametrize("line", range(4))
def test_changed_bytes_of_the_exchange_are_named(file: str, line: int) -> None:
    octets = EXPORT.files[file][line]
    for position in range(line, len(octets), 11):
        changed = octets[:position] + bytes([octets[position] ^ 1]) + octets[position + 1 :]
        verdict = verify(edited(file, line, changed), signatures=False)
        assert (verdict.violations[0].file, verdict.violations[0].line) == (file, line + 1)
        assert {v.rule for v in verdict.violations} <= {"V1", "V2", "V3", "V11", "V15"}


@pytest.mark.parametrize("file", [BATCHES, ACKS])
@pytest.mark.parametrize("line", range(3))
def test_a_part_of_the_exchange_left_out_or_exchanged_is_named(file: str, line: int) -> None:
    lines = EXPORT.files[file]
    verdict = verify(edited(file, line), signatures=False)
    if (file, line) == (ACKS, 1):
        # The last batch of an epoch may have been left without an answer.
        assert [(f.code, f.place) for f in verdict.findings] == [("unanswered", place(1, 6))]
    else:
        assert "V15" in verdict.counts
    export = edited(file, line, lines[line + 1])
    export.files[file][line + 1] = lines[line]
    assert "V15" in verify(export, signatures=False).counts


def test_an_exchange_of_another_shop_is_named() -> None:
    other = Shop("other")
    other.sale()
    other.upload()
    export = edited(BATCHES, 3, EXPORT.files[BATCHES][3], other.batches[0])
    export.files[ACKS].append(other.acks[0])
    assert places_of(verify(export), "V11", BATCHES) == [None]


def test_a_batch_with_a_home_made_nonce_is_named() -> None:
    shop = Shop()
    shop.sale()
    shop.nonce = encode_b64u(bytes(16))
    shop.upload()
    assert places_of(verify(shop.export()), "V15", BATCHES) == [place(1, 0)]


def test_an_acceptance_with_an_earlier_head_is_named() -> None:
    shop = Shop()
    shop.sale()
    shop.sale()
    batch = shop.batch(0, 1)
    shop.send(batch)
    shop.answer(batch, "accepted", Head(epoch=1, seq=0, link=link_of(shop.records[0])))
    verdict = verify(shop.export())
    assert places_of(verdict, "V15", ACKS) == [place(1, 1)]


def test_an_acknowledgement_whose_head_is_no_record_is_named() -> None:
    shop = Shop()
    shop.sale()
    batch = shop.batch(0, 0)
    shop.send(batch)
    shop.answer(batch, "accepted", Head(epoch=1, seq=0, link="A" * 43))
    assert places_of(verify(shop.export()), "V15", ACKS) == [place(1, 0)]


def test_a_head_before_the_first_record_is_the_grant() -> None:
    for link, expected in ((None, 0), ("A" * 43, 1)):
        shop = Shop()
        shop.sale()
        batch = shop.batch(0, 0)
        shop.send(batch)
        shop.answer(batch, "resend", Head(epoch=1, seq=-1, link=link or link_of(shop.grants[0])))
        assert verify(shop.export()).counts.get("V15", 0) == expected


def test_a_batch_that_commits_to_another_record_is_named() -> None:
    shop = Shop()
    shop.sale()
    honest = shop.batch(0, 0)
    members = {name: getattr(honest, name) for name in honest.__struct_fields__}
    batch = type(honest)(**{**members, "newest": Newest(seq=0, link="A" * 43)})
    shop.send(batch)
    shop.answer(batch, "accepted", shop.chain.head)
    assert places_of(verify(shop.export()), "V15", BATCHES) == [place(1, 0)]


def test_every_outcome_rolls_the_nonce() -> None:
    shop = Shop()
    shop.sale()
    before = Head(epoch=1, seq=-1, link=link_of(shop.grants[0]))
    for outcome in ("resend", "refused"):
        batch = shop.batch(0, 0)
        shop.send(batch)
        shop.answer(batch, outcome, before)
    shop.upload()
    verdict = verify(shop.export())
    assert not verdict.violations
    assert [(f.code, f.place) for f in verdict.findings] == [("refused", place(1, 0))]


def test_what_central_rejected_is_told_of_once_for_each_place_and_rule() -> None:
    shop = Shop()
    shop.rate(1)
    shop.rate(2)
    rejected = tuple(Answer(seq=seq, answer="rejected", rule="V10") for seq in (0, 1))
    again = (rejected[1], Answer(seq=0, answer="duplicate", rule=None))
    for answers in (rejected, again):
        batch = shop.batch(0, 1)
        shop.send(batch)
        shop.answer(batch, "accepted", shop.chain.head, answers)
    verdict = verify(shop.export())
    assert not verdict.violations
    assert [(f.code, f.place) for f in verdict.findings] == [
        ("rejected", place(1, 0)),
        ("rejected", place(1, 1)),
    ]
    assert all("V10" in finding.detail for finding in verdict.findings)


def test_a_flood_of_rejections_is_kept_short() -> None:
    shop = Shop()
    for _ in range(250):
        shop.sale()
    batch = shop.batch(0, 249)
    shop.send(batch)
    answers = tuple(Answer(seq=seq, answer="rejected", rule="V1") for seq in range(250))
    shop.answer(batch, "accepted", shop.chain.head, answers)
    assert len(verify(shop.export()).findings) == 100


def test_a_chain_that_central_froze_is_a_violation_behind_its_head() -> None:
    shop = Shop()
    shop.sale()
    shop.upload()
    head = shop.chain.head
    shop.sale()
    for _ in range(2):
        batch = shop.batch(1, 1)
        shop.send(batch)
        shop.answer(batch, "frozen", head)
    verdict = verify(shop.export())
    assert places_of(verdict, "V4", ACKS) == [place(1, 1)]
    assert verdict.counts == {"V4": 1}


def test_that_central_knew_more_or_refused_is_told_of() -> None:
    shop = Shop()
    shop.sale()
    batch = shop.batch(0, 0)
    shop.send(batch)
    shop.answer(batch, "refused", Head(epoch=1, seq=-1, link=link_of(shop.grants[0])))
    batch = shop.batch(0, 0)
    shop.send(batch)
    shop.answer(batch, "behind", Head(epoch=1, seq=0, link=link_of(shop.records[0])))
    verdict = verify(shop.export())
    assert not verdict.violations
    assert {(f.code, f.place) for f in verdict.findings} == {
        ("refused", place(1, 0)),
        ("behind", place(1, 1)),
    }


def test_records_up_to_a_head_that_central_named_with_any_outcome_are_acknowledged() -> None:
    shop = Shop()
    shop.sale()
    batch = shop.batch(0, 0)
    shop.send(batch)
    shop.answer(batch, "resend", shop.chain.head)
    shop.sale()
    shop.sale()
    verdict = verify(shop.export())
    assert not verdict.violations
    assert [(f.code, f.place) for f in verdict.findings] == [("unanswered", place(1, 1))]


def test_a_head_with_another_link_acknowledges_nothing() -> None:
    shop = Shop()
    shop.sale()
    batch = shop.batch(0, 0)
    shop.send(batch)
    shop.answer(batch, "resend", Head(epoch=1, seq=0, link="A" * 43))
    assert [f.code for f in verify(shop.export()).findings] == ["unanswered"]


def test_the_verdict_names_the_head_to_compare_with_central() -> None:
    verdict = verify(EXPORT)
    assert verdict.head == SHOP.chain.head
    assert verdict.acknowledged_at == "2026-05-20T12:00:14.000+08:00"
    cut = EXPORT.copy()
    for file, count in ((RECORDS, 2), (BATCHES, 1), (ACKS, 1), (DISCLOSURES, 1)):
        del cut.files[file][-count:]
    verdict = verify(cut)
    assert not verdict.violations
    assert verdict.head != SHOP.chain.head


def test_an_epoch_without_a_record_ends_at_its_grant() -> None:
    shop = Shop()
    verdict = verify(shop.export())
    assert (verdict.head, verdict.acknowledged_at) == (shop.chain.head, None)


# What ratings answer


def test_a_rating_after_the_lapse_of_its_prompt_is_named() -> None:
    shop = Shop()
    prompt = shop.sale()
    shop.lapse(prompt)
    shop.rate(5, prompt=prompt)
    shop.suggest("添把椅子")
    verdict = verify(shop.export())
    assert [(v.rule, v.place) for v in verdict.violations] == [("V16", place(1, 2))]


def test_a_rating_after_a_lapse_in_the_epoch_before_is_named() -> None:
    shop = Shop()
    prompt = shop.sale()
    shop.lapse(prompt)
    shop.next_epoch()
    shop.rate(5, prompt=prompt)
    assert places_of(verify(shop.export()), "V16", RECORDS) == [place(2, 0)]


def test_a_rating_on_the_tablet_of_a_prompt_that_it_did_not_ask_is_named() -> None:
    shop = Shop()
    prompt = shop.append(Kind.PROMPT, replace(PROMPT, asks=False))
    shop.rate(5, prompt=prompt)
    assert places_of(verify(shop.export()), "V16", RECORDS) == [place(1, 1)]


def test_a_lapse_of_a_neighbouring_place_and_one_after_the_rating_break_nothing() -> None:
    shop = Shop()
    first = shop.sale()
    second = shop.sale()
    shop.lapse(first)
    shop.rate(4, prompt=second)
    shop.lapse(second)
    assert not verify(shop.export()).violations


def test_what_still_waits_for_its_answer_is_a_finding() -> None:
    shop = Shop()
    shop.sale()
    shop.upload()
    shop.sale()
    shop.send(shop.batch(1, 1))
    verdict = verify(shop.export())
    assert not verdict.violations
    assert [(f.code, f.place) for f in verdict.findings] == [("unanswered", place(1, 1))]


# Grants, epochs and trust


def test_home_made_keys_are_not_trusted_and_without_trust_said_to_be_so() -> None:
    home_made = Shop(root="home-made root")
    home_made.rate(5)
    home_made.upload()
    without = verify_export(home_made.export(), None)
    assert not without.trusted
    assert not without.violations
    assert f"{id_of('home-made root')}.1" in without.fingerprints
    verdict = verify(home_made.export())
    assert not verdict.trusted
    assert [(v.rule, v.file, v.line) for v in verdict.violations] == [("V11", GRANTS, 1)]


def test_home_made_keys_under_the_id_of_the_root_are_not_trusted() -> None:
    verdict = verify_export(EXPORT, trust_of("other"))
    assert not verdict.trusted
    assert verdict.counts == {"V11": 2}
    export = EXPORT.copy()
    keys = {**SHOP.keys(), f"{id_of('root')}.1": key_of("home-made").public}
    export.files[KEYS] = encode_jwks(keys).split(b"\n")
    verdict = verify(export)
    assert not verdict.trusted
    assert verdict.counts["V11"] == 2


def test_without_trust_the_root_key_must_at_least_be_stated() -> None:
    export = EXPORT.copy()
    keys = SHOP.keys()
    del keys[f"{id_of('root')}.1"]
    export.files[KEYS] = encode_jwks(keys).split(b"\n")
    assert verify_export(export, None).counts == {"V11": 2}
    assert verify(export).trusted


def test_a_weak_key_in_the_key_set_is_named() -> None:
    export = EXPORT.copy()
    export.files[KEYS] = encode_jwks({**SHOP.keys(), "AAAAAAAAAAA.9": b"\x01" + bytes(31)}).split(b"\n")
    assert verify(export).counts == {"V3": 1}


@pytest.mark.parametrize("line", range(2))
def test_changed_bytes_of_a_grant_are_named_and_end_trust(line: int) -> None:
    octets = EXPORT.files[GRANTS][line]
    for position in range(line, len(octets), 9):
        changed = octets[:position] + bytes([octets[position] ^ 1]) + octets[position + 1 :]
        verdict = verify(edited(GRANTS, line, changed), signatures=False)
        assert not verdict.trusted
        assert (verdict.violations[0].file, verdict.violations[0].line) == (GRANTS, line + 1)


@pytest.mark.parametrize(
    "members",
    [
        {"epoch": 3},
        {"closes": None},
        {"closes": Head(epoch=1, seq=0, link="A" * 43)},
        {"closes": Head(epoch=1, seq=5, link="A" * 43)},
        {"closes": Head(epoch=2, seq=0, link="A" * 43)},
        {"closes": Head(epoch=1, seq=-1, link="A" * 43)},
        {"totals": Totals.zero()},
        {"merchant": id_of("another merchant")},
        {"key": encode_b64u(key_of("shop 1").public)},
    ],
    ids=str,
)
def test_an_epoch_that_does_not_continue_is_named(members: dict[str, object]) -> None:
    shop = Shop()
    shop.sale()
    shop.upload()
    assert shop.chain.totals is not None
    grant = grant_of("shop", epoch=2, totals=shop.chain.totals, closes=shop.chain.head)
    honest = {name: getattr(grant, name) for name in grant.__struct_fields__}
    shop.open_epoch(type(grant)(**{**honest, **members}))
    verdict = verify(shop.export())
    assert {v.rule for v in verdict.violations} == {"V11"}
    assert GRANTS in {v.file for v in verdict.violations}


def test_only_grants_that_count_have_their_keys_named() -> None:
    export = EXPORT.copy()
    for number in range(50):
        other = Shop(f"stranger {number}", root=f"their root {number}")
        export.files[GRANTS].append(other.grants[0])
    verdict = verify(export)
    assert not verdict.trusted
    assert verdict.counts["V11"] >= 50
    assert verdict.fingerprints == verify(EXPORT).fingerprints


def test_an_epoch_without_a_record_is_closed_by_its_grant() -> None:
    shop = Shop()
    shop.next_epoch()
    shop.sale()
    shop.upload()
    verdict = verify(shop.export())
    assert (verdict.violations, verdict.findings) == ((), ())


def test_records_after_their_epoch_was_closed_are_a_finding() -> None:
    shop = Shop()
    shop.sale()
    shop.upload()
    closes, totals = shop.chain.head, shop.chain.totals
    shop.append(Kind.PROMPT, PROMPT)
    shop.upload()
    shop.open_epoch(grant_of("shop", epoch=2, totals=totals, closes=closes))
    verdict = verify(shop.export())
    assert not verdict.violations
    assert [(f.code, f.place) for f in verdict.findings] == [("late", place(1, 1))]


def test_an_export_without_a_readable_grant_proves_nothing() -> None:
    export = EXPORT.copy()
    for lines in ([], [b""], [EXPORT.files[RECORDS][0]]):
        export.files[GRANTS] = list(lines)
        verdict = verify(export)
        assert not verdict.trusted
        assert (verdict.records, verdict.counts["V11"]) == (0, 1)


@pytest.mark.parametrize("file", [RECORDS, GRANTS, BATCHES, ACKS, DISCLOSURES, KEYS])
def test_an_export_without_one_of_its_files_cannot_be_read(file: str) -> None:
    export = EXPORT.copy()
    del export.files[file]
    with pytest.raises(FormatError, match=file):
        verify(export)


def test_a_flood_of_violations_is_counted_and_kept_short() -> None:
    export = EXPORT.copy()
    export.files[RECORDS] = [b"x"] * 1000
    verdict = verify(export)
    assert verdict.counts["V1"] == 1000
    assert len([v for v in verdict.violations if v.rule == "V1"]) == 100
    assert verdict.first_places["V1"].place == place(1, 0)
