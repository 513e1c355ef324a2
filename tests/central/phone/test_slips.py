"""Slips: what customers read, and what a shop cannot do against them."""

from __future__ import annotations

import threading

import pytest

from merchant_agent.central.log.waiting import is_waiting
from merchant_agent.central.promises import sweep_promises
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import LogLeaf, Slip
from merchant_agent.central.turns import CLAIMS, take_turn
from merchant_agent.evidence.bodies import ConfirmBody, DisputeBody, FindingBody, Kind, SupersedeBody
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash, verify_jws
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.evidence.slip import new_claim
from merchant_agent.evidence.tlog_proof import verify_tlog_proof
from tests.central.phone.customers import HOUR_S, Visitor, later, phone
from tests.clocks import ManualClock

KEPT = "已收到，与凭条一致"
ON_ITS_WAY = "还在路上"
BROKEN = "超过时间仍未收到，已通知市场监管局"
LATE = "逾期送达"
CONFLICT = "两份记录不一致，正在核查"
INVALID = "不是有效凭条"


def test_a_slip_whose_record_came_matches(central: Central, visitor: Visitor) -> None:
    slip = visitor.slip(visitor.rate())
    visitor.upload()
    assert KEPT in phone(central).read(f"/s/{slip}")
    assert "Received, and it matches your slip" in phone(central, lang="en").read(f"/s/{slip}")


def test_a_slip_before_its_record_is_a_promise_with_a_time(central: Central, visitor: Visitor) -> None:
    slip = visitor.slip(visitor.rate())
    page = phone(central).read(f"/s/{slip}")
    assert f"{ON_ITS_WAY}，最晚 05\u201121\u00a012:00 送达" in page
    visitor.upload()
    assert KEPT in phone(central).read(f"/s/{slip}")
    assert visitor.sweep() == []


def test_a_deleted_row_becomes_a_broken_promise_at_the_deadline(central: Central, visitor: Visitor) -> None:
    """The shop throws the record away; the customer's slip is what remains of it."""
    slip = visitor.slip(visitor.rate())
    assert ON_ITS_WAY in phone(central).read(f"/s/{slip}")
    visitor.pass_time(24 - 0.1)
    assert visitor.sweep() == []
    visitor.pass_time(0.1)
    assert visitor.sweep() == ["broken_promise"]
    assert visitor.sweep() == ["broken_promise"]
    assert BROKEN in phone(central).read(f"/s/{slip}")
    finding = visitor.said(Kind.FINDING)[0]
    assert isinstance(finding, FindingBody)
    assert finding.leaf == encode_b64u(decode_b64u(slip)[21:53])
    assert finding.due_at == "2026-05-21T12:00:00.000+08:00"


def test_what_comes_after_all_is_late(central: Central, visitor: Visitor) -> None:
    slip = visitor.slip(visitor.rate())
    phone(central).read(f"/s/{slip}")
    visitor.pass_time(25)
    assert visitor.sweep() == ["broken_promise"]
    visitor.upload()
    assert visitor.sweep() == ["broken_promise", "late"]
    assert LATE in phone(central).read(f"/s/{slip}")


def test_what_came_late_before_anybody_looked_is_late(central: Central, visitor: Visitor) -> None:
    slip = visitor.slip(visitor.rate())
    visitor.pass_time(30)
    visitor.upload()
    assert LATE in phone(central).read(f"/s/{slip}")


def test_another_record_at_the_place_is_a_conflict(central: Central, visitor: Visitor) -> None:
    """Pressed 1, and a 5 stands in the ledger: the slip over the 1 convicts the key that signed both."""
    prompt = visitor.sender.ask()
    pressed = visitor.rate(prompt, level=1)
    slip = visitor.slip(pressed, level=1)
    visitor.forget_newest()
    visitor.rate(prompt, level=5)
    visitor.upload()
    assert CONFLICT in phone(central).read(f"/s/{slip}")
    assert visitor.sweep() == ["conflict"]


def test_a_slip_that_says_another_level_than_its_record_is_a_conflict(
    central: Central, visitor: Visitor
) -> None:
    slip = visitor.slip(visitor.rate(level=5), level=1)
    visitor.upload()
    assert CONFLICT in phone(central).read(f"/s/{slip}")


def test_a_slip_of_another_key_is_none(central: Central, visitor: Visitor) -> None:
    slip = visitor.slip(visitor.rate())
    visitor.sender.key = SigningKey.generate()
    forged = visitor.slip(visitor.sender.sent[-1])
    for text in (forged, slip[:-2] + "AA", slip[:-1], "x", slip + "AA"):
        answer = phone(central).get(f"/s/{text}")
        assert answer.status_code == 422
        assert INVALID in answer.get_data(as_text=True)
    with central.store.read() as reader:
        assert reader.first(Slip.select()) is None


def test_a_slip_is_logged_at_its_first_opening_alone(central: Central, visitor: Visitor) -> None:
    slip = visitor.slip(visitor.rate())
    visitor.publish()
    for _ in range(3):
        phone(central).read(f"/s/{slip}")
    visitor.publish()
    with central.store.read() as reader:
        leaves = [bytes(row.leaf) for row in reader.all(LogLeaf.select().where(LogLeaf.kind == "slip"))]
        assert leaves == [leaf_hash(decode_b64u(slip))]
        assert not is_waiting(reader)


def test_the_clock_stands_still_while_the_log_is_silent(central: Central, visitor: Visitor) -> None:
    slip = visitor.slip(visitor.rate())
    phone(central).read(f"/s/{slip}")
    visitor.pass_time(4)
    visitor.pass_time(40, log=False)
    assert visitor.sweep() == []
    assert "期限暂停计算" in phone(central).read(f"/s/{slip}")
    visitor.pass_time(19.5)
    assert visitor.sweep() == []
    visitor.pass_time(1)
    assert visitor.sweep() == ["broken_promise"]


def test_a_slip_counts_from_its_own_time_when_opened_later(central: Central, visitor: Visitor) -> None:
    slip = visitor.slip(visitor.rate())
    visitor.pass_time(30)
    assert BROKEN in phone(central).read(f"/s/{slip}")


def test_a_slip_from_the_future_counts_from_its_opening(
    central: Central, visitor: Visitor, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A till whose clock runs ahead gains no time by it."""
    slip = visitor.slip(visitor.rate(), time=later(clock, 100))
    assert "05-21 12:00" in phone(central).read(f"/s/{slip}")
    assert "ahead of its opening" in caplog.text


def test_a_slip_cannot_give_itself_more_hours_than_granted(central: Central, visitor: Visitor) -> None:
    slip = visitor.slip(visitor.rate(), deadline_hours=255)
    assert "05-21 12:00" in phone(central).read(f"/s/{slip}")


def test_a_slip_older_than_its_anchor_counts_from_its_opening(
    central: Central, visitor: Visitor, clock: ManualClock
) -> None:
    """A till whose battery died is wrong about the time, and not late for it."""
    visitor.sender.ask()
    visitor.upload()
    visitor.publish()
    visitor.anchor_to_newest()
    visitor.upload()
    slip = visitor.slip(visitor.rate(), time=later(clock, -1000))
    assert ON_ITS_WAY in phone(central).read(f"/s/{slip}")


def test_the_claim_shows_what_was_said(central: Central, visitor: Visitor) -> None:
    slip = visitor.slip(visitor.rate(comment="汤有点咸"))
    visitor.upload()
    mine = phone(central)
    assert "汤有点咸" not in mine.read(f"/s/{slip}")
    assert mine.open(slip, visitor.claim).status_code == 303
    assert "汤有点咸" in mine.read(f"/s/{slip}")
    assert "汤有点咸" not in phone(central).read(f"/s/{slip}")


def test_a_wrong_claim_shows_nothing(central: Central, visitor: Visitor) -> None:
    slip = visitor.slip(visitor.rate(comment="汤有点咸"))
    visitor.upload()
    mine = phone(central)
    assert mine.open(slip, new_claim()).status_code == 422
    assert "汤有点咸" not in mine.read(f"/s/{slip}")


def test_a_claim_before_its_record_is_believed_only_when_the_record_has_it(
    central: Central, visitor: Visitor
) -> None:
    slip = visitor.slip(visitor.rate(comment="汤有点咸"))
    mine, other = phone(central), phone(central)
    mine.open(slip, visitor.claim)
    other.open(slip, new_claim())
    assert "本机已记下" in mine.read(f"/s/{slip}")
    visitor.upload()
    assert "汤有点咸" in mine.read(f"/s/{slip}")
    assert "汤有点咸" not in other.read(f"/s/{slip}")


def test_a_till_that_opens_every_slip_first_gains_nothing(
    central: Central, visitor: Visitor, clock: ManualClock
) -> None:
    """It knows every claim: it confirms for the customer, who finds out and disputes."""
    slip = visitor.slip(visitor.rate(level=5))
    visitor.upload()
    till, customer = phone(central, remote="192.0.2.1"), phone(central)
    till.open(slip, visitor.claim)
    assert till.post(f"/s/{slip}", f"/s/{slip}/confirm").status_code == 303
    clock.advance(60)
    customer.open(slip, visitor.claim)
    page = customer.read(f"/s/{slip}")
    assert "另一台在您之前，于 05\u201120\u00a012:00:00 打开" in page
    assert "之后出现争议" in page
    assert customer.post(f"/s/{slip}", f"/s/{slip}/confirm").status_code == 409
    assert customer.post(f"/s/{slip}", f"/s/{slip}/dispute").status_code == 303
    assert [body.contested for body in visitor.said(Kind.DISPUTE) if isinstance(body, DisputeBody)] == [True]
    assert "您这台最先打开" in till.read(f"/s/{slip}")
    assert len(visitor.said(Kind.CONFIRM)) == 1


def test_one_uncontested_phone_confirms(central: Central, visitor: Visitor) -> None:
    sent = visitor.rate()
    slip = visitor.slip(sent)
    visitor.upload()
    mine = phone(central)
    mine.open(slip, visitor.claim)
    mine.post(f"/s/{slip}", f"/s/{slip}/confirm")
    body = visitor.said(Kind.CONFIRM)[0]
    assert isinstance(body, ConfirmBody)
    assert (body.place.seq, body.by) == (sent.seq, "phone")
    assert "由手机确认" in mine.read(f"/s/{slip}")
    assert mine.post(f"/s/{slip}", f"/s/{slip}/confirm").status_code == 409


@pytest.mark.parametrize(("pressed", "meant", "counted"), [(5, 2, 2), (2, 5, 2)])
def test_a_correction_counts_when_it_is_lower(
    central: Central, visitor: Visitor, pressed: int, meant: int, counted: int
) -> None:
    slip = visitor.slip(visitor.rate(level=pressed), level=pressed)
    visitor.upload()
    mine = phone(central)
    mine.open(slip, visitor.claim)
    assert mine.post(f"/s/{slip}", f"/s/{slip}/correct", level=str(meant)).status_code == 303
    assert mine.post(f"/s/{slip}", f"/s/{slip}/correct", level="1").status_code == 409
    body = visitor.said(Kind.SUPERSEDE)[0]
    assert isinstance(body, SupersedeBody)
    assert (body.level, body.confirmed) == (meant, "phone")
    released = visitor.release()
    assert [getattr(released, f"level_{level}") for level in range(1, 6)] == [
        int(level == counted) for level in range(1, 6)
    ]


@pytest.mark.parametrize("action", ["correct", "dispute", "confirm"])
def test_without_the_claim_nothing_can_be_said(central: Central, visitor: Visitor, action: str) -> None:
    slip = visitor.slip(visitor.rate())
    visitor.upload()
    stranger = phone(central)
    answer = stranger.post(f"/s/{slip}", f"/s/{slip}/{action}", level="1")
    assert answer.status_code == 401
    assert visitor.said(Kind.DISPUTE) == visitor.said(Kind.CONFIRM) == visitor.said(Kind.SUPERSEDE) == []


def test_the_holder_of_a_slip_gets_record_and_proof(central: Central, visitor: Visitor) -> None:
    sent = visitor.rate()
    slip = visitor.slip(sent)
    visitor.upload()
    assert phone(central).get(f"/s/{slip}/proof").status_code == 404
    visitor.publish()
    record = phone(central).get(f"/s/{slip}/record").get_data()
    assert record == sent.octets
    verify_jws(decode_jws(record, Typ.RECORD), visitor.sender.grant.verifying_key())
    proof = phone(central).get(f"/s/{slip}/proof").get_data()
    verify_tlog_proof(proof, leaf_hash(record), central.identity.log_keys)


def test_nobody_gets_the_record_that_the_slip_does_not_promise(central: Central, visitor: Visitor) -> None:
    visitor.rate()
    slip = visitor.slip(visitor.sender.sent[-1], leaf=b"\1" * 32)
    visitor.upload()
    assert phone(central).get(f"/s/{slip}/record").status_code == 404


def test_too_many_claims_from_one_address_have_to_wait(
    central: Central, visitor: Visitor, clock: ManualClock
) -> None:
    slip = visitor.slip(visitor.rate())
    for _ in range(CLAIMS.most):
        take_turn(central, CLAIMS, "192.0.2.7")
    assert phone(central).open(slip, visitor.claim).status_code == 429
    assert phone(central, remote="192.0.2.8").open(slip, visitor.claim).status_code == 303
    clock.advance(601)
    assert phone(central).open(slip, visitor.claim).status_code == 303


def test_two_sweeps_at_once_find_one_broken_promise(central: Central, visitor: Visitor) -> None:
    slip = visitor.slip(visitor.rate())
    phone(central).read(f"/s/{slip}")
    visitor.pass_time(24 + 1 / HOUR_S)
    threads = [threading.Thread(target=sweep_promises, args=(central,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert visitor.sweep() == ["broken_promise"]
