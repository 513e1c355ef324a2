"""A chain takes its next record and nothing else, and a refusal changes nothing."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.clock import Reading
from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.bodies import CHANNELS, SIGNERS, HeartbeatBody, Kind, Role
from merchant_agent.evidence.chain import Chain, append_record, is_skippable
from merchant_agent.evidence.fields import Anchor, Head, Place
from merchant_agent.evidence.grant import open_grant
from merchant_agent.evidence.jws import Typ, decode_jws, link_of
from merchant_agent.evidence.record import ABOUT_NOTHING, About, Totals
from tests.evidence.synthetic import (
    BOOT,
    COMPLAINT,
    LAPSE,
    PROMPT,
    START,
    Shop,
    busy_shop,
    disclosure_of,
    id_of,
    key_of,
    rating_of,
    trust_of,
    uuid_of,
)
from tests.vectors.forms import pinned_header, sign_raw
from tests.vectors.kinds import BODIES as KINDS

ALIVE = HeartbeatBody(waiting=0)
READING = Reading(at=START, boot=BOOT, uptime_ms=0)


def empty_chain(shop: Shop) -> Chain:
    return Chain.begin(shop.grants[0], open_grant(shop.grants[0], trust_of().root_keys()))


def signed(payload: bytes) -> bytes:
    return sign_raw(key_of("shop 1"), pinned_header(Typ.RECORD, id_of("shop"), 1), payload)


def refusal_of(chain: Chain, octets: bytes, disclosures: tuple[str, ...] = ()) -> VerificationError:
    """The error, after which nothing about the chain has changed."""
    before = (chain.head, chain.totals)
    with pytest.raises(VerificationError) as caught:
        chain.accept(octets, disclosures)
    assert (chain.head, chain.totals) == before
    return caught.value


def test_a_chain_begins_at_the_link_of_its_grant() -> None:
    shop = Shop()
    chain = empty_chain(shop)
    assert chain.head == Head(epoch=1, seq=-1, link=link_of(shop.grants[0]))
    assert chain.totals == Totals.zero()


def test_a_chain_ends_at_its_newest_record() -> None:
    shop = busy_shop()
    chain = empty_chain(shop)
    for octets in shop.records[:10]:
        chain.accept(octets)
    assert chain.head == Head(epoch=1, seq=9, link=link_of(shop.records[9]))
    assert chain.totals == Totals(
        prompts=4, lapses=1, ratings=(0, 0, 3, 0, 0), suggestions=1, complaints=1, returns=0
    )


def test_a_chain_is_resumed_where_it_stopped() -> None:
    shop = busy_shop()
    first = empty_chain(shop)
    for octets in shop.records[:5]:
        first.accept(octets)
    key = open_grant(shop.grants[0], trust_of().root_keys()).verifying_key()
    second = Chain.resume(first.issuer, first.epoch, key, first.head, first.totals, role="terminal")
    for octets in shop.records[5:10]:
        second.accept(octets)
    assert second.seq == 9


def test_a_record_cannot_be_taken_twice_or_early() -> None:
    shop = busy_shop()
    chain = empty_chain(shop)
    chain.accept(shop.records[0])
    for octets in (shop.records[0], shop.records[2], shop.records[9]):
        assert refusal_of(chain, octets).rule == "V4"
    chain.accept(shop.records[1])


def test_a_record_of_the_next_epoch_is_refused() -> None:
    shop = busy_shop()
    chain = empty_chain(shop)
    for octets in shop.records[:10]:
        chain.accept(octets)
    assert refusal_of(chain, shop.records[10]).rule == "V2"


def anchored(size: int, *, root: str = "A" * 43, time: int = 1_779_249_600) -> Anchor:
    return Anchor(size=size, root=root, time=time)


@pytest.mark.parametrize(
    "anchor",
    [
        None,
        anchored(6),
        anchored(7, time=1_779_249_599),
        anchored(7, root="A" * 42 + "E"),
        anchored(7, time=1_779_249_601),
        anchored(8, time=1_779_249_599),
    ],
    ids=["none", "smaller", "earlier", "another root", "the same size later", "larger and earlier"],
)
def test_an_anchor_that_does_not_go_on_breaks_v7_and_can_be_skipped(anchor: Anchor | None) -> None:
    shop = Shop()
    chain = empty_chain(shop)
    before = shop.append(Kind.HEARTBEAT, ALIVE, anchor=anchored(7))
    chain.accept(shop.records[0])
    teller = Chain.resume(chain.issuer, 1, shop.verifying_key(), chain.head, chain.totals, role="terminal")
    octets = append_record(
        teller, shop.key, Kind.HEARTBEAT, uuid_of(1), READING, ABOUT_NOTHING, ALIVE, anchor=anchor
    )
    error = refusal_of(chain, octets)
    assert (error.rule, error.seq) == ("V7", before.seq + 1)
    assert is_skippable(error)


def test_an_anchor_stands_until_a_larger_one_comes() -> None:
    shop = Shop()
    shop.append(Kind.HEARTBEAT, ALIVE, anchor=anchored(7))
    shop.append(Kind.HEARTBEAT, ALIVE)
    assert shop.chain.anchor == anchored(7)
    shop.append(Kind.HEARTBEAT, ALIVE, anchor=anchored(8, root="A" * 42 + "E"))
    assert shop.chain.anchor == anchored(8, root="A" * 42 + "E")


def test_a_chain_resumed_without_its_anchor_takes_any() -> None:
    shop = Shop()
    shop.append(Kind.HEARTBEAT, ALIVE, anchor=anchored(7))
    resumed = Chain.resume(
        shop.chain.issuer, 1, shop.verifying_key(), shop.chain.head, shop.chain.totals, role="terminal"
    )
    shop.append(Kind.HEARTBEAT, ALIVE, anchor=anchored(8))
    assert resumed.accept(shop.records[1]).anchor == anchored(8)


@pytest.mark.parametrize("role", CHANNELS)
@pytest.mark.parametrize("kind", Kind)
def test_a_kind_is_taken_from_the_roles_that_sign_it_alone(kind: Kind, role: Role) -> None:
    body = {**KINDS, Kind.LAPSE: LAPSE}[kind]
    if hasattr(body, "channel"):
        body = msgspec.structs.replace(body, channel=CHANNELS[role])
    shop = Shop()
    chain = empty_chain(shop)
    for _ in range(5):
        shop.append(Kind.HEARTBEAT, ALIVE)
        chain.accept(shop.records[-1])
    chain.role = role
    about = About(prompt=Place(issuer=id_of("other"), epoch=1, seq=0), case=None)
    octets = append_record(
        chain,
        shop.key,
        kind,
        uuid_of(1),
        READING,
        about if kind is Kind.LAPSE else ABOUT_NOTHING,
        body,
    )
    if role in SIGNERS[kind]:
        assert chain.accept(octets).kind is kind
    else:
        error = refusal_of(chain, octets)
        assert (error.rule, error.seq) == ("V1", 5)
        assert is_skippable(error)


def test_a_phone_is_no_channel_of_a_terminal() -> None:
    shop = Shop()
    chain = empty_chain(shop)
    body = msgspec.structs.replace(rating_of(5), channel="phone")
    octets = append_record(chain, shop.key, Kind.RATING, uuid_of(1), READING, ABOUT_NOTHING, body)
    assert refusal_of(chain, octets).rule == "V1"


def test_a_bad_disclosure_is_refused_with_its_record() -> None:
    shop = busy_shop()
    chain = empty_chain(shop)
    chain.accept(shop.records[0])
    error = refusal_of(chain, shop.records[1], (disclosure_of("comment", "other"),))
    assert (error.rule, error.seq, is_skippable(error)) == ("V10", 1, True)
    chain.accept(shop.records[1], (disclosure_of("comment", "好吃"),))


@pytest.mark.parametrize("level", [1, 2, 4, 5])
def test_a_rating_that_is_counted_elsewhere_is_refused_and_can_be_skipped(level: int) -> None:
    shop = busy_shop()
    chain = empty_chain(shop)
    chain.accept(shop.records[0])
    payload = decode_jws(shop.records[1], Typ.RECORD).payload
    counts = ",".join("1" if number == level else "0" for number in range(1, 6))
    forged = signed(payload.replace(b"[0,0,1,0,0]", f"[{counts}]".encode()))
    error = refusal_of(chain, forged)
    assert (error.rule, error.seq, is_skippable(error)) == ("V6", 1, True)


def test_after_a_skipped_record_the_next_states_the_totals_anew() -> None:
    shop = Shop()
    shop.sale()
    malformed = signed(decode_jws(shop.records[0], Typ.RECORD).payload.replace(b'"prompt"', b'"praise"', 1))
    chain = empty_chain(shop)
    error = refusal_of(chain, malformed)
    assert (error.rule, error.seq, is_skippable(error)) == ("V1", 0, True)
    chain.skip(link_of(malformed))
    assert (chain.seq, chain.totals) == (0, None)
    with pytest.raises(VerificationError) as caught:
        append_record(chain, shop.key, Kind.PROMPT, uuid_of(1), READING, ABOUT_NOTHING, PROMPT)
    assert caught.value.rule == "V6"
    stated = Totals(prompts=7, lapses=0, ratings=(0, 0, 0, 0, 0), suggestions=0, complaints=0, returns=0)
    teller = Chain.resume(chain.issuer, 1, shop.verifying_key(), chain.head, stated, role="terminal")
    octets = append_record(teller, shop.key, Kind.PROMPT, uuid_of(1), READING, ABOUT_NOTHING, PROMPT)
    chain.accept(octets)
    assert chain.totals == stated.after(Kind.PROMPT, PROMPT)


@pytest.mark.parametrize("rule", ["V2", "V3", "V4", "V5"])
def test_what_has_no_place_cannot_be_skipped(rule: str) -> None:
    assert not is_skippable(VerificationError(rule, "", seq=3))


def test_what_has_no_readable_place_cannot_be_skipped() -> None:
    shop = Shop()
    error = refusal_of(empty_chain(shop), signed(b'{"issuer":1}'))
    assert error.rule == "V1"
    assert not is_skippable(error)


@pytest.mark.parametrize(
    ("kind", "about", "body"),
    [
        (Kind.RATING, ABOUT_NOTHING, rating_of(9)),
        (Kind.RATING, ABOUT_NOTHING, PROMPT),
        (Kind.LAPSE, ABOUT_NOTHING, PROMPT),
        (Kind.RATING, About(prompt=Place(issuer=id_of("shop"), epoch=1, seq=0), case=None), rating_of(1)),
        (Kind.COMPLAINT, About(prompt=None, case="no id"), COMPLAINT),
    ],
)
def test_no_malformed_record_is_signed(kind: Kind, about: About, body: object) -> None:
    shop = Shop()
    with pytest.raises(FormatError):
        append_record(shop.chain, shop.key, kind, uuid_of(1), READING, about, body)  # type: ignore[arg-type]


@given(st.binary())
def test_no_octets_crash_the_chain(octets: bytes) -> None:
    refusal_of(Shop().chain, octets)


@given(st.binary())
def test_no_signed_payload_crashes_the_chain(payload: bytes) -> None:
    assert refusal_of(Shop().chain, signed(payload)).rule == "V1"
