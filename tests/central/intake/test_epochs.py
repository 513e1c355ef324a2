"""Another key for a terminal: granted once to whoever comes first, and told to officers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from merchant_agent.central.codes import CodeKind, list_codes, make_code
from merchant_agent.central.intake.attempts import RateLimitedError
from merchant_agent.central.intake.enrolment import Enrolled, Waiting, enrol
from merchant_agent.central.intake.epochs import ask_epoch
from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.own_chain import own_issuer
from merchant_agent.central.services import Central, close_central
from merchant_agent.central.store.models import Conflict, EpochAsked, Grant, Issuer, LogWaiting
from merchant_agent.central.turns import EPOCHS
from merchant_agent.domain.merchants import Merchant
from merchant_agent.errors import ForbiddenError, InvalidError, NotFoundError
from merchant_agent.evidence.enrolment import sign_enrolment
from merchant_agent.evidence.epochs import EpochReason
from merchant_agent.evidence.grant import new_issuer_id, open_grant
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import encode_b64u
from tests.central.conftest import Site
from tests.central.rows import count, head_of, rows
from tests.central.sender import Sender, enrol_sender, enrol_with
from tests.clocks import ManualClock

BAKERY = Merchant(
    name="示例烘焙有限公司",
    shop_name="示例面包房",
    credit_code="91310000MA1K000019",
    address="示例路 2 号",
    trade="catering",
    phone="021-00000001",
)


def ask(sender: Sender, key: SigningKey | None = None, reason: EpochReason = "planned") -> object:
    """What central answers to a request for `key`, or a fresh one."""
    asked = sender.request_epoch(key or SigningKey.generate(), reason)
    return ask_epoch(sender.central, sender.issuer, *asked)


def outcomes(central: Central) -> list[str]:
    return sorted(row.outcome for row in rows(central, EpochAsked))


def test_next_epoch_goes_on_where_central_stood(central: Central, sender: Sender) -> None:
    sender.sell(2)
    sender.upload_all(central)
    after = sender.next_epoch()
    grant = after.grant
    assert (grant.issuer, grant.epoch, grant.merchant) == (sender.issuer, 2, sender.grant.merchant)
    assert (grant.closes, grant.totals) == (sender.chain.head, sender.chain.totals)
    assert grant.nonce != head_of(central, sender.issuer).nonce
    after.sell(1)
    assert after.upload_all(central).outcome == "accepted"
    assert head_of(central, sender.issuer, 2).seq == 1


def test_epoch_without_records_closes_its_grant(sender: Sender) -> None:
    grant = sender.next_epoch().grant
    assert grant.closes is not None
    assert (grant.closes.seq, grant.closes.link) == (-1, link_of(sender.grant_octets))
    assert grant.totals == sender.grant.totals


def test_grant_of_a_later_epoch_is_logged(central: Central, sender: Sender) -> None:
    sender.next_epoch()
    grants = [row for row in rows(central, LogWaiting) if row.kind == "grant"]
    assert sorted(row.epoch for row in grants) == [1, 2]


@pytest.mark.parametrize("reason", ["planned", "suspected", "restored", "damaged", "behind", "frozen"])
def test_every_reason_is_granted_at_once_and_kept(
    central: Central, sender: Sender, reason: EpochReason
) -> None:
    sender.sell(1)
    assert isinstance(ask(sender, reason=reason), Enrolled)
    [row] = rows(central, EpochAsked)
    assert (row.reason, row.outcome, row.epoch) == (reason, "granted", 1)
    assert (row.newest_seq, row.newest_link, row.head_seq) == (1, sender.chain.link, -1)


def test_a_lost_answer_is_given_again(central: Central, sender: Sender) -> None:
    key = SigningKey.generate()
    asked = sender.request_epoch(key)
    first = ask_epoch(central, sender.issuer, *asked)
    again = ask_epoch(central, sender.issuer, *asked)
    anew = ask(sender, key)
    assert isinstance(first, Enrolled)
    assert isinstance(again, Enrolled)
    assert isinstance(anew, Enrolled)
    assert (first.created, again.created, anew.created) == (True, False, False)
    assert first.grant == again.grant == anew.grant
    assert count(central, Grant) == 2


def test_holder_of_a_key_that_asks_without_end_is_put_off(
    central: Central, sender: Sender, clock: ManualClock
) -> None:
    for _ in range(EPOCHS.most):
        last, sender = sender, sender.next_epoch("restored")
    key = SigningKey.generate()
    with pytest.raises(RateLimitedError) as refused:
        ask(sender, key, "restored")
    assert refused.value.code == "rate-limited"
    assert count(central, Grant) == count(central, Issuer) == EPOCHS.most + 1
    # The answer to the last one may have been lost.
    assert isinstance(ask(last, sender.key, "restored"), Enrolled)
    clock.advance(refused.value.retry_after_s)
    assert isinstance(ask(sender, key, "restored"), Enrolled)


def test_one_terminal_that_asks_without_end_holds_up_no_other(
    central: Central, merchant: str, sender: Sender
) -> None:
    other = enrol_sender(central, merchant)
    for _ in range(EPOCHS.most):
        sender = sender.next_epoch("restored")
    assert isinstance(ask(other), Enrolled)


def test_a_clone_that_asks_second_is_refused_and_shown(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    clone = sender.back_at(2)
    sender.next_epoch("restored")
    with pytest.raises(ForbiddenError) as refused:
        ask(clone, reason="restored")
    assert refused.value.code == "epoch-replaced"
    assert outcomes(central) == ["granted", "replaced"]
    assert count(central, Grant) == 2


def ask_at_once(centrals: list[Central], sender: Sender, keys: list[SigningKey]) -> list[object]:
    """What threads are answered that ask at one moment, each another one of the centrals."""
    asked = [sender.request_epoch(key, "restored") for key in keys]
    barrier = Barrier(len(asked))

    def send(number: int) -> object:
        barrier.wait()
        try:
            return ask_epoch(centrals[number % len(centrals)], sender.issuer, *asked[number])
        except ForbiddenError as error:
            return error.code

    with ThreadPoolExecutor(len(asked)) as threads:
        return list(threads.map(send, range(len(asked))))


def test_clones_that_ask_at_once_get_one_grant(site: Site, central: Central, sender: Sender) -> None:
    # On SQLite one process has the data folder.
    centrals = [central, site.open()] if site.is_postgres else [central]
    for epoch in range(2, 6):
        keys = [SigningKey.generate() for _ in range(6)]
        answers = ask_at_once(centrals, sender, keys)
        assert sum(isinstance(answer, Enrolled) for answer in answers) == 1
        assert answers.count("epoch-replaced") == 5
        [(winner, key)] = [
            (answer, key) for answer, key in zip(answers, keys, strict=True) if isinstance(answer, Enrolled)
        ]
        sender = Sender(winner.grant, key, central)
        assert sender.epoch == epoch
    for other in centrals[1:]:
        close_central(other)


def test_upload_and_request_at_one_moment_lose_nothing(central: Central, sender: Sender) -> None:
    for _ in range(5):
        sender.sell(2)
        body, key = sender.body(0), SigningKey.generate()
        asked = sender.request_epoch(key)
        barrier = Barrier(2)

        def send(barrier: Barrier = barrier, sender: Sender = sender, body: bytes = body) -> object:
            barrier.wait()
            return sender.upload(central, body)

        def go_on(
            barrier: Barrier = barrier, sender: Sender = sender, asked: tuple[str, str] = asked
        ) -> object:
            barrier.wait()
            return ask_epoch(central, sender.issuer, *asked)

        with ThreadPoolExecutor(2) as threads:
            uploaded, granted = threads.submit(send), threads.submit(go_on)
        assert getattr(uploaded.result(), "outcome", None) == "accepted"
        answer = granted.result()
        assert isinstance(answer, Enrolled)
        after = Sender(answer.grant, key, central)
        head = head_of(central, sender.issuer, sender.epoch)
        assert after.grant.closes is not None
        assert (head.seq, after.grant.closes.seq) in {(3, -1), (3, 3)}
        assert head.closed_seq == after.grant.closes.seq
        sender = after


def test_clones_without_end_are_shown_fifty_times_at_most(central: Central, sender: Sender) -> None:
    sender.next_epoch()
    for _ in range(55):
        with pytest.raises(ForbiddenError):
            ask(sender)
    assert count(central, EpochAsked) == 50


def test_requests_that_not_both_keys_signed_are_refused(central: Central, merchant: str) -> None:
    sender, other = enrol_sender(central, merchant), enrol_sender(central, merchant)
    request, possession = sender.request_epoch(SigningKey.generate())
    _, foreign = sender.request_epoch(SigningKey.generate())
    forged = request[:-4] + ("AAAA" if request[-4:] != "AAAA" else "BBBA")
    attempts = [
        (sender.issuer, request, foreign),
        (sender.issuer, request, "="),
        (sender.issuer, request, encode_b64u(bytes(63))),
        (sender.issuer, forged, possession),
        (sender.issuer, "", possession),
        (sender.issuer, sender.grant_octets.decode(), possession),
        (other.issuer, request, possession),
    ]
    for issuer, text, signature in attempts:
        with pytest.raises(InvalidError) as refused:
            ask_epoch(central, issuer, text, signature)
        assert refused.value.code == "epoch-signature"
    assert (count(central, EpochAsked), count(central, Grant)) == (0, 2)


def test_keys_that_were_granted_before_are_refused(central: Central, merchant: str) -> None:
    sender, other = enrol_sender(central, merchant), enrol_sender(central, merchant)
    with pytest.raises(InvalidError) as refused:
        ask(sender, other.key)
    assert refused.value.code == "epoch-key"
    after = sender.next_epoch()
    with pytest.raises(InvalidError) as reused:
        ask(after, sender.key)
    assert reused.value.code == "epoch-key"
    assert count(central, Issuer) == 3


def test_request_that_denies_an_acknowledged_record_freezes(central: Central, sender: Sender) -> None:
    """A backup that went on by itself before it asked: two records for one place, both signed for."""
    sender.sell(1)
    sender.upload_all(central)
    clone = sender.back_at(0)
    clone.sell(1, level=2)
    assert isinstance(ask(clone, reason="restored"), Waiting)
    [conflict] = rows(central, Conflict)
    assert (conflict.kind, bytes(conflict.held)) == ("newest", sender.sent[1].octets)
    assert head_of(central, sender.issuer).state == "frozen"
    assert outcomes(central) == ["waiting"]


def test_request_that_denies_an_announced_record_freezes(central: Central, sender: Sender) -> None:
    sender.sell(2)
    sender.upload(central, sender.body(0, 1))
    clone = sender.back_at(2)
    clone.sell(1, level=1)
    assert isinstance(ask(clone, reason="restored"), Waiting)
    assert [row.kind for row in rows(central, Conflict)] == ["newest"]


def test_frozen_terminal_waits_for_an_officer_however_often_it_asks(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    clone = sender.back_at(0)
    clone.sell(1)
    assert clone.upload_all(central).outcome == "frozen"
    key = SigningKey.generate()
    for _ in range(3):
        assert isinstance(ask(sender, key, "frozen"), Waiting)
    assert outcomes(central) == ["waiting"]
    assert count(central, Grant) == 1


@pytest.fixture
def code(central: Central, merchant: str) -> str:
    return make_code(central, merchant, CodeKind.SCREEN, who="li.wei").code


def test_a_terminal_that_lost_its_key_goes_on_with_a_code(
    central: Central, sender: Sender, code: str
) -> None:
    sender.sell(1)
    sender.upload_all(central)
    key = SigningKey.generate()
    answer = enrol_with(central, code, key, continues=sender.grant.kid)
    assert isinstance(answer, Enrolled)
    grant = open_grant(answer.grant, central.identity.trust().root_keys())
    assert (grant.issuer, grant.epoch, grant.closes) == (sender.issuer, 2, sender.chain.head)
    again = enrol_with(central, code, key, continues=sender.grant.kid)
    assert isinstance(again, Enrolled)
    assert (again.grant, again.created) == (answer.grant, False)
    after = Sender(answer.grant, key, central)
    after.sell(1)
    assert after.upload_all(central).outcome == "accepted"


def test_a_code_of_another_merchant_lets_nobody_go_on(central: Central, sender: Sender) -> None:
    bakery = add_merchant(central, BAKERY, who="li.wei")
    code = make_code(central, bakery, CodeKind.SCREEN, who="li.wei").code
    key = SigningKey.generate()
    with pytest.raises(InvalidError) as refused:
        enrol_with(central, code, key, continues=sender.grant.kid)
    assert refused.value.code == "enrolment-continues"
    # The code is still the bakery's own.
    assert isinstance(enrol_with(central, code, key), Enrolled)


def test_only_the_newest_epoch_of_a_terminal_is_gone_on_from(
    central: Central, sender: Sender, code: str
) -> None:
    sender.next_epoch()
    for continues in (f"{sender.issuer}.1", f"{sender.issuer}.3", f"{new_issuer_id()}.1"):
        with pytest.raises(InvalidError) as refused:
            enrol_with(central, code, SigningKey.generate(), continues=continues)
        assert refused.value.code == "enrolment-continues"


def test_what_is_continued_is_signed(central: Central, sender: Sender, code: str) -> None:
    key = SigningKey.generate()
    for continues in (sender.grant.kid, "nobody"):
        with pytest.raises(InvalidError) as refused:
            enrol(
                central,
                code=code,
                key=encode_b64u(key.public),
                signature=encode_b64u(sign_enrolment(key, code)),
                remote="192.0.2.1",
                continues=continues,
            )
        assert refused.value.code == "enrolment-signature"


def test_a_sheet_that_continues_a_foreign_terminal_is_not_even_claimed(
    central: Central, sender: Sender
) -> None:
    bakery = add_merchant(central, BAKERY, who="li.wei")
    sheet = make_code(central, bakery, CodeKind.SHEET, who="li.wei").code
    with pytest.raises(InvalidError):
        enrol_with(central, sheet, SigningKey.generate(), continues=sender.grant.kid)
    assert [entry.state for entry in list_codes(central, merchant=bakery)] == ["ready"]


def test_centrals_own_chain_is_nobodys_to_go_on_with(central: Central, sender: Sender, code: str) -> None:
    with central.store.write() as tx:
        own = own_issuer(central, tx, sender.grant.merchant)
    with pytest.raises(InvalidError):
        enrol_with(central, code, SigningKey.generate(), continues=f"{own}.1")
    with pytest.raises((InvalidError, NotFoundError)):
        ask_epoch(central, own, *sender.request_epoch(SigningKey.generate()))


def test_a_new_terminal_goes_on_from_totals_of_the_newest_epoch(
    central: Central, merchant: str, sender: Sender
) -> None:
    sender.sell(1)
    sender.upload_all(central)
    after = sender.next_epoch()
    after.sell(1)
    after.upload_all(central)
    assert enrol_sender(central, merchant).grant.totals == after.chain.totals
