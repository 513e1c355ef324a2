"""Clones, thieves of keys and forgers against central's epochs: one chain goes on, and it shows."""

from __future__ import annotations

import pytest

from merchant_agent.central.codes import CodeKind, make_code
from merchant_agent.central.intake.enrolment import Enrolled, Waiting
from merchant_agent.central.intake.epochs import ask_epoch
from merchant_agent.central.key_alarms import list_alarms
from merchant_agent.central.revocations import revoke
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Conflict, EpochAsked, Grant, Issuer, Record
from merchant_agent.errors import ForbiddenError, InvalidError, NotFoundError, VerificationError
from merchant_agent.evidence.epochs import EpochReason, EpochRequest, open_epoch_request
from merchant_agent.evidence.exchange import encode_upload
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.grant import new_nonce
from merchant_agent.evidence.jws import Typ, sign_jws
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.octets import encode_b64u, encode_json
from merchant_agent.store.credentials import AuditEntry
from tests.attacks.test_others import WEAK_KEY
from tests.central.rows import count, head_of, rows, stored
from tests.central.sender import Sender, enrol_sender, enrol_with
from tests.clocks import ManualClock

POSSESSION = b"merchant-agent/epoch/v1\n"


def ask(sender: Sender, reason: EpochReason = "restored", key: SigningKey | None = None) -> object:
    asked = sender.request_epoch(key or SigningKey.generate(), reason)
    return ask_epoch(sender.central, sender.issuer, *asked)


def refusal(sender: Sender) -> str:
    with pytest.raises(ForbiddenError) as refused:
        ask(sender)
    return refused.value.code


def test_two_clones_that_take_turns_freeze_with_the_first_difference(
    central: Central, sender: Sender
) -> None:
    """Each takes the nonce from the other's last answer: nothing but the records gives them away."""
    sender.sell(1)
    sender.upload_all(central)
    clone = sender.back_at(2)
    sender.sell(1)
    assert sender.upload_all(central, first=2).outcome == "accepted"
    clone.nonce = sender.nonce
    clone.sell(1)
    assert clone.upload_all(central, first=2).outcome == "frozen"
    sender.sell(1)
    assert sender.upload_all(central, first=4).outcome == "frozen"
    acknowledged = {record.seq: record.octets for record in sender.sent[:4]}
    assert stored(central, sender.issuer) == acknowledged
    [conflict] = rows(central, Conflict)
    assert {bytes(conflict.held), bytes(conflict.received)} == {sender.sent[2].octets, clone.sent[2].octets}
    for octets in (bytes(conflict.held), bytes(conflict.received)):
        assert sender.chain.open(octets).issuer == sender.issuer


def test_clone_that_stays_silent_is_out_with_the_next_epoch(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    clone = sender.back_at(2)
    after = sender.next_epoch("planned")
    clone.nonce = sender.nonce
    clone.sell(1)
    assert clone.upload_all(central, first=2).outcome == "refused"
    assert refusal(clone) == "epoch-replaced"
    after.sell(1)
    assert after.upload_all(central).outcome == "accepted"
    assert [(alarm.epoch, alarm.copies) for alarm in list_alarms(central)] == [(1, 1)]


def test_clone_that_asks_first_locks_the_shop_out_in_the_open(central: Central, sender: Sender) -> None:
    """The thief gets the next key; the shop's own request tells officers, who end the thief's."""
    sender.sell(1)
    sender.upload_all(central)
    thief = sender.back_at(2).next_epoch("planned")
    assert refusal(sender) == "epoch-replaced"
    [alarm] = list_alarms(central)
    assert (alarm.issuer, alarm.copies) == (sender.issuer, 1)
    merchant = sender.grant.merchant
    revoke(central, merchant, sender.issuer, 2, reason="不是店里的机器", who="li.wei")
    thief.sell(1)
    assert thief.upload_all(central).outcome == "revoked"
    code = make_code(central, merchant, CodeKind.SCREEN, who="li.wei").code
    key = SigningKey.generate()
    answer = enrol_with(central, code, key, continues=thief.grant.kid)
    assert isinstance(answer, Enrolled)
    back = Sender(answer.grant, key, central)
    back.sell(1)
    assert back.upload_all(central).outcome == "accepted"
    assert refusal(thief) == "epoch-replaced"


def test_two_clones_under_the_same_new_key_are_told_by_their_records(
    central: Central, sender: Sender
) -> None:
    """The new key was copied before it was granted: the grant does not part them, their records do."""
    key = SigningKey.generate()
    answers = [ask(sender, key=key) for _ in range(2)]
    one, other = (Sender(each.grant, key, central) for each in answers if isinstance(each, Enrolled))
    one.sell(1)
    other.sell(1)
    assert one.upload_all(central).outcome == "accepted"
    other.nonce = one.nonce
    assert other.upload_all(central).outcome == "frozen"
    assert head_of(central, sender.issuer, 2).state == "frozen"


def test_snapshot_that_went_on_before_it_asked_is_frozen(central: Central, sender: Sender) -> None:
    sender.sell(2)
    sender.upload_all(central)
    snapshot = sender.back_at(2)
    snapshot.sell(1, level=1)
    assert isinstance(ask(snapshot), Waiting)
    [conflict] = rows(central, Conflict)
    assert bytes(conflict.held) == sender.sent[3].octets
    request = open_epoch_request(bytes(conflict.received), VerifyingKey(sender.key.public))
    assert request.newest == snapshot.chain.head
    assert count(central, Grant) == 1


def test_record_replayed_under_another_epoch_is_of_no_key(central: Central, sender: Sender) -> None:
    """The same payload, signed anew by the next key, still names its own epoch."""
    sender.sell(1)
    after = sender.next_epoch()
    after.sell(1)
    stolen = sender.sent[1].octets
    payload = sender.chain.open(stolen).payload
    anew = sign_jws(after.key, Typ.RECORD, after.issuer, 2, payload)
    for octets, rule in ((stolen, "V2"), (anew, "V4")):
        with pytest.raises(VerificationError, match=rule):
            after.chain.accept(octets)
        lines = [octets, *after.lines(1, 1)]
        body = encode_upload(after.batch(0, 1, lines=lines), lines)
        after.upload(central, body)
    taken = stored(central, after.issuer).values()
    assert stolen not in taken
    assert anew not in taken


def test_grant_of_another_terminal_opens_no_epoch(central: Central, merchant: str, sender: Sender) -> None:
    other = enrol_sender(central, merchant)
    request, possession = sender.request_epoch(SigningKey.generate())
    with pytest.raises(InvalidError) as refused:
        ask_epoch(central, other.issuer, request, possession)
    assert refused.value.code == "epoch-signature"
    assert (count(central, Grant), count(central, EpochAsked)) == (2, 0)


def request_for(sender: Sender, key: bytes) -> str:
    """A request that says what no honest terminal's code would let it say."""
    head = sender.chain.head
    request = EpochRequest(
        issuer=sender.issuer,
        epoch=sender.epoch,
        key=encode_b64u(key),
        reason="planned",
        newest=Head(epoch=sender.epoch, seq=head.seq, link=head.link),
        client_nonce=new_nonce(),
        at="2026-05-20T12:00:00.000+08:00",
        boot="AAAAAAAAAAA",
        uptime_ms=1,
    )
    return sign_jws(sender.key, Typ.EPOCH, sender.issuer, sender.epoch, encode_json(request)).decode()


def test_weak_reused_and_own_keys_get_no_epoch(central: Central, merchant: str, sender: Sender) -> None:
    other = enrol_sender(central, merchant)
    for key in (WEAK_KEY, bytes(32), other.key.public, sender.key.public):
        signer = sender.key if key == sender.key.public else other.key
        request = request_for(sender, key)
        possession = encode_b64u(signer.sign(POSSESSION + request.encode()))
        with pytest.raises(InvalidError) as refused:
            ask_epoch(central, sender.issuer, request, possession)
        assert refused.value.code == "epoch-key"
    assert (count(central, Issuer), count(central, EpochAsked)) == (2, 0)


def test_key_that_did_not_ask_is_not_granted(central: Central, sender: Sender) -> None:
    """Somebody's public key, taken from a page: without its private half there is no epoch for it."""
    request = request_for(sender, SigningKey.generate().public)
    forged = encode_b64u(sender.key.sign(POSSESSION + request.encode()))
    with pytest.raises(InvalidError) as refused:
        ask_epoch(central, sender.issuer, request, forged)
    assert refused.value.code == "epoch-signature"


def test_reused_and_expired_codes_continue_nothing(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    used, old = (make_code(central, merchant, CodeKind.SCREEN, who="li.wei").code for _ in range(2))
    assert isinstance(enrol_with(central, used, SigningKey.generate(), continues=sender.grant.kid), Enrolled)
    clock.advance(central.settings.code_minutes * 60)
    for code in (used, old):
        with pytest.raises(NotFoundError) as refused:
            enrol_with(central, code, SigningKey.generate(), continues=f"{sender.issuer}.2")
        assert refused.value.code == "enrolment-code"
    assert head_of(central, sender.issuer, 2).state == "active"
    assert count(central, Grant) == 2


def test_request_sent_over_and_over_fills_no_table(central: Central, sender: Sender) -> None:
    """Somebody on the way caught one and needs no key to send it again; a clone has the old key."""
    sender.sell(1)
    sender.upload_all(central)
    caught = sender.request_epoch(SigningKey.generate())
    sender.next_epoch()
    for _ in range(3):
        with pytest.raises(ForbiddenError):
            ask_epoch(central, sender.issuer, *caught)
    told = [entry.what for entry in rows(central, AuditEntry)]
    assert told.count("epoch-refused-replaced") == 1
    for _ in range(55):
        assert refusal(sender) == "epoch-replaced"
    told = [entry.what for entry in rows(central, AuditEntry)]
    # The granted one is among the fifty.
    assert (told.count("epoch-refused-replaced"), count(central, EpochAsked)) == (49, 50)


def test_dismissed_clone_gets_in_by_no_way(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    clone = sender.back_at(0)
    clone.nonce = sender.nonce
    clone.sell(2, level=5)
    assert clone.upload_all(central).outcome == "frozen"
    mine, theirs = SigningKey.generate(), SigningKey.generate()
    ask(sender, "frozen", mine)
    ask(clone, "frozen", theirs)
    merchant = sender.grant.merchant
    revoke(central, merchant, sender.issuer, 1, reason="复制品", who="li.wei", allow=mine.public)
    assert clone.upload_all(central).outcome == "revoked"
    for key in (theirs, SigningKey.generate()):
        with pytest.raises(ForbiddenError):
            ask(clone, "frozen", key)
    granted = ask(sender, "frozen", mine)
    assert isinstance(granted, Enrolled)
    after = Sender(granted.grant, mine, central)
    after.sell(1)
    assert after.upload_all(central).outcome == "accepted"
    with pytest.raises(VerificationError):
        after.chain.accept(clone.sent[0].octets)
    taken = rows(central, Record)
    assert not {bytes(row.octets) for row in taken} & {record.octets for record in clone.sent}
