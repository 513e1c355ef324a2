"""What a terminal can do to keep what it signed from counting at central: by sending it rotten, twice, or not at all."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from merchant_agent.central.intake.heads import read_records
from merchant_agent.central.key_alarms import list_alarms
from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.overview import merchant_overview
from merchant_agent.central.promises import Promise, sweep_promises
from merchant_agent.central.revocations import revoke, settle_requests
from merchant_agent.central.services import Central
from merchant_agent.central.slips import RevokedSlipError, open_promise
from merchant_agent.central.store.models import Complaint, Quarantine, Rating, Record
from merchant_agent.evidence.bodies import EraseBody, Kind
from merchant_agent.evidence.disclosure import encode_line, open_disclosure
from merchant_agent.evidence.exchange import encode_upload
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.octets import encode_json
from merchant_agent.evidence.requests import sign_request
from tests.central.phone.customers import Visitor, phone
from tests.central.rows import count, head_of, rows, stored
from tests.central.sender import Sender, Sent

BOASTING = {
    "prompts": 1,
    "lapses": 0,
    "ratings": [0, 0, 0, 0, 900],
    "suggestions": 0,
    "complaints": 0,
    "returns": 0,
}
MADE_UP = {"size": 5, "root": "A" * 43, "time": 1_700_000_000}


def sign_otherwise(sender: Sender, **members: object) -> Sent:
    """The newest record with other members, signed by the terminal's key in its place."""
    payload = msgspec.json.decode(decode_jws(sender.sent.pop().octets, Typ.RECORD).payload)
    return sender.keep(sender.forge(encode_json({**payload, **members})))


def missing_of(central: Central, sender: Sender) -> int:
    """How many records officers are told that this epoch still owes."""
    states = merchant_overview(central, sender.grant.merchant).terminals
    return next(state.missing for state in states if state.epoch == sender.epoch)


@pytest.mark.parametrize(("members", "rule"), [({"totals": BOASTING}, "V6"), ({"anchor": MADE_UP}, "V7")])
@pytest.mark.parametrize("logged", [False, True])
def test_record_that_was_set_aside_gets_in_by_no_second_try(
    central: Central, sender: Sender, members: dict[str, object], rule: str, *, logged: bool
) -> None:
    """What stands before it is not looked up again then; what it says was judged once."""
    begin_log(central, again=False)
    sender.ask()
    sign_otherwise(sender, **members)
    for _ in range(2):
        ack = sender.upload(central, sender.body(0, 0))
        assert [(answer.answer, answer.rule) for answer in ack.answers] == [("rejected", rule)]
        if logged:
            Sequencer(central).run()
    assert (stored(central, sender.issuer), count(central, Quarantine)) == ({}, 1)


@pytest.mark.parametrize("members", [{"totals": BOASTING}, {"anchor": MADE_UP}])
def test_record_behind_a_rotten_line_is_held_to_every_rule(
    central: Central, sender: Sender, members: dict[str, object]
) -> None:
    sender.ask()
    true = sign_otherwise(sender, **members)
    lines = [b"rotten~"]
    assert sender.upload(central, encode_upload(sender.batch(0, 0, lines=lines), lines)).outcome == "accepted"
    ack = sender.upload(central, sender.body(0, 0))
    assert [answer.answer for answer in ack.answers] == ["rejected"]
    assert true.octets not in stored(central, sender.issuer).values()


def test_revoked_key_has_no_say_about_earlier_epochs(central: Central, sender: Sender) -> None:
    """A thief who got the next epoch could else keep the honest one's late records out by stubs."""
    sender.sell(2)
    sender.upload(central, sender.body(0, 1))
    thief = sender.next_epoch()
    revoke(central, sender.grant.merchant, sender.issuer, 2, reason="不是店里的机器", who="li.wei")
    lines = [sender.stub(seq, by=thief) for seq in (2, 3)]
    ack = sender.upload(central, encode_upload(sender.batch(2, 3, lines=lines, by=thief), lines))
    assert (ack.outcome, ack.head.seq) == ("refused", 1)
    clone = sender.back_at(2)
    clone.nonce = sender.nonce
    clone.sell(1, level=5)
    assert clone.upload(central, clone.body(2, by=thief)).outcome == "refused"
    assert head_of(central, sender.issuer).state == "active"
    assert sender.upload_all(central, first=2).outcome == "accepted"
    assert (count(central, Record), rows(central, Quarantine)) == (5, [])


def test_planned_change_of_the_key_sheds_nothing_that_was_announced(central: Central, sender: Sender) -> None:
    """The shop told of two bad ratings, forgets them, and calls the new key routine."""
    sender.sell(1)
    sender.sell(2, level=1)
    sender.upload(central, sender.body(0, 1))
    after = sender.back_at(2).next_epoch("planned")
    [alarm] = list_alarms(central)
    assert (alarm.epoch, alarm.reasons, alarm.missing) == (1, (), 4)
    settle_requests(central, sender.grant.merchant, sender.issuer, 1, who="li.wei")
    assert list_alarms(central) == []
    assert missing_of(central, sender) == 4
    assert sender.upload(central, sender.body(2, by=after)).outcome == "accepted"
    assert missing_of(central, sender) == 0


def test_tail_that_a_request_told_of_and_nobody_sends_is_missing(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.next_epoch("planned")
    assert [alarm.missing for alarm in list_alarms(central)] == [2]
    assert sender.upload_all(central).outcome == "accepted"
    assert list_alarms(central) == []


def test_what_a_revoked_key_told_of_is_not_missed(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.next_epoch("suspected")
    revoke(central, sender.grant.merchant, sender.issuer, 1, reason="密钥外泄", who="li.wei")
    assert [(alarm.reasons, alarm.missing) for alarm in list_alarms(central)] == [(("suspected",), 0)]


def recalled(sender: Sender) -> list[bytes]:
    """Its records as the terminal gets them back."""
    header = sign_request(sender.key, "records", sender.issuer, 1, sender.nonce, "1.-1")
    return list(read_records(sender.central, sender.issuer, header, 1, -1).lines)


@pytest.mark.parametrize("reason", ["request", "retention"])
def test_shop_gets_no_words_back_that_it_had_erased(
    central: Central, sender: Sender, reason: Literal["request", "retention"]
) -> None:
    """Central keeps what a complaint said, for officers alone: a recall is no way around its erasure."""
    sender.complain(comment="汤里有虫", order="0042")
    place = Place(issuer=sender.issuer, epoch=1, seq=0)
    sender.append(Kind.ERASE, EraseBody(place=place, members=("comment",), reason=reason))
    sender.upload_all(central)
    [complaint] = rows(central, Complaint)
    assert complaint.comment == "汤里有虫"
    complained = sender.sent[0]
    order = next(text for text in complained.disclosures if open_disclosure(text).name == "order")
    assert recalled(sender) == [encode_line(complained.octets, [order]), sender.sent[1].line]


def test_words_of_a_complaint_that_was_set_aside_do_not_come_back_either(
    central: Central, sender: Sender
) -> None:
    words = sender.complain(comment="汤里有虫").disclosures
    kept = sign_otherwise(sender, totals=BOASTING)
    sender.sent[0] = Sent(seq=0, octets=kept.octets, disclosures=words)
    sender.upload_all(central)
    assert recalled(sender) == [sender.sent[0].line]
    sender.chain.link = kept.link
    place = Place(issuer=sender.issuer, epoch=1, seq=0)
    sender.append(Kind.ERASE, EraseBody(place=place, members=("comment",), reason="request"))
    sender.upload_all(central, first=1)
    assert recalled(sender) == [kept.octets + b"~", sender.sent[1].line]


def test_slip_over_a_record_that_cannot_count_is_contradicted(
    central: Central, sender: Sender, visitor: Visitor
) -> None:
    """Else bad ratings would be signed with a flaw: the customer reads that all is well, and none counts."""
    visitor.rate(level=1)
    slip = visitor.slip(sign_otherwise(sender, totals=BOASTING), level=1)
    visitor.upload()
    assert (count(central, Rating), count(central, Quarantine)) == (0, 1)
    assert open_promise(central, slip).state is Promise.CONFLICT
    assert visitor.sweep() == ["conflict"]


def test_stub_keeps_no_promise_and_no_other_slip_waiting(
    central: Central, sender: Sender, visitor: Visitor
) -> None:
    """A slip of a record that went as a stub is watched like one of a record that never came."""
    sent = visitor.rate(level=1)
    slip = visitor.slip(sent, level=1)
    lines = [*sender.lines(0, 0), sender.stub(1)]
    sender.upload(central, encode_upload(sender.batch(0, 1, lines=lines), lines))
    assert open_promise(central, slip).state is Promise.PROMISED
    assert sweep_promises(central) == 0
    visitor.pass_time(24)
    assert visitor.sweep() == ["broken_promise"]
    assert sweep_promises(central) == 0
    visitor.publish()
    sender.upload(central, sender.body(1, 1))
    assert visitor.sweep() == ["broken_promise", "late"]
    assert open_promise(central, slip).state is Promise.LATE


def test_customer_of_a_key_that_was_ended_is_told_so_and_can_say_it_again(
    central: Central, sender: Sender, visitor: Visitor
) -> None:
    """A shop that brings about the end of its own key sends nobody away with a slip that is called false."""
    slip = visitor.slip(visitor.rate(level=1), level=1)
    revoke(central, sender.grant.merchant, sender.issuer, 1, reason="两份记录不一致", who="li.wei")
    answer = phone(central, lang="en").get(f"/s/{slip}")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "This slip counts no longer" in page
    assert f'href="/p/{sender.grant.merchant}"' in page
    with pytest.raises(RevokedSlipError):
        open_promise(central, slip)
