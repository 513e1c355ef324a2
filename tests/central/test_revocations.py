"""Ending a key: told in central's own chain, and in force from that moment."""

from __future__ import annotations

import pytest

from merchant_agent.central.answers import read_invitation
from merchant_agent.central.codes import CodeKind, make_code
from merchant_agent.central.intake.enrolment import Enrolled, Waiting
from merchant_agent.central.intake.epochs import ask_epoch
from merchant_agent.central.promises import Promise
from merchant_agent.central.revocations import allow_request, revoke, settle_requests
from merchant_agent.central.services import Central
from merchant_agent.central.slips import open_promise
from merchant_agent.central.store.models import Conflict, EpochAsked, Record, Revocation
from merchant_agent.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from merchant_agent.evidence.bodies import Kind, RevokeBody
from merchant_agent.evidence.exchange import encode_upload
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.record import decode_record
from merchant_agent.store.credentials import AuditEntry
from tests.central.phone.customers import Visitor
from tests.central.rows import count, head_of, rows, stored
from tests.central.sender import Sender, enrol_with
from tests.clocks import ManualClock


def end(central: Central, sender: Sender, *, allow: SigningKey | None = None) -> None:
    revoke(
        central,
        sender.grant.merchant,
        sender.issuer,
        sender.epoch,
        reason="密钥外泄",
        who="li.wei",
        allow=None if allow is None else allow.public,
    )


def frozen(central: Central, sender: Sender) -> Sender:
    """A copy of the terminal whose other record froze it."""
    sender.sell(1)
    sender.upload_all(central)
    clone = sender.back_at(0)
    clone.nonce = sender.nonce
    clone.sell(1, level=1)
    assert clone.upload_all(central).outcome == "frozen"
    return clone


def ask(sender: Sender, key: SigningKey) -> object:
    return ask_epoch(sender.central, sender.issuer, *sender.request_epoch(key, "frozen"))


def test_revocation_is_a_record_of_centrals_own_chain(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    end(central, sender)
    [row] = rows(central, Revocation)
    assert (row.issuer, row.epoch, row.through, row.reason, row.who) == (
        sender.issuer,
        1,
        1,
        "密钥外泄",
        "li.wei",
    )
    octets = stored(central, row.own_issuer)[row.own_seq]
    record = decode_record(decode_jws(octets, Typ.RECORD).payload)
    assert record.kind is Kind.REVOKE
    assert record.body == RevokeBody(issuer=sender.issuer, epoch=1, through=1)
    assert "密钥外泄" not in octets.decode()
    assert [entry.what for entry in rows(central, AuditEntry)][-1] == "key-revoked"


def test_key_without_records_counts_for_none(central: Central, sender: Sender) -> None:
    end(central, sender)
    [row] = rows(central, Revocation)
    record = decode_record(decode_jws(stored(central, row.own_issuer)[row.own_seq], Typ.RECORD).payload)
    assert record.body == RevokeBody(issuer=sender.issuer, epoch=1, through=None)


def test_nothing_behind_a_revocation_is_taken(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    end(central, sender)
    sender.sell(1)
    for first in (0, 2):
        ack = sender.upload(central, sender.body(first))
        assert (ack.outcome, ack.head.seq) == ("revoked", 1)
    assert len(stored(central, sender.issuer)) == 2


def test_what_stood_before_a_revocation_is_acknowledged_again(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    end(central, sender)
    ack = sender.upload(central, sender.body(0, 1))
    assert (ack.outcome, [answer.answer for answer in ack.answers]) == ("accepted", ["duplicate"] * 2)


def test_contradiction_of_a_revoked_key_is_kept_all_the_same(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    clone = sender.back_at(0)
    end(central, sender)
    clone.nonce = sender.nonce
    clone.sell(1, level=1)
    assert clone.upload_all(central).outcome == "revoked"
    assert count(central, Conflict) == 1
    assert head_of(central, sender.issuer).state == "revoked"


def test_late_records_of_a_revoked_epoch_are_not_taken_under_a_later_key(
    central: Central, sender: Sender
) -> None:
    sender.sell(1)
    after = sender.next_epoch("suspected")
    end(central, sender)
    assert sender.upload(central, sender.body(0, by=after)).outcome == "revoked"
    after.sell(1)
    assert after.upload_all(central).outcome == "accepted"


def test_revocation_needs_a_reason_and_comes_once(central: Central, sender: Sender) -> None:
    merchant, issuer = sender.grant.merchant, sender.issuer
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(InvalidError):
            revoke(central, merchant, issuer, 1, reason=reason, who="li.wei")
    with pytest.raises(NotFoundError):
        revoke(central, merchant, issuer, 2, reason="x", who="li.wei")
    end(central, sender)
    with pytest.raises(ConflictError):
        end(central, sender)
    assert count(central, Revocation) == 1


def test_terminal_of_a_revoked_key_goes_on_with_a_code_alone(central: Central, sender: Sender) -> None:
    end(central, sender)
    with pytest.raises(ForbiddenError) as refused:
        ask(sender, SigningKey.generate())
    assert refused.value.code == "revoked"
    assert [row.outcome for row in rows(central, EpochAsked)] == ["revoked"]
    code = make_code(central, sender.grant.merchant, CodeKind.SCREEN, who="li.wei").code
    assert isinstance(enrol_with(central, code, SigningKey.generate(), continues=sender.grant.kid), Enrolled)


def test_request_that_waited_is_let_through_by_the_officer_who_ends_the_key(
    central: Central, sender: Sender
) -> None:
    clone = frozen(central, sender)
    key, other = SigningKey.generate(), SigningKey.generate()
    assert isinstance(ask(sender, key), Waiting)
    assert isinstance(ask(clone, other), Waiting)
    end(central, sender, allow=key)
    with pytest.raises(ForbiddenError) as refused:
        ask(clone, other)
    assert refused.value.code == "revoked"
    granted = ask(sender, key)
    assert isinstance(granted, Enrolled)
    after = Sender(granted.grant, key, central)
    assert after.grant.closes == sender.chain.head
    after.sell(1)
    assert after.upload_all(central).outcome == "accepted"
    with pytest.raises(ForbiddenError) as late:
        ask(clone, other)
    assert late.value.code == "epoch-replaced"


def test_request_that_was_not_let_through_can_be_later(central: Central, sender: Sender) -> None:
    frozen(central, sender)
    key = SigningKey.generate()
    ask(sender, key)
    place = (sender.grant.merchant, sender.issuer, 1)
    with pytest.raises(InvalidError):
        allow_request(central, *place, key.public, who="li.wei")
    end(central, sender)
    with pytest.raises(ForbiddenError):
        ask(sender, key)
    with pytest.raises(NotFoundError):
        allow_request(central, *place, SigningKey.generate().public, who="li.wei")
    allow_request(central, *place, key.public, who="li.wei")
    assert isinstance(ask(sender, key), Enrolled)


def test_ending_a_key_for_a_request_that_nobody_made_changes_nothing(
    central: Central, sender: Sender
) -> None:
    frozen(central, sender)
    with pytest.raises(NotFoundError):
        end(central, sender, allow=SigningKey.generate())
    assert head_of(central, sender.issuer).state == "frozen"
    assert count(central, Revocation) == 0


def test_looking_into_requests_leaves_those_that_wait(central: Central, sender: Sender) -> None:
    clone = frozen(central, sender)
    ask(clone, SigningKey.generate())
    settle_requests(central, sender.grant.merchant, sender.issuer, 1, who="li.wei")
    assert [row.settled_at for row in rows(central, EpochAsked)] == [None]


@pytest.fixture
def visitor(central: Central, sender: Sender, clock: ManualClock) -> Visitor:
    return Visitor(central, sender, clock)


def test_slip_behind_a_revocation_is_not_valid(central: Central, sender: Sender, visitor: Visitor) -> None:
    before = visitor.slip(visitor.rate())
    visitor.upload()
    opened = visitor.slip(visitor.rate())
    assert open_promise(central, opened).state is Promise.PROMISED
    end(central, sender)
    assert open_promise(central, before).state is Promise.KEPT
    with pytest.raises(InvalidError):
        open_promise(central, visitor.slip(visitor.rate()))
    # The customer was there first: nobody gets out of a promise by ending a key.
    assert open_promise(central, opened).state is Promise.PROMISED


def test_invitation_behind_a_revocation_is_not_valid(
    central: Central, sender: Sender, visitor: Visitor
) -> None:
    before = visitor.invitation(sender.ask())
    sender.upload_all(central)
    end(central, sender)
    assert read_invitation(central, before).invitation is not None
    with pytest.raises(InvalidError):
        read_invitation(central, visitor.invitation(sender.ask()))


def test_revoked_key_lets_no_forged_tail_in(central: Central, sender: Sender) -> None:
    """Whoever stole the key signs on; not even a stub gets a place."""
    sender.sell(1)
    sender.upload_all(central)
    end(central, sender)
    sender.sell(1)
    lines = [sender.stub(2), *sender.lines(3, 3)]
    ack = sender.upload(central, encode_upload(sender.batch(2, 3, lines=lines), lines))
    assert ack.outcome == "revoked"
    assert count(central, Record) == 3
