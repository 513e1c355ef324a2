"""Records of an epoch that is over: still taken, flagged, and under the key that is in force now."""

from __future__ import annotations

import pytest

from merchant_agent.central.intake.acceptance import accept_upload
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Batch, Conflict, Quarantine, Record
from merchant_agent.errors import InvalidError
from merchant_agent.evidence.exchange import digest_lines, encode_upload
from merchant_agent.evidence.jws import Typ, sign_jws
from merchant_agent.evidence.octets import encode_json
from tests.central.rows import count, head_of, rows, stored
from tests.central.sender import Sender, enrol_sender


def test_records_left_behind_are_taken_under_the_later_key(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    sender.sell(2)
    after = sender.next_epoch("damaged")
    ack = sender.upload(central, sender.body(2, by=after))
    assert (ack.outcome, ack.epoch, ack.head) == ("accepted", 1, sender.chain.head)
    head = head_of(central, sender.issuer)
    assert (head.seq, head.closed_seq) == (5, 1)
    assert after.grant.closes is not None
    assert after.grant.closes.seq == 1


def test_each_epoch_has_its_own_nonce(central: Central, sender: Sender) -> None:
    sender.sell(2)
    after = sender.next_epoch()
    after.sell(1)
    late, fresh = sender.body(0, 1, by=after), after.body(0)
    assert after.upload(central, fresh).outcome == "accepted"
    assert sender.upload(central, late).outcome == "accepted"
    sender.nonce = after.nonce
    assert sender.upload(central, sender.body(2, by=after)).outcome == "resend"
    assert sender.upload(central, sender.body(2, by=after)).outcome == "accepted"
    assert count(central, Batch) == 4


def test_old_key_still_signs_its_own_late_records(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.next_epoch()
    assert sender.upload_all(central).outcome == "accepted"


def test_old_key_signs_no_batch_of_a_later_epoch(central: Central, sender: Sender) -> None:
    after = sender.next_epoch()
    after.sell(1)
    payload = {
        "issuer": after.issuer,
        "epoch": 2,
        "from": 0,
        "to": 1,
        "newest": {"seq": 1, "link": after.chain.link},
        "lines": digest_lines(after.lines(0, 1)),
        "nonce": after.nonce,
        "client_nonce": after.nonce,
        "at": "2026-05-20T12:00:00.000+08:00",
        "boot": "AAAAAAAAAAA",
        "uptime_ms": 1,
        "checkpoint": None,
        "software": "forged",
    }
    octets = sign_jws(sender.key, Typ.BATCH, after.issuer, 1, encode_json(payload))
    ack = sender.open(accept_upload(central, after.issuer, encode_upload(octets, after.lines(0, 1))))
    assert (ack.outcome, ack.epoch) == ("refused", 1)
    assert count(central, Record) == 0


def test_records_replayed_under_another_epoch_are_not_taken(central: Central, sender: Sender) -> None:
    sender.sell(1)
    after = sender.next_epoch()
    after.sell(1)
    lines = sender.lines(0, 1)
    body = encode_upload(after.batch(0, 1, lines=lines), lines)
    ack = after.upload(central, body)
    assert {(answer.answer, answer.rule) for answer in ack.answers} == {("rejected", "V2")}
    assert count(central, Record) == 0
    assert {row.rule for row in rows(central, Quarantine)} == {"V2"}


def test_fork_of_an_epoch_that_is_over_freezes_that_one_alone(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    clone = sender.back_at(0)
    after = sender.next_epoch()
    clone.nonce = sender.nonce
    clone.sell(1, level=1)
    assert clone.upload_all(central).outcome == "frozen"
    after.sell(1)
    assert after.upload_all(central).outcome == "accepted"
    assert head_of(central, sender.issuer, 1).state == "frozen"
    assert head_of(central, sender.issuer, 2).state == "active"


def test_late_record_other_than_the_request_named_freezes(central: Central, sender: Sender) -> None:
    """Between asking and sending the shop thought better of its last record."""
    sender.sell(1)
    sender.upload_all(central)
    before = sender.back_at(2)
    sender.sell(1, level=1)
    after = sender.next_epoch("damaged")
    before.nonce = sender.nonce
    before.sell(1, level=5)
    assert before.upload(central, before.body(2, by=after)).outcome == "frozen"
    [conflict] = rows(central, Conflict)
    assert conflict.kind == "newest"
    assert conflict.seq == 3


def test_records_behind_the_last_that_the_request_named_are_refused(central: Central, sender: Sender) -> None:
    """Whoever kept a copy of the old key has nothing to say behind the end of its epoch."""
    sender.sell(1)
    after = sender.next_epoch("suspected")
    assert sender.upload(central, sender.body(0, by=after)).outcome == "accepted"
    sender.sell(1)
    assert sender.upload_all(central, first=2).outcome == "refused"
    assert count(central, Record) == 2
    assert count(central, Conflict) == 0


def test_tail_that_was_announced_before_the_request_is_taken(central: Central, sender: Sender) -> None:
    """A backup was put back; then the old disk turns up with what central had been told of."""
    sender.sell(2)
    sender.upload(central, sender.body(0, 1))
    sender.back_at(2).next_epoch("restored")
    assert sender.upload_all(central, first=2).outcome == "accepted"
    sender.sell(1)
    assert sender.upload_all(central, first=4).outcome == "refused"


def test_terminal_whose_database_was_damaged_may_find_more(central: Central, sender: Sender) -> None:
    sender.sell(1)
    after = sender.next_epoch("damaged")
    sender.sell(1)
    assert sender.upload(central, sender.body(0, by=after)).outcome == "accepted"
    assert head_of(central, sender.issuer).seq == 3


def test_tail_shorter_than_the_request_named_is_behind(central: Central, sender: Sender) -> None:
    sender.sell(1)
    before = sender.back_at(2)
    sender.sell(1)
    after = sender.next_epoch()
    before.nonce = sender.nonce
    assert before.upload(central, before.body(0, by=after)).outcome == "behind"
    assert sender.upload(central, sender.body(0, by=after)).outcome == "accepted"


def test_stub_keeps_the_place_until_the_record_comes(central: Central, sender: Sender) -> None:
    sender.sell(2)
    lines = sender.lines(0, 3)
    lines[1] = sender.stub(1)
    ack = sender.upload(central, encode_upload(sender.batch(0, 3, lines=lines), lines))
    assert (ack.outcome, ack.head) == ("accepted", sender.chain.head)
    assert [(answer.seq, answer.answer, answer.rule) for answer in ack.answers] == [(1, "stub", None)]
    assert sorted(stored(central, sender.issuer)) == [0, 2, 3]
    [row] = rows(central, Quarantine)
    assert (row.rule, row.link, row.placed, row.vouched) == ("stub", sender.sent[1].link, 1, 1)
    sender.sell(1)
    assert sender.upload_all(central, first=4).outcome == "accepted"
    again = sender.upload(central, sender.body(1, 1))
    assert (again.outcome, again.answers) == ("accepted", ())
    assert sorted(stored(central, sender.issuer)) == [0, 1, 2, 3, 4, 5]
    assert count(central, Quarantine) == 0


def test_stub_at_the_end_is_a_head(central: Central, sender: Sender) -> None:
    sender.sell(1)
    lines = [sender.lines(0, 0)[0], sender.stub(1)]
    ack = sender.upload(central, encode_upload(sender.batch(0, 1, lines=lines), lines))
    assert (ack.outcome, ack.head) == ("accepted", sender.chain.head)
    # The totals of what did not come are not known: the next epoch goes on from what did.
    closes = sender.next_epoch().grant.closes
    assert closes is not None
    assert (closes.seq, closes.link) == (0, sender.sent[0].link)


def test_stub_under_a_later_key_stands_for_a_late_record(central: Central, sender: Sender) -> None:
    sender.sell(1)
    after = sender.next_epoch()
    lines = [sender.stub(0, by=after), *sender.lines(1, 1)]
    body = encode_upload(sender.batch(0, 1, lines=lines, by=after), lines)
    assert sender.upload(central, body).outcome == "accepted"
    assert sorted(stored(central, sender.issuer)) == [1]


def test_stub_sent_again_is_answered_again(central: Central, sender: Sender) -> None:
    sender.sell(1)
    for _ in range(2):
        lines = [sender.stub(0), *sender.lines(1, 1)]
        ack = sender.upload(central, encode_upload(sender.batch(0, 1, lines=lines), lines))
        assert ack.outcome == "accepted"
        assert ack.answers[0].answer == "stub"
    assert count(central, Quarantine) == 1


def test_stub_for_an_accepted_record_is_a_duplicate(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    lines = [sender.stub(0), *sender.lines(1, 1)]
    ack = sender.upload(central, encode_upload(sender.batch(0, 1, lines=lines), lines))
    assert [answer.answer for answer in ack.answers] == ["duplicate", "duplicate"]
    assert count(central, Quarantine) == 0


def test_stub_for_another_record_than_stands_there_freezes(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    stub = sender.stub(0, link=sender.sent[1].link)
    lines = [stub, *sender.lines(1, 1)]
    ack = sender.upload(central, encode_upload(sender.batch(0, 1, lines=lines), lines))
    assert ack.outcome == "frozen"
    [conflict] = rows(central, Conflict)
    assert (conflict.kind, bytes(conflict.held)) == ("fork", sender.sent[0].octets)
    assert bytes(conflict.received) == stub


def test_record_that_does_not_follow_its_stub_freezes(central: Central, sender: Sender) -> None:
    sender.sell(1)
    lines = [sender.stub(0, link=sender.sent[1].link), *sender.lines(1, 1)]
    ack = sender.upload(central, encode_upload(sender.batch(0, 1, lines=lines), lines))
    assert ack.outcome == "frozen"
    assert [row.kind for row in rows(central, Conflict)] == ["prev"]


def test_stub_of_another_place_is_refused(central: Central, sender: Sender) -> None:
    sender.sell(1)
    lines = [sender.stub(1), *sender.lines(1, 1)]
    ack = sender.upload(central, encode_upload(sender.batch(0, 1, lines=lines), lines))
    assert ack.outcome == "refused"
    assert count(central, Quarantine) == 0


def test_stub_that_nobody_signed_stands_for_nothing(central: Central, sender: Sender, merchant: str) -> None:
    other = enrol_sender(central, merchant)
    other.sell(1)
    sender.sell(1)
    lines = [other.stub(0), *sender.lines(1, 1)]
    ack = sender.upload(central, encode_upload(sender.batch(0, 1, lines=lines), lines))
    assert [(answer.seq, answer.rule) for answer in ack.answers] == [(0, "V2")]


def test_batch_signed_by_nobody_that_was_granted_is_no_upload(central: Central, sender: Sender) -> None:
    after = sender.next_epoch()
    after.sell(1)
    after.key = sender.key
    with pytest.raises(InvalidError) as refused:
        accept_upload(central, sender.issuer, after.body(0))
    assert refused.value.code == "batch-signature"
