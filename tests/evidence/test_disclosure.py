"""Erasable members: bound to their record, and gone without a trace of their words."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence import verify_single
from merchant_agent.evidence.bodies import Body, Kind
from merchant_agent.evidence.disclosure import (
    check_disclosures,
    digest,
    encode_line,
    make_disclosure,
    open_disclosure,
)
from merchant_agent.evidence.octets import MAX_PAYLOAD_BYTES, decode_b64u, encode_b64u, encode_json
from merchant_agent.evidence.record import ABOUT_NOTHING, Record, decode_record
from tests.evidence.synthetic import COMPLAINT, PROMPT, Shop, disclosure_of, rating_of

SALT = encode_b64u(bytes(16))
SALT_OF_32 = encode_b64u(bytes(32))
COMMENT = disclosure_of("comment", "少找了钱")


def record_with(kind: Kind, *disclosures: str) -> Record:
    bodies: dict[Kind, Body] = {Kind.PROMPT: PROMPT, Kind.RATING: rating_of(1), Kind.COMPLAINT: COMPLAINT}
    shop = Shop()
    shop.append(kind, bodies[kind], ABOUT_NOTHING, disclosures)
    return shop.newest


def record_with_digest_of(disclosure: str) -> Record:
    """A record that holds the digest, although no chain would take it with that disclosure."""
    record = record_with(Kind.COMPLAINT, COMMENT)
    members = {name: getattr(record, name) for name in record.__struct_fields__}
    return Record(**{**members, "sd": (digest(disclosure),)})


def raw(*members: object) -> str:
    return encode_b64u(encode_json(list(members)))


@given(st.sampled_from(["comment", "order"]), st.text(max_size=200))
def test_words_survive(name: str, value: str) -> None:
    text = make_disclosure(name, value)
    opened = open_disclosure(text)
    assert (opened.name, opened.value) == (name, value)
    assert check_disclosures(record_with(Kind.COMPLAINT, text), [text]) == {name: value}


def test_the_same_words_have_another_digest_each_time() -> None:
    one, two = make_disclosure("comment", "好"), make_disclosure("comment", "好")
    assert digest(one) != digest(two)
    assert len(decode_b64u(open_disclosure(one).salt)) == 16


def test_erased_words_leave_the_record_as_it_was() -> None:
    order = disclosure_of("order", "A-17")
    record = record_with(Kind.COMPLAINT, COMMENT, order)
    assert check_disclosures(record, [order]) == {"order": "A-17"}
    assert check_disclosures(record, []) == {}


def test_words_that_are_too_long_are_not_made() -> None:
    with pytest.raises(FormatError):
        make_disclosure("comment", "x" * MAX_PAYLOAD_BYTES)
    make_disclosure("comment", "x" * (MAX_PAYLOAD_BYTES - 50))


@pytest.mark.parametrize("photos", [SALT_OF_32, f"{SALT_OF_32} {SALT_OF_32} {SALT_OF_32}"])
def test_photos_are_hashes(photos: str) -> None:
    text = disclosure_of("photos", photos)
    assert check_disclosures(record_with(Kind.COMPLAINT, text), [text]) == {"photos": photos}


@pytest.mark.parametrize(
    "photos",
    [
        "",
        "a picture",
        SALT_OF_32[:-1],
        f"{SALT_OF_32},{SALT_OF_32}",
        f"{SALT_OF_32} {SALT_OF_32} {SALT_OF_32} {SALT_OF_32}",
        f"{SALT_OF_32[:-1]}B",
        f"{SALT_OF_32}\n",
    ],
)
def test_photos_in_another_form_are_refused_by_both_verifiers(photos: str) -> None:
    text = disclosure_of("photos", photos)
    refused(record_with_digest_of(text), text)
    record = {"kind": "complaint", "body": {"first": "shop"}, "_sd": [digest(text)]}
    with pytest.raises(verify_single.Broken):
        verify_single.require_disclosed(record, iter([text]))


def test_words_that_are_no_unicode_are_not_made() -> None:
    with pytest.raises(FormatError):
        make_disclosure("comment", "\ud800")


def refused(record: Record, *disclosures: str) -> None:
    with pytest.raises(VerificationError) as caught:
        check_disclosures(record, disclosures)
    assert (caught.value.rule, caught.value.seq) == ("V10", record.seq)


def test_every_changed_character_is_refused() -> None:
    record = record_with(Kind.COMPLAINT, COMMENT)
    for position, old in enumerate(COMMENT):
        for new in {"A", "B", "-", "=", "\n"} - {old}:
            refused(record, COMMENT[:position] + new + COMMENT[position + 1 :])


def test_every_proper_prefix_is_refused() -> None:
    record = record_with(Kind.COMPLAINT, COMMENT)
    for length in range(len(COMMENT)):
        refused(record, COMMENT[:length])


@pytest.mark.parametrize(
    "disclosure",
    [
        raw(SALT, "contact", "138"),
        raw(encode_b64u(bytes(15)), "comment", "x"),
        raw(encode_b64u(bytes(65)), "comment", "x"),
        raw("no salt!", "comment", "x"),
        raw(SALT, "comment", "x", "y"),
        raw(SALT, "comment"),
        raw(SALT, "comment", 1),
        raw(SALT, "amount", "64"),
        raw(SALT, "amount", "064.00 CNY"),
        raw(SALT, "amount", "-1 CNY"),
        raw(SALT, "amount", "1e3 CNY"),
        raw(SALT, "amount", "64.00 CNY\n"),
        encode_b64u(b"[" * 16_000),
    ],
)
def test_other_members_are_refused_although_the_record_holds_their_digest(disclosure: str) -> None:
    refused(record_with_digest_of(disclosure), disclosure)


@pytest.mark.parametrize("amount", ["64.00 CNY", "0 CNY", "0.5 CNY", "999999999999.9999 USD"])
def test_amounts_are_taken(amount: str) -> None:
    text = disclosure_of("amount", amount)
    assert check_disclosures(record_with(Kind.COMPLAINT, text), [text]) == {"amount": amount}


def test_an_order_number_is_refused_with_a_rating() -> None:
    shop = Shop()
    with pytest.raises(VerificationError) as caught:
        shop.append(Kind.RATING, rating_of(1), ABOUT_NOTHING, (disclosure_of("order", "A-17"),))
    assert caught.value.rule == "V10"


def test_two_values_of_one_member_are_refused() -> None:
    shop = Shop()
    with pytest.raises(VerificationError) as caught:
        shop.append(Kind.COMPLAINT, COMPLAINT, ABOUT_NOTHING, (COMMENT, disclosure_of("comment", "other")))
    assert caught.value.rule == "V10"


@given(st.text())
def test_no_text_crashes_the_reader(text: str) -> None:
    with pytest.raises(FormatError):
        open_disclosure(text)


@given(st.binary(min_size=1).filter(lambda octets: b"~" not in octets), st.lists(st.text("ab_-", min_size=1)))
def test_lines_survive(octets: bytes, disclosures: list[str]) -> None:
    first, *texts, rest = encode_line(octets, disclosures).split(b"~")
    assert (first, [text.decode() for text in texts], rest) == (octets, disclosures, b"")


STATION = msgspec.structs.replace(COMPLAINT, categories=(), remedies=(), first="station")
SEALED_1072 = disclosure_of("sealed", encode_b64u(bytes(1072)))


def station_record(disclosure: str) -> Record:
    record = record_with_digest_of(disclosure)
    return Record(**{name: getattr(record, name) for name in record.__struct_fields__} | {"body": STATION})


def alone(record: Record, disclosure: str) -> None:
    """What the single file says of it."""
    plain = msgspec.to_builtins(record)
    verify_single.read_record(encode_json(record))
    verify_single.require_disclosed(plain, iter([disclosure]))


@pytest.mark.parametrize("length", [1072, 8240])
def test_a_complaint_for_the_station_is_one_sealed_member(length: int) -> None:
    sealed = encode_b64u(bytes(length))
    text = disclosure_of("sealed", sealed)
    record = station_record(text)
    assert check_disclosures(decode_record(encode_json(record)), [text]) == {"sealed": sealed}
    alone(record, text)


@pytest.mark.parametrize(
    "disclosure",
    [
        COMMENT,
        disclosure_of("contact", encode_b64u(bytes(59))),
        *(disclosure_of("sealed", encode_b64u(bytes(length))) for length in (0, 48, 1071, 1073, 9264)),
        disclosure_of("sealed", "少了二两"),
    ],
)
def test_words_beside_a_complaint_for_the_station_are_refused_by_both_verifiers(disclosure: str) -> None:
    record = station_record(disclosure)
    refused(record, disclosure)
    with pytest.raises(verify_single.Broken):
        alone(record, disclosure)


def test_nothing_is_sealed_whole_that_the_shop_may_read() -> None:
    record = record_with_digest_of(SEALED_1072)
    refused(record, SEALED_1072)
    with pytest.raises(verify_single.Broken):
        alone(record, SEALED_1072)


@pytest.mark.parametrize(
    "changed",
    [
        {"categories": ("quality",)},
        {"remedies": ("refund",)},
        {"consents": ("shop",), "notice": "2026-1"},
        {"notice": "2026-1"},
    ],
)
def test_a_complaint_for_the_station_says_nothing_in_clear(changed: dict[str, object]) -> None:
    record = station_record(SEALED_1072)
    members = {name: getattr(record, name) for name in record.__struct_fields__}
    payload = encode_json(Record(**members | {"body": msgspec.structs.replace(STATION, **changed)}))
    with pytest.raises(FormatError):
        decode_record(payload)
    with pytest.raises(ValueError, match="in clear"):
        verify_single.read_record(payload)


def test_a_complaint_for_the_station_has_no_second_member() -> None:
    record = station_record(SEALED_1072)
    members = {name: getattr(record, name) for name in record.__struct_fields__}
    payload = encode_json(Record(**members | {"sd": tuple(sorted([digest(SEALED_1072), digest(COMMENT)]))}))
    with pytest.raises(FormatError):
        decode_record(payload)
    with pytest.raises(ValueError, match="more digests"):
        verify_single.read_record(payload)
