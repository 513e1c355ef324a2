"""A terminal that contradicts what it signed: both sides are kept, and it is frozen."""

from __future__ import annotations

import pytest

from merchant_agent.central.intake.acceptance import accept_upload
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Batch, Conflict, Quarantine, Record
from merchant_agent.evidence.exchange import Newest, encode_upload
from tests.central.rows import count, head_of, rows, stored
from tests.central.sender import Sender, enrol_sender


@pytest.fixture
def rewound(central: Central, sender: Sender) -> Sender:
    """The terminal, of whose four records central has all, gone back to two of them."""
    sender.sell(2)
    sender.upload_all(central)
    return sender.back_at(2)


def test_another_record_for_a_known_place_freezes(central: Central, sender: Sender, rewound: Sender) -> None:
    rewound.rate(rewound.ask(), level=5)
    ack = rewound.upload_all(central, first=2)
    assert (ack.outcome, ack.head) == ("frozen", sender.chain.head)
    [conflict] = rows(central, Conflict)
    assert (conflict.kind, conflict.seq) == ("fork", 2)
    assert bytes(conflict.held) == sender.sent[2].octets
    assert bytes(conflict.received) == rewound.sent[2].octets
    assert head_of(central, sender.issuer).state == "frozen"
    assert stored(central, sender.issuer)[2] == sender.sent[2].octets


def test_a_fork_is_seen_however_late_it_comes_in_the_batch(central: Central, rewound: Sender) -> None:
    rewound.sell(3)
    assert rewound.upload_all(central).outcome == "frozen"
    assert [row.seq for row in rows(central, Conflict)] == [2]
    assert count(central, Record) == 4


def test_a_fork_is_seen_behind_a_stale_nonce(central: Central, sender: Sender, rewound: Sender) -> None:
    rewound.nonce = sender.grant.nonce
    rewound.sell(1)
    assert rewound.upload_all(central, first=2).outcome == "frozen"


def test_a_newest_that_is_another_record_than_ours_freezes(
    central: Central, sender: Sender, rewound: Sender
) -> None:
    rewound.ask()
    batch = rewound.batch(0, 0)
    ack = rewound.upload(central, encode_upload(batch, [rewound.sent[0].line]))
    assert ack.outcome == "frozen"
    [conflict] = rows(central, Conflict)
    assert (conflict.kind, conflict.seq) == ("newest", 2)
    assert (bytes(conflict.held), bytes(conflict.received)) == (sender.sent[2].octets, batch)


def test_a_record_that_follows_another_one_than_ours_freezes(
    central: Central, sender: Sender, rewound: Sender
) -> None:
    rewound.sell(2)
    ack = rewound.upload_all(central, first=4)
    assert ack.outcome == "frozen"
    [conflict] = rows(central, Conflict)
    assert (conflict.kind, conflict.seq) == ("prev", 4)
    assert bytes(conflict.held) == sender.sent[3].octets
    assert bytes(conflict.received) == rewound.sent[4].octets


def test_a_first_record_that_does_not_follow_the_grant_freezes(central: Central, sender: Sender) -> None:
    stranger = Sender(sender.grant_octets, sender.key, central)
    sender.sell(1)
    stranger.chain.skip(sender.sent[0].link)
    stranger.chain.seq = -1
    stranger.chain.totals = sender.grant.totals
    stranger.ask()
    assert stranger.upload_all(central).outcome == "frozen"
    [conflict] = rows(central, Conflict)
    assert (conflict.kind, bytes(conflict.held)) == ("prev", sender.grant_octets)


def test_a_tail_that_was_announced_and_then_replaced_freezes(central: Central, sender: Sender) -> None:
    sender.sell(2)
    announced = sender.batch(0, 1)
    sender.upload(central, encode_upload(announced, [record.line for record in sender.sent[:2]]))
    back = sender.back_at(2)
    back.sell(2)
    ack = back.upload_all(central, first=2)
    assert (ack.outcome, ack.head.seq) == ("frozen", 2)
    [conflict] = rows(central, Conflict)
    assert (conflict.kind, conflict.seq, bytes(conflict.held)) == ("newest", 3, announced)
    assert bytes(conflict.received) == back.sent[3].octets


def test_two_batches_that_announce_different_records_freeze(central: Central, sender: Sender) -> None:
    sender.sell(2)
    back = sender.back_at(2)
    sender.upload(central, sender.body(0, 0))
    announced = bytes(rows(central, Batch)[0].octets)
    back.nonce = sender.nonce
    back.sell(1)
    ack = back.upload(central, back.body(1, 1))
    assert (ack.outcome, ack.head.seq) == ("frozen", 0)
    [conflict] = rows(central, Conflict)
    assert (conflict.kind, conflict.seq, bytes(conflict.held)) == ("newest", 3, announced)


def test_a_tail_that_was_announced_and_then_cut_is_behind(central: Central, sender: Sender) -> None:
    sender.sell(3)
    sender.upload(central, sender.body(0, 1))
    back = sender.back_at(4)
    ack = back.upload_all(central, first=2)
    assert (ack.outcome, ack.head.seq) == ("behind", 1)
    assert head_of(central, sender.issuer).state == "active"


def test_a_terminal_with_fewer_records_than_central_is_behind(
    central: Central, sender: Sender, rewound: Sender
) -> None:
    ack = rewound.upload_all(central)
    assert (ack.outcome, ack.head, ack.answers) == ("behind", sender.chain.head, ())
    assert head_of(central, sender.issuer).state == "active"


def test_a_frozen_terminal_gets_a_signed_answer_and_nothing_taken_up(
    central: Central, sender: Sender, rewound: Sender
) -> None:
    rewound.sell(1)
    rewound.upload_all(central, first=2)
    sender.sell(1)
    ack = sender.upload_all(central, first=4)
    assert (ack.outcome, ack.head.seq) == ("frozen", 3)
    assert (count(central, Record), count(central, Batch)) == (4, 3)


def test_a_frozen_answer_is_told_again_in_the_same_octets(
    central: Central, sender: Sender, rewound: Sender
) -> None:
    rewound.sell(1)
    body = rewound.body(2)
    first = accept_upload(central, sender.issuer, body)
    assert accept_upload(central, sender.issuer, body) == first
    assert count(central, Conflict) == 1


def test_freezing_one_terminal_leaves_the_others_alone(
    central: Central, merchant: str, rewound: Sender
) -> None:
    rewound.sell(1)
    rewound.upload_all(central, first=2)
    other = enrol_sender(central, merchant)
    other.sell(1)
    assert other.upload_all(central).outcome == "accepted"


def test_octets_that_nobody_signed_are_no_second_record(central: Central, sender: Sender) -> None:
    sender.sell(2)
    sender.upload_all(central)
    lines = [record.line for record in sender.sent]
    lines[1] = lines[1].replace(b".", b"..", 1)
    ack = sender.upload(central, encode_upload(sender.batch(0, 3, lines=lines), lines))
    assert ack.outcome == "accepted"
    assert [(answer.seq, answer.answer, answer.rule) for answer in ack.answers] == [
        (0, "duplicate", None),
        (1, "rejected", "V1"),
        (2, "duplicate", None),
        (3, "duplicate", None),
    ]
    [kept] = rows(central, Quarantine)
    assert (kept.seq, kept.placed) == (1, 0)
    assert stored(central, sender.issuer)[1] == sender.sent[1].octets


@pytest.mark.parametrize(("first", "last", "lines"), [(0, 0, 2), (0, 2, 2), (1, 2, 3)])
def test_a_batch_that_does_not_count_its_lines_is_refused_by_signature(
    central: Central, sender: Sender, first: int, last: int, lines: int
) -> None:
    sender.sell(2)
    sent = sender.lines(0, lines - 1)
    ack = sender.upload(central, encode_upload(sender.batch(first, last, lines=sent), sent))
    assert (ack.outcome, ack.head.seq) == ("refused", -1)
    assert [row.outcome for row in rows(central, Batch)] == ["refused"]


def test_two_swapped_lines_are_refused_and_change_nothing(central: Central, sender: Sender) -> None:
    sender.sell(2)
    lines = [record.line for record in sender.sent]
    lines[1], lines[2] = lines[2], lines[1]
    ack = sender.upload(central, encode_upload(sender.batch(0, 3, lines=lines), lines))
    assert (ack.outcome, ack.head.seq) == ("refused", -1)
    assert (count(central, Record), count(central, Quarantine)) == (0, 0)


def test_a_batch_whose_newest_is_not_its_own_last_record_is_refused(central: Central, sender: Sender) -> None:
    sender.sell(1)
    lie = Newest(seq=1, link=sender.sent[0].link)
    batch = sender.batch(0, 1, newest=lie)
    ack = sender.upload(central, encode_upload(batch, [record.line for record in sender.sent]))
    assert ack.outcome == "refused"
    assert count(central, Record) == 0


def test_a_refused_batch_commits_its_signer_to_nothing(central: Central, sender: Sender) -> None:
    sender.sell(1)
    lie = Newest(seq=40, link=sender.sent[0].link)
    batch = sender.batch(0, 0, lines=sender.lines(0, 1), newest=lie)
    ack = sender.upload(central, encode_upload(batch, [record.line for record in sender.sent]))
    assert ack.outcome == "refused"
    assert sender.upload_all(central).outcome == "accepted"
