"""What central answers to honest terminals, and to the network's mishaps."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from merchant_agent.central.intake.acceptance import accept_upload
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import (
    Batch,
    Complaint,
    Disclosure,
    Lapse,
    Prompt,
    Rating,
    Record,
    Suggestion,
)
from merchant_agent.errors import FormatError, InvalidError, NotFoundError
from merchant_agent.evidence.exchange import Answer, encode_upload
from merchant_agent.evidence.grant import new_issuer_id, new_nonce
from merchant_agent.evidence.keys import SigningKey
from tests.central.rows import count, head_of, rows, stored
from tests.central.sender import Sender, enrol_sender
from tests.clocks import ManualClock


def test_records_are_accepted_and_kept_as_they_were_signed(central: Central, sender: Sender) -> None:
    sender.sell(3)
    ack = sender.upload_all(central)
    assert (ack.outcome, ack.head, ack.answers) == ("accepted", sender.chain.head, ())
    assert stored(central, sender.issuer) == {record.seq: record.octets for record in sender.sent}


def test_a_batch_goes_on_from_the_one_before(central: Central, sender: Sender) -> None:
    sender.sell(2)
    sender.upload_all(central)
    sender.sell(2)
    ack = sender.upload_all(central, first=4)
    assert (ack.outcome, ack.head) == ("accepted", sender.chain.head)


def test_every_accepted_batch_rolls_the_nonce(central: Central, sender: Sender) -> None:
    nonces = {sender.nonce}
    for _ in range(3):
        first = len(sender.sent)
        sender.ask()
        nonces.add(sender.upload_all(central, first).nonce)
    assert len(nonces) == 4


def test_each_kind_gets_its_row_with_its_words(central: Central, sender: Sender) -> None:
    prompt = sender.ask(till="till-2")
    sender.rate(prompt, 2, comment="上菜太慢")
    sender.lapse(sender.ask())
    sender.suggest("多放些辣椒")
    sender.complain(comment="缺斤少两", order="A-17", amount="64.00 CNY", occurred_at="昨天中午")
    sender.upload_all(central)
    assert [row.till for row in rows(central, Prompt)] == ["till-2", "till-1"]
    [rating] = rows(central, Rating)
    assert (rating.level, rating.comment, rating.tags, rating.prompt_seq) == (2, "上菜太慢", ["tasty"], 0)
    assert [(row.reason, row.prompt_seq) for row in rows(central, Lapse)] == [("timed_out", 2)]
    assert [row.comment for row in rows(central, Suggestion)] == ["多放些辣椒"]
    [complaint] = rows(central, Complaint)
    assert (complaint.order_no, complaint.amount, complaint.occurred_at) == ("A-17", "64.00 CNY", "昨天中午")
    assert (complaint.categories, complaint.remedies) == (["quality"], ["refund"])
    assert count(central, Disclosure) == 6


def test_a_record_is_found_by_the_number_that_the_customer_has(central: Central, sender: Sender) -> None:
    rated = sender.rate(sender.ask())
    sender.upload_all(central)
    assert rated.query_code in {row.query_code for row in rows(central, Record)}


def test_the_same_octets_again_get_the_same_answer(central: Central, sender: Sender) -> None:
    sender.sell(2)
    body = sender.body(0)
    first = accept_upload(central, sender.issuer, body)
    assert accept_upload(central, sender.issuer, body) == first
    assert (count(central, Batch), count(central, Record)) == (1, 4)


def test_a_lost_answer_is_told_again_after_later_batches(central: Central, sender: Sender) -> None:
    sender.sell(1)
    body = sender.body(0)
    first = accept_upload(central, sender.issuer, body)
    sender.nonce = sender.open(first).nonce
    sender.sell(1)
    sender.upload_all(central, first=2)
    assert accept_upload(central, sender.issuer, body) == first


def test_a_batch_that_repeats_known_records_marks_them(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    sender.ask()
    ack = sender.upload_all(central)
    assert ack.outcome == "accepted"
    assert ack.answers == tuple(Answer(seq=seq, answer="duplicate", rule=None) for seq in (0, 1))
    assert count(central, Record) == 3


def test_a_gap_is_answered_with_where_to_resend_from(central: Central, sender: Sender) -> None:
    sender.sell(2)
    sender.upload(central, sender.body(0, 1))
    sender.sell(1)
    ack = sender.upload(central, sender.body(4, 5))
    assert (ack.outcome, ack.head.seq, ack.head.link) == ("resend", 1, sender.sent[1].link)
    assert count(central, Record) == 2
    assert sender.upload_all(central, first=2).outcome == "accepted"


def test_the_first_batch_out_of_order_is_told_to_begin_at_the_grant(central: Central, sender: Sender) -> None:
    sender.sell(1)
    ack = sender.upload(central, sender.body(1))
    assert (ack.outcome, ack.head.seq) == ("resend", -1)


def test_a_stale_nonce_takes_nothing_up_and_names_the_present_one(central: Central, sender: Sender) -> None:
    sender.sell(1)
    granted = sender.nonce
    sender.upload_all(central)
    present = sender.nonce
    sender.ask()
    sender.nonce = granted
    ack = sender.upload_all(central, first=2)
    assert (ack.outcome, ack.nonce) == ("resend", present)
    assert {row.from_seq: row.stale for row in rows(central, Batch)} == {0: 0, 2: 1}
    assert sender.upload_all(central, first=2).outcome == "accepted"


def test_a_nonce_that_central_never_gave_takes_nothing_up(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.nonce = new_nonce()
    assert sender.upload_all(central).outcome == "resend"
    assert count(central, Record) == 0


def test_the_terminal_is_seen_with_its_clock_and_software(
    central: Central, sender: Sender, clock: ManualClock
) -> None:
    sender.ask()
    clock.advance(90)
    batch = sender.batch(0, 0, clock_ahead=timedelta(minutes=-5), software="merchant-agent 9\0")
    sender.upload(central, encode_upload(batch, [sender.sent[0].line]))
    head = head_of(central, sender.issuer)
    assert (head.clock_ms, head.software) == (-390_000, "merchant-agent 9\ufffd")
    assert head.seen_at == head.accepted_at == clock.now()


def test_what_is_not_yet_sent_is_known_by_the_newest(central: Central, sender: Sender) -> None:
    sender.sell(5)
    sender.upload(central, sender.body(0, 3))
    head = head_of(central, sender.issuer)
    assert (head.seq, head.claimed_seq) == (3, 9)


def test_old_records_are_not_refused_for_their_age(
    central: Central, sender: Sender, clock: ManualClock
) -> None:
    sender.at -= timedelta(days=4000)
    sender.sell(1)
    clock.advance(86_400 * 500)
    assert sender.upload_all(central).outcome == "accepted"


def test_an_unknown_issuer_is_not_found(central: Central, sender: Sender) -> None:
    sender.ask()
    other = new_issuer_id()
    sender.grant = msgspec.structs.replace(sender.grant, issuer=other)
    with pytest.raises(NotFoundError) as refused:
        accept_upload(central, other, sender.body(0))
    assert refused.value.code == "issuer"


def test_a_batch_sent_to_another_issuers_address_is_refused(
    central: Central, merchant: str, sender: Sender
) -> None:
    other = enrol_sender(central, merchant)
    sender.ask()
    with pytest.raises(InvalidError) as refused:
        accept_upload(central, other.issuer, sender.body(0))
    assert refused.value.code == "batch-issuer"


def test_a_batch_that_another_key_signed_is_refused_and_changes_nothing(
    central: Central, sender: Sender
) -> None:
    sender.ask()
    sender.key = SigningKey.generate()
    with pytest.raises(InvalidError) as refused:
        accept_upload(central, sender.issuer, sender.body(0))
    assert refused.value.code == "batch-signature"
    assert count(central, Batch) == 0
    assert not head_of(central, sender.issuer).seen_at


@pytest.mark.parametrize("spoil", [b"", b"\n", b"x\n", b"no batch\nno record~\n"])
def test_what_is_no_upload_is_refused_unsigned(central: Central, sender: Sender, spoil: bytes) -> None:
    with pytest.raises(FormatError):
        accept_upload(central, sender.issuer, spoil)


def test_an_upload_cut_short_is_refused_unsigned(central: Central, sender: Sender) -> None:
    sender.sell(1)
    body = sender.body(0)
    for length in range(0, len(body) - 1, 97):
        assert body[length - 1 : length] != b"\n"
        with pytest.raises((FormatError, InvalidError)):
            accept_upload(central, sender.issuer, body[:length])
    assert count(central, Record) == 0
