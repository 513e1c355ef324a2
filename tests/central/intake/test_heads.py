"""How far central knows a terminal, told to the terminal alone; and its own records back."""

from __future__ import annotations

import pytest

from merchant_agent.central.intake.heads import TakenUp, read_head, read_records
from merchant_agent.central.revocations import revoke
from merchant_agent.central.services import Central
from merchant_agent.errors import ForbiddenError, NotFoundError, SignInError
from merchant_agent.evidence.epochs import HeadAnswer, open_head
from merchant_agent.evidence.exchange import encode_upload
from merchant_agent.evidence.grant import new_issuer_id, new_nonce
from merchant_agent.evidence.requests import sign_request
from tests.central.sender import Sender, enrol_sender


def head(sender: Sender, nonce: str | None = None) -> HeadAnswer:
    nonce = nonce or new_nonce()
    header = sign_request(sender.key, "head", sender.issuer, sender.epoch, nonce, "")
    answer = open_head(read_head(sender.central, sender.issuer, header, nonce), sender.grant.central_keys())
    assert (answer.client_nonce, answer.issuer, answer.epoch) == (nonce, sender.issuer, sender.epoch)
    return answer


def records(sender: Sender, epoch: int = 1, after: int = -1) -> TakenUp:
    detail = f"{epoch}.{after}"
    header = sign_request(sender.key, "records", sender.issuer, sender.epoch, sender.nonce, detail)
    return read_records(sender.central, sender.issuer, header, epoch, after)


def test_head_of_a_new_terminal_is_its_grant(sender: Sender) -> None:
    answer = head(sender)
    assert (answer.head, answer.claimed, answer.newest_epoch) == (sender.chain.head, -1, 1)
    assert (answer.state, answer.nonce) == ("active", sender.grant.nonce)


def test_head_tells_what_is_taken_and_what_was_announced(central: Central, sender: Sender) -> None:
    sender.sell(2)
    sender.upload(central, sender.body(0, 1))
    answer = head(sender)
    assert (answer.head.seq, answer.head.link, answer.claimed) == (1, sender.sent[1].link, 3)
    assert answer.nonce == sender.nonce


def test_terminal_that_lost_its_nonce_uploads_with_the_one_it_asked_for(
    central: Central, sender: Sender
) -> None:
    sender.sell(1)
    sender.upload_all(central)
    sender.nonce = head(sender).nonce
    sender.sell(1)
    assert sender.upload_all(central, first=2).outcome == "accepted"


def test_state_of_each_epoch_is_told(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    clone = sender.back_at(0)
    clone.sell(1, level=1)
    after = sender.next_epoch()
    assert (head(sender).state, head(sender).newest_epoch) == ("closed", 2)
    clone.upload_all(central)
    assert head(sender).state == "frozen"
    revoke(central, after.grant.merchant, after.issuer, 2, reason="x", who="li.wei")
    assert head(after).state == "revoked"


def test_request_for_another_nonce_or_terminal_is_refused(
    central: Central, merchant: str, sender: Sender
) -> None:
    other, nonce = enrol_sender(central, merchant), new_nonce()
    header = sign_request(sender.key, "head", sender.issuer, 1, nonce, "")
    for issuer, asked in ((sender.issuer, new_nonce()), (other.issuer, nonce), (sender.issuer, "")):
        with pytest.raises(SignInError):
            read_head(central, issuer, header, asked)
    with pytest.raises(SignInError):
        read_head(central, sender.issuer, "", nonce)
    with pytest.raises(NotFoundError):
        read_head(central, new_issuer_id(), header, nonce)


def test_records_come_back_as_they_were_sent(central: Central, sender: Sender) -> None:
    sender.rate(sender.ask(), 2, comment="慢")
    sender.complain(None, comment="不新鲜", order="0042")
    sender.upload_all(central)
    taken = records(sender)
    assert list(taken.lines) == sender.lines(0, 2)
    assert taken.next == 2
    assert records(sender, after=2) == TakenUp(lines=(), next=2)
    assert list(records(sender, after=1).lines) == sender.lines(2, 2)


def test_long_chain_comes_back_in_parts(central: Central, sender: Sender) -> None:
    sender.sell(150)
    for first in range(0, 300, 100):
        sender.upload(central, sender.body(first, first + 99))
    taken = records(sender)
    assert (len(taken.lines), taken.next) == (256, 255)
    rest = records(sender, after=taken.next)
    assert [*taken.lines, *rest.lines] == sender.lines(0, 299)


def test_answer_is_at_most_a_quarter_of_a_megabyte(central: Central, sender: Sender) -> None:
    for _ in range(120):
        sender.suggest("长" * 900)
    sender.upload_all(central)
    taken = records(sender)
    assert sum(map(len, taken.lines)) <= 262_144
    assert 0 < len(taken.lines) < 120


def test_stub_comes_back_in_place_of_what_never_came(central: Central, sender: Sender) -> None:
    sender.sell(1)
    lines = [sender.stub(0), *sender.lines(1, 1)]
    sender.upload(central, encode_upload(sender.batch(0, 1, lines=lines), lines))
    assert list(records(sender).lines) == lines


def test_later_epoch_reads_an_earlier_one(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    after = sender.next_epoch("restored")
    assert list(records(after, epoch=1).lines) == sender.lines(0, 1)
    assert records(after, epoch=2).lines == ()


def test_old_or_revoked_key_reads_nothing(central: Central, sender: Sender) -> None:
    """A copy of the disk, or a thief of the key, learns nothing from what customers wrote."""
    sender.sell(1)
    sender.upload_all(central)
    after = sender.next_epoch("suspected")
    with pytest.raises(ForbiddenError) as replaced:
        records(sender)
    assert replaced.value.code == "epoch-replaced"
    revoke(central, after.grant.merchant, after.issuer, 2, reason="x", who="li.wei")
    with pytest.raises(ForbiddenError) as revoked:
        records(after)
    assert revoked.value.code == "revoked"


def test_records_are_read_with_the_present_nonce_and_once_asked_for(central: Central, sender: Sender) -> None:
    old = sender.nonce
    sender.sell(1)
    sender.upload_all(central)
    header = sign_request(sender.key, "records", sender.issuer, 1, old, "1.-1")
    with pytest.raises(SignInError):
        read_records(central, sender.issuer, header, 1, -1)
    header = sign_request(sender.key, "records", sender.issuer, 1, sender.nonce, "1.-1")
    with pytest.raises(SignInError):
        read_records(central, sender.issuer, header, 1, 0)
    with pytest.raises(SignInError):
        read_records(central, sender.issuer, header.replace(" 1.", " 01."), 1, -1)


def test_records_of_another_terminal_of_the_shop_are_not_told(
    central: Central, merchant: str, sender: Sender
) -> None:
    other = enrol_sender(central, merchant)
    other.sell(1)
    other.upload_all(central)
    assert records(sender).lines == ()
