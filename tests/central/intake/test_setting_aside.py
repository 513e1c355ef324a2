"""One bad record among good ones: it is kept apart with its rule, and the chain goes on."""

from __future__ import annotations

import json

import pytest
from msgspec import to_builtins

from merchant_agent.central.intake.acceptance import accept_upload
from merchant_agent.central.rebuild import rebuild
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Batch, Complaint, Quarantine, Rating, Record
from merchant_agent.errors import FormatError
from merchant_agent.evidence.disclosure import make_disclosure
from merchant_agent.evidence.exchange import Ack, encode_upload
from merchant_agent.evidence.grant import new_issuer_id
from merchant_agent.evidence.jws import Typ, decode_jws, link_of
from merchant_agent.evidence.octets import encode_json
from merchant_agent.evidence.record import Totals
from tests.central.rows import count, head_of, rows, stored
from tests.central.sender import Sender, Sent


def payload_of(record: Sent) -> dict[str, object]:
    payload: dict[str, object] = json.loads(decode_jws(record.octets, Typ.RECORD).payload)
    return payload


def append_wrong(sender: Sender, **members: object) -> Sent:
    """A record that the terminal signs although it says something wrong; its chain goes on from it."""
    right = sender.ask()
    sender.sent.pop()
    wrong = sender.forge(encode_json({**payload_of(right), **members}))
    sender.chain.link = link_of(wrong)
    return sender.keep(wrong)


def lines_of(sender: Sender, first: int = 0) -> list[bytes]:
    return [record.line for record in sender.sent[first:]]


def send(central: Central, sender: Sender, lines: list[bytes], first: int = 0) -> Ack:
    batch = sender.batch(first, first + len(lines) - 1, lines=lines)
    return sender.upload(central, encode_upload(batch, lines))


def rejected(ack: Ack) -> list[tuple[int, str | None]]:
    return [(answer.seq, answer.rule) for answer in ack.answers if answer.answer == "rejected"]


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ({"kind": "bribe"}, "V1"),
        ({"at": "yesterday"}, "V1"),
        ({"surplus": 1}, "V1"),
        ({"totals": to_builtins(Totals.zero())}, "V6"),
    ],
)
def test_a_record_that_says_something_wrong_is_set_aside(
    central: Central, sender: Sender, members: dict[str, object], rule: str
) -> None:
    sender.sell(1)
    wrong = append_wrong(sender, **members)
    sender.sell(1)
    ack = sender.upload_all(central)
    assert (ack.outcome, ack.head, rejected(ack)) == ("accepted", sender.chain.head, [(2, rule)])
    assert sorted(stored(central, sender.issuer)) == [0, 1, 3, 4]
    [kept] = rows(central, Quarantine)
    assert (kept.seq, kept.rule, kept.link) == (2, rule, wrong.link)
    assert (kept.placed, kept.vouched, bytes(kept.line)) == (1, 1, wrong.line)


def test_swapped_words_are_set_aside_and_the_record_stays(central: Central, sender: Sender) -> None:
    sender.rate(sender.ask(), 1, comment="很好")
    sender.sell(1)
    lines = lines_of(sender)
    lines[1] = sender.sent[1].octets + b"~" + make_disclosure("comment", "换过的评语").encode() + b"~"
    ack = send(central, sender, lines)
    assert (ack.outcome, rejected(ack)) == ("accepted", [(1, "V10")])
    rating = next(row for row in rows(central, Rating) if row.seq == 1)
    assert (rating.level, rating.comment, rating.undisclosed) == (1, None, 1)
    [kept] = rows(central, Quarantine)
    assert (kept.rule, kept.placed, bytes(kept.line)) == ("V10", 0, lines[1])


def test_junk_behind_a_bad_rating_does_not_suppress_it(central: Central, sender: Sender) -> None:
    for level in (1, 1, 5):
        sender.rate(sender.ask(), level, comment="太咸了")
    lines = [line + b"Zm9v~" if number in {1, 3} else line for number, line in enumerate(lines_of(sender))]
    ack = send(central, sender, lines)
    assert rejected(ack) == [(1, "V10"), (3, "V10")]
    assert sorted((row.level, row.comment) for row in rows(central, Rating)) == [
        (1, "太咸了"),
        (1, "太咸了"),
        (5, "太咸了"),
    ]


def test_words_withheld_are_counted_and_taken_when_they_come_later(central: Central, sender: Sender) -> None:
    sender.complain(comment="缺斤少两", amount="64.00 CNY")
    ack = send(central, sender, [sender.sent[0].octets + b"~"])
    assert ack.outcome == "accepted"
    [withheld] = rows(central, Complaint)
    assert (withheld.comment, withheld.amount, withheld.undisclosed) == (None, None, 2)
    assert sender.upload_all(central).answers[0].answer == "duplicate"
    [told] = rows(central, Complaint)
    assert (told.comment, told.amount, told.undisclosed) == ("缺斤少两", "64.00 CNY", 0)
    assert told.received_at == withheld.received_at
    assert rebuild(central.store).count == 0


def test_the_true_record_takes_the_place_of_the_rotten_line(central: Central, sender: Sender) -> None:
    sender.rate(sender.ask(), 1, comment="太咸了")
    sender.sell(1)
    lines = lines_of(sender)
    lines[1] = b"rot~"
    assert rejected(send(central, sender, lines)) == [(1, "V1")]
    assert len(rows(central, Rating)) == 1
    ack = sender.upload_all(central)
    assert [answer.seq for answer in ack.answers] == [0, 2, 3]
    assert (rows(central, Quarantine), ack.outcome) == ([], "accepted")
    assert sorted((row.level, row.comment) for row in rows(central, Rating)) == [(1, "太咸了"), (5, None)]
    assert rebuild(central.store).count == 0


def test_another_record_never_takes_the_place_of_a_rotten_line(central: Central, sender: Sender) -> None:
    sender.rate(sender.ask(), 1)
    sender.sell(1)
    lines = lines_of(sender)
    lines[1] = b"rot~"
    send(central, sender, lines)
    back = sender.back_at(1)
    back.rate(back.sent[0], 5)
    back.nonce = sender.nonce
    forged = [lines[0], back.sent[1].line, *lines[2:]]
    batch = sender.batch(0, 3, lines=forged)
    assert sender.upload(central, encode_upload(batch, forged)).outcome == "frozen"
    assert [row.level for row in rows(central, Rating)] == [5]


def test_lines_that_the_batch_was_not_signed_over_change_nothing(central: Central, sender: Sender) -> None:
    sender.sell(2)
    batch = sender.batch(0, 3)
    for lines in ([b"x~"] * 4, lines_of(sender)[:2], [*lines_of(sender)[:3], b"x~"]):
        with pytest.raises(FormatError):
            accept_upload(central, sender.issuer, encode_upload(batch, lines))
    assert (rows(central, Batch), rows(central, Quarantine)) == ([], [])
    assert sender.upload(central, encode_upload(batch, lines_of(sender))).outcome == "accepted"


@pytest.mark.parametrize("tail", [b"", b"~~", b"~\xff~", b"~Zm9v"])
def test_a_signed_record_in_a_malformed_line_is_set_aside(
    central: Central, sender: Sender, tail: bytes
) -> None:
    sender.sell(2)
    lines = lines_of(sender)
    lines[1] = sender.sent[1].octets + tail
    ack = send(central, sender, lines)
    assert (ack.outcome, rejected(ack)) == ("accepted", [(1, "V10")])
    assert ack.head == sender.chain.head


def test_a_line_that_nobody_signed_is_passed_over_by_the_word_of_the_next(
    central: Central, sender: Sender
) -> None:
    sender.sell(2)
    lines = lines_of(sender)
    lines[1] = b"rotten on the disk~"
    ack = send(central, sender, lines)
    assert (ack.outcome, ack.head, rejected(ack)) == ("accepted", sender.chain.head, [(1, "V1")])
    [kept] = rows(central, Quarantine)
    assert (kept.placed, kept.vouched, kept.link) == (1, 1, sender.sent[1].link)
    assert bytes(kept.line) == b"rotten on the disk~"


def test_several_unsigned_lines_in_a_row_are_passed_over(central: Central, sender: Sender) -> None:
    sender.sell(3)
    lines = lines_of(sender)
    lines[1], lines[2] = b"rot~", b"more rot~"
    ack = send(central, sender, lines)
    assert (ack.outcome, rejected(ack)) == ("accepted", [(1, "V1"), (2, "V1")])
    assert [(row.seq, row.placed, row.vouched) for row in rows(central, Quarantine)] == [(1, 1, 0), (2, 1, 1)]
    assert sender.upload_all(central).outcome == "accepted"


def test_an_unsigned_newest_line_is_passed_over_by_the_word_of_the_batch(
    central: Central, sender: Sender
) -> None:
    sender.sell(1)
    ack = send(central, sender, [sender.sent[0].line, b"rot~"])
    assert (ack.outcome, ack.head) == ("accepted", sender.chain.head)
    sender.sell(1)
    assert sender.upload_all(central, first=2).outcome == "accepted"


def test_the_chain_waits_before_an_unsigned_line_that_nobody_vouches_for(
    central: Central, sender: Sender
) -> None:
    sender.sell(2)
    lines = lines_of(sender)
    lines[2] = b"rot~"
    ack = send(central, sender, lines[:3])
    assert (ack.outcome, ack.head.seq, rejected(ack)) == ("resend", 1, [(2, "V1")])
    assert [(row.seq, row.placed) for row in rows(central, Quarantine)] == [(2, 0)]
    ack = send(central, sender, lines[2:], first=2)
    assert (ack.outcome, ack.head, rejected(ack)) == ("accepted", sender.chain.head, [(2, "V1")])
    assert [(row.seq, row.placed, row.vouched) for row in rows(central, Quarantine) if row.placed] == [
        (2, 1, 1)
    ]


def test_an_earlier_batch_vouches_for_what_rotted_since(central: Central, sender: Sender) -> None:
    sender.sell(2)
    announced = sender.batch(0, 1)
    sender.sell(2)
    sender.upload(central, encode_upload(announced, lines_of(sender)[:2]))
    lines = lines_of(sender, 2)
    lines[1] = b"rot~"
    ack = send(central, sender, lines[:2], first=2)
    assert (ack.outcome, ack.head.seq, ack.head.link) == ("accepted", 3, sender.sent[3].link)


def test_a_rejected_record_sent_again_is_rejected_by_the_same_rule(central: Central, sender: Sender) -> None:
    append_wrong(sender, kind="bribe")
    sender.sell(1)
    sender.upload_all(central)
    ack = sender.upload_all(central)
    assert (ack.outcome, rejected(ack)) == ("accepted", [(0, "V1")])
    assert count(central, Quarantine) == 1


def test_another_record_for_a_rejected_ones_place_freezes(central: Central, sender: Sender) -> None:
    append_wrong(sender, kind="bribe")
    sender.sell(1)
    sender.upload_all(central)
    back = sender.back_at(0)
    back.sell(1)
    back.nonce = sender.nonce
    assert back.upload_all(central).outcome == "frozen"


def test_a_signed_text_that_is_no_record_has_the_place_of_its_line(central: Central, sender: Sender) -> None:
    sender.sell(1)
    note = sender.keep(sender.forge(b"a note to self"))
    sender.chain.skip(note.link)
    ack = sender.upload_all(central)
    assert (ack.outcome, ack.head, rejected(ack)) == ("accepted", sender.chain.head, [(2, "V1")])


def test_a_signed_record_of_another_chain_has_the_place_of_its_line(central: Central, sender: Sender) -> None:
    sender.sell(1)
    stray = append_wrong(sender, issuer=new_issuer_id())
    ack = sender.upload_all(central)
    assert (ack.outcome, ack.head.link, rejected(ack)) == ("accepted", stray.link, [(2, "V4")])


def test_totals_are_stated_anew_after_a_record_that_was_set_aside(central: Central, sender: Sender) -> None:
    append_wrong(sender, kind="bribe")
    sender.upload_all(central)
    assert head_of(central, sender.issuer).totals is None
    sender.sell(1)
    assert rejected(sender.upload_all(central, first=1)) == []
    assert head_of(central, sender.issuer).totals is not None


def test_the_records_around_a_bad_one_are_all_there(central: Central, sender: Sender) -> None:
    sender.sell(50)
    lines = lines_of(sender)
    lines[42] = lines[42][:200] + b"~"
    ack = send(central, sender, lines)
    assert (ack.outcome, rejected(ack)) == ("accepted", [(42, "V1")])
    assert sorted(stored(central, sender.issuer)) == [seq for seq in range(100) if seq != 42]
    assert count(central, Record) == 99
