"""What moves the acknowledged place, and what does not: every class of answer against a scripted server."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from merchant_agent.errors import OnHoldError
from merchant_agent.evidence.exchange import Answer, Batch, Outcome, decode_upload, sign_batch
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.grant import new_nonce
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.stub import open_stub
from merchant_agent.terminal.store.ledger import find_entry
from merchant_agent.terminal.store.models import LedgerRecord, Quarantine, SentBatch, UploadState
from merchant_agent.terminal.upload.outcome import Code
from tests.enrolled import OfflineCentral, ask, complain, rate
from tests.terminal.upload.conftest import Shop, forged, signed
from tests.upstream import Cut, Reply, Request

PORTAL = b"<!doctype html><title>Wi-Fi</title><form>Please sign in</form>"


def _batches(shop: Shop) -> list[Batch]:
    return [shop.batch(request)[0] for request in shop.upstream.requests]


def test_what_waits_arrives_and_is_acknowledged(shop: Shop) -> None:
    prompt = ask(shop.terminal.journal)
    rate(shop.terminal.journal, prompt, level=2, comment="面太咸")
    shop.upstream.script(shop.accept)
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert (shop.progress.acked_seq, shop.progress.state) == (1, "ready")
    assert shop.progress.last_success_at == shop.clock.now()
    assert shop.uploader.status().waiting == 0


def test_a_terminal_with_nothing_to_say_says_nothing(shop: Shop) -> None:
    assert shop.uploader.run_once().code is Code.NOTHING


def test_the_request_is_as_the_protocol_has_it(shop: Shop) -> None:
    prompt = ask(shop.terminal.journal)
    shop.upstream.script(shop.accept)
    shop.uploader.run_once()
    (request,) = shop.upstream.requests
    issuer = shop.terminal.journal.identity.issuer
    digest = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
    assert request.path == f"/api/v1/terminals/{issuer}/records"
    assert request.headers["content-type"] == "application/x-ndjson"
    assert request.headers["content-encoding"] == "gzip"
    assert request.headers["content-digest"] == f"sha-256=:{digest}:"
    assert gzip.decompress(request.body).split(b"\n")[1] == prompt.octets + b"~"


def test_erasable_words_travel_beside_their_record(shop: Shop) -> None:
    complain(shop.terminal.journal, None, comment="找零不对", order="A17")
    shop.upstream.script(shop.accept)
    shop.uploader.run_once()
    line = gzip.decompress(shop.upstream.requests[0].body).split(b"\n")[1]
    assert line.count(b"~") == 3


def test_a_backlog_goes_oldest_first_over_one_connection(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(upload_batch_records=3)
    for _ in range(7):
        ask(shop.terminal.journal)
    shop.upstream.script(shop.accept, shop.accept, shop.accept)
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert [(batch.from_, batch.to) for batch in _batches(shop)] == [(0, 2), (3, 5), (6, 6)]
    assert {request.connection for request in shop.upstream.requests} == {1}


def test_each_batch_commits_the_whole_tail(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(upload_batch_records=2)
    last = [ask(shop.terminal.journal) for _ in range(5)][-1]
    shop.upstream.script(shop.accept, Reply(status=503))
    shop.uploader.run_once()
    newest = {(batch.newest.seq, batch.newest.link) for batch in _batches(shop)}
    assert newest == {(4, link_of(last.octets))}


def test_batches_are_sized_by_bytes(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(upload_batch_bytes=20480)
    for _ in range(60):
        rate(shop.terminal.journal, None, comment="好" * 200)
    shop.upstream.script(*[shop.accept] * 6)
    shop.uploader.run_once()
    bodies = [gzip.decompress(request.body) for request in shop.upstream.requests]
    assert max(len(body) - len(body.split(b"\n")[0]) for body in bodies) <= 20480 + 1
    assert min(len(body) for body in bodies[:-1]) > 16000


def test_one_record_larger_than_a_batch_goes_alone(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(upload_batch_bytes=20480)
    for _ in range(2):
        rate(shop.terminal.journal, None, comment="x" * 12000)
    complain(shop.terminal.journal, None, comment="x" * 12000, order="y" * 11000)
    shop.upstream.script(*[shop.accept] * 3)
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert [(batch.from_, batch.to) for batch in _batches(shop)] == [(0, 0), (1, 1), (2, 2)]


def test_nonces_roll_from_the_grant_through_the_acknowledgements(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(upload_batch_records=1)
    for _ in range(3):
        ask(shop.terminal.journal)
    shop.upstream.script(*[shop.accept] * 3)
    shop.uploader.run_once()
    first, *_ = nonces = [batch.nonce for batch in _batches(shop)]
    assert first == shop.terminal.journal.identity.grant.nonce
    assert len(set(nonces)) == 3
    assert all(row.ack is not None for row in shop.rows(SentBatch))


# Lost answers


@pytest.mark.parametrize(
    "loss",
    [
        Cut(),
        Cut(after=b"HTTP/1.1 200 OK\r\nContent-Le"),
        Cut(after=b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"ack":'),
    ],
    ids=["no answer", "half a head", "half a body"],
)
def test_a_lost_answer_is_asked_for_with_the_same_octets(shop: Shop, loss: Cut) -> None:
    ask(shop.terminal.journal)
    shop.upstream.script(loss, shop.accept)
    assert shop.uploader.run_once().code is Code.UNREACHABLE
    assert shop.progress.acked_seq == -1
    ask(shop.terminal.journal)
    shop.upstream.script(shop.accept)
    assert shop.uploader.run_once().code is Code.ACCEPTED
    first, second, third = (shop.batch(request)[1] for request in shop.upstream.requests)
    assert first == second != third
    assert shop.progress.acked_seq == 1


def test_the_batch_in_flight_outlives_a_restart(shop: Shop) -> None:
    ask(shop.terminal.journal)
    shop.upstream.script(Cut(), shop.accept)
    shop.uploader.run_once()
    shop = shop.restart()
    assert shop.uploader.run_once().code is Code.ACCEPTED
    first, second = (shop.batch(request)[1] for request in shop.upstream.requests)
    assert first == second
    assert len(shop.rows(SentBatch)) == 1


def test_delivery_that_central_repeats_is_taken_once(shop: Shop) -> None:
    ask(shop.terminal.journal)
    acks: list[bytes] = []

    def lose(request: Request) -> Cut:
        acks.append(shop.ack(request))
        return Cut()

    shop.upstream.script(lose, lambda _request: signed(200, acks[0]))
    shop.uploader.run_once()
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert [row.ack for row in shop.rows(SentBatch)] == acks


# Central's signed word


def test_resend_goes_on_from_the_head_of_central(shop: Shop) -> None:
    first = ask(shop.terminal.journal)
    shop.upstream.script(shop.accept)
    shop.uploader.run_once()
    ask(shop.terminal.journal)
    ask(shop.terminal.journal)
    head = Head(epoch=1, seq=0, link=link_of(first.octets))
    begin = Head(epoch=1, seq=-1, link=link_of(shop.terminal.journal.identity.grant_octets))
    shop.upstream.script(
        shop.answer("resend", status=409, head=begin),
        shop.answer("resend", status=409, head=head),
        shop.accept,
    )
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert [batch.from_ for batch in _batches(shop)] == [0, 1, 0, 1]
    assert shop.progress.acked_seq == 2


def test_endless_resends_end_in_a_wait(shop: Shop) -> None:
    ask(shop.terminal.journal)
    begin = Head(epoch=1, seq=-1, link=link_of(shop.terminal.journal.identity.grant_octets))
    shop.upstream.script(*[shop.answer("resend", status=409, head=begin)] * 3)
    assert shop.uploader.run_once().code is Code.RESEND


@pytest.mark.parametrize(
    ("outcome", "status", "hold"),
    [("behind", 409, "behind"), ("frozen", 423, "frozen"), ("revoked", 423, "epoch")],
)
def test_what_ends_an_epoch_puts_the_terminal_on_hold(
    shop: Shop, outcome: Outcome, status: int, hold: str
) -> None:
    ask(shop.terminal.journal)
    ahead = Head(epoch=1, seq=9, link=encode_b64u(bytes(32)))
    shop.upstream.script(shop.answer(outcome, status=status, head=ahead), Reply(status=503))
    shop.uploader.run_once()
    with pytest.raises(OnHoldError):
        ask(shop.terminal.journal)
    shop = shop.restart()
    shop.upstream.script(Reply(status=503))
    shop.uploader.run_once()
    assert [request.path.rsplit("/", 1)[1] for request in shop.upstream.requests].count("records") == 1
    assert (shop.progress.state, shop.progress.acked_seq) == (outcome, -1)
    assert shop.alarms() == [(f"hold-{hold}", "")]
    assert all(row.ack is not None for row in shop.rows(SentBatch))


@pytest.mark.parametrize(("outcome", "status"), [("accepted", 200), ("resend", 409)])
def test_a_head_that_is_not_of_this_ledger_means_behind(shop: Shop, outcome: str, status: int) -> None:
    ask(shop.terminal.journal)
    foreign = Head(epoch=1, seq=0, link=encode_b64u(bytes(32)))
    shop.upstream.script(shop.answer(outcome, status=status, head=foreign))  # type: ignore[arg-type]  # parametrised
    shop.upstream.script(Reply(status=503))
    shop.uploader.run_once()
    assert (shop.progress.state, shop.progress.acked_seq) == ("behind", -1)
    assert shop.alarms() == [("hold-behind", "")]


def test_a_broken_network_does_not_hide_that_central_refused(shop: Shop) -> None:
    ask(shop.terminal.journal)
    begin = Head(epoch=1, seq=-1, link=link_of(shop.terminal.journal.identity.grant_octets))
    shop.upstream.script(shop.answer("refused", status=422, head=begin), Reply(status=503), shop.accept)
    codes = [shop.uploader.run_once().code for _ in range(2)]
    assert codes == [Code.REFUSED, Code.BUSY]
    assert (shop.progress.state, shop.progress.last_outcome) == ("refused", "busy")
    shop.uploader.run_once()
    assert shop.progress.state == "ready"
    assert shop.alarms() == []


def test_a_refused_batch_line_is_made_anew(shop: Shop) -> None:
    ask(shop.terminal.journal)
    begin = Head(epoch=1, seq=-1, link=link_of(shop.terminal.journal.identity.grant_octets))
    shop.upstream.script(shop.answer("refused", status=422, head=begin), shop.accept)
    assert shop.uploader.run_once().code is Code.REFUSED
    assert shop.alarms() == [("upload-refused", "")]
    assert shop.uploader.run_once().code is Code.ACCEPTED
    first, second = _batches(shop)
    assert first.client_nonce != second.client_nonce


def test_one_bad_record_in_a_hundred_does_not_hold_up_the_rest(shop: Shop) -> None:
    for _ in range(100):
        ask(shop.terminal.journal)
    bad = Answer(seq=41, answer="rejected", rule="V6")
    again = Answer(seq=3, answer="duplicate", rule=None)
    shop.upstream.script(lambda request: signed(200, shop.ack(request, answers=(again, bad))))
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert shop.progress.acked_seq == 99
    assert [(row.epoch, row.seq, row.rule) for row in shop.rows(Quarantine)] == [(1, 41, "V6")]
    assert shop.alarms() == [("upload-rejected", "41 V6")]
    assert shop.uploader.status().rejected == 1
    with shop.terminal.store.read() as reader:
        assert find_entry(reader, 1, 41) is not None


def _reject(shop: Shop, seq: int, rule: str) -> Callable[[Request], Reply]:
    """A step in which central sets one record aside and stands at its head."""
    answers = (Answer(seq=seq, answer="rejected", rule=rule),)
    return lambda request: signed(200, shop.ack(request, head=shop.terminal.journal.head, answers=answers))


def _take_up(shop: Shop) -> Callable[[Request], Reply]:
    return lambda request: signed(200, shop.ack(request, head=shop.terminal.journal.head))


def test_a_sound_record_that_central_rejected_goes_once_more(shop: Shop) -> None:
    for _ in range(3):
        rate(shop.terminal.journal, None, comment="冷了")
    shop.upstream.script(_reject(shop, 1, "V3"), _take_up(shop))
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert [(batch.from_, batch.to) for batch in _batches(shop)] == [(0, 2), (1, 1)]
    assert (shop.progress.acked_seq, shop.uploader.status().rejected) == (2, 0)
    assert shop.alarms() == []


def test_a_record_that_central_rejects_twice_stays_rejected(shop: Shop) -> None:
    rate(shop.terminal.journal, None, comment="冷了")
    shop.upstream.script(_reject(shop, 0, "V10"), _reject(shop, 0, "V10"))
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert shop.uploader.run_once().code is Code.NOTHING
    assert shop.uploader.status().rejected == 1
    assert shop.alarms() == [("upload-rejected", "0 V10")]


@pytest.mark.parametrize("outcome", ["resend", "refused"])
def test_whatever_central_answers_a_record_goes_but_once_more(shop: Shop, outcome: Outcome) -> None:
    rate(shop.terminal.journal, None)
    status = 409 if outcome == "resend" else 422
    again = shop.answer(outcome, status=status, head=shop.terminal.journal.head)
    shop.upstream.script(_reject(shop, 0, "V1"), again)
    shop.uploader.run_once()
    assert shop.uploader.run_once().code is Code.NOTHING
    assert shop.uploader.status().rejected == 1


def test_a_record_that_is_rotten_here_too_is_not_sent_again(shop: Shop) -> None:
    bad = rate(shop.terminal.journal, None)
    ask(shop.terminal.journal)
    with shop.terminal.store.write() as writer:
        rot = LedgerRecord.update({LedgerRecord.octets: bad.octets[:-8] + b"AAAAAAAA"})
        writer.execute(rot.where(LedgerRecord.seq == 0))
    shop.upstream.script(_reject(shop, 0, "V3"))
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert shop.uploader.status().rejected == 1


# Nobody's word


def _portal(_shop: Shop, _request: Request) -> Reply:
    return Reply(status=200, body=PORTAL, headers={"Content-Type": "text/html"})


def _forged(shop: Shop, request: Request) -> Reply:
    return signed(200, forged(shop.ack(request), now="2030-01-01T00:00:00.000+08:00"))


def _impostor(shop: Shop, request: Request) -> Reply:
    octets = shop.batch(request)[1]
    head = shop.terminal.journal.head
    assert head is not None
    return signed(200, OfflineCentral(ack=SigningKey.generate()).acknowledge(octets, head=head))


def _same_kid(shop: Shop, request: Request) -> Reply:
    octets = shop.batch(request)[1]
    head = shop.terminal.journal.head
    assert head is not None
    impostor = OfflineCentral(issuer=shop.central.issuer, ack=SigningKey.generate())
    return signed(200, impostor.acknowledge(octets, head=head))


def _other_batch(shop: Shop, request: Request) -> Reply:
    batch, _, _ = shop.batch(request)
    head = Head(epoch=1, seq=batch.to, link=batch.newest.link)
    key = shop.terminal.journal.key
    other = sign_batch(key, replace(batch, client_nonce=new_nonce()))
    return signed(200, shop.central.acknowledge(other, head=head))


def _short(shop: Shop, request: Request) -> Reply:
    first = find(shop, 0)
    return signed(200, shop.ack(request, head=Head(epoch=1, seq=0, link=link_of(first))))


def _answers_what_was_not_sent(shop: Shop, request: Request) -> Reply:
    foreign = Answer(seq=77, answer="rejected", rule="V6")
    return signed(200, shop.ack(request, answers=(foreign,)))


def _accepted_with_409(shop: Shop, request: Request) -> Reply:
    return signed(409, shop.ack(request))


def _frozen_with_200(shop: Shop, request: Request) -> Reply:
    return signed(200, shop.ack(request, outcome="frozen"))


def _no_ack(_shop: Shop, _request: Request) -> Reply:
    return Reply(status=200, body=b'{"ok":true}', headers={"Content-Type": "application/json"})


def _huge(_shop: Shop, _request: Request) -> Reply:
    return Reply(status=200, body=b'{"ack":"' + b"A" * 1_000_000 + b'"}')


def find(shop: Shop, seq: int) -> bytes:
    with shop.terminal.store.read() as reader:
        entry = find_entry(reader, 1, seq)
    assert entry is not None
    return entry.octets


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (_portal, Code.WRONG_SERVER),
        (_no_ack, Code.WRONG_SERVER),
        (_huge, Code.WRONG_SERVER),
        (_forged, Code.UNTRUSTED),
        (_impostor, Code.UNTRUSTED),
        (_same_kid, Code.UNTRUSTED),
        (_other_batch, Code.UNTRUSTED),
        (_short, Code.UNTRUSTED),
        (_answers_what_was_not_sent, Code.UNTRUSTED),
        (_accepted_with_409, Code.UNTRUSTED),
        (_frozen_with_200, Code.UNTRUSTED),
    ],
)
def test_what_central_did_not_sign_for_this_batch_is_no_delivery(
    shop: Shop, step: Callable[[Shop, Request], Reply], code: Code
) -> None:
    ask(shop.terminal.journal)
    ask(shop.terminal.journal)
    before = shop.progress
    shop.upstream.script(lambda request: step(shop, request))
    assert shop.uploader.run_once().code is code
    after = shop.progress
    assert (after.acked_seq, after.nonce) == (-1, before.nonce)
    assert after.batch is not None
    assert after.state == code
    assert [row.ack for row in shop.rows(SentBatch)] == [None]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (204, Code.UNTRUSTED),
        (301, Code.WRONG_SERVER),
        (302, Code.WRONG_SERVER),
        (307, Code.WRONG_SERVER),
        (400, Code.UNTRUSTED),
        (401, Code.NOT_ADMITTED),
        (403, Code.NOT_ADMITTED),
        (404, Code.WRONG_SERVER),
        (405, Code.WRONG_SERVER),
        (407, Code.UNREACHABLE),
        (408, Code.BUSY),
        (409, Code.UNTRUSTED),
        (413, Code.TOO_LARGE),
        (422, Code.UNTRUSTED),
        (423, Code.UNTRUSTED),
        (425, Code.BUSY),
        (429, Code.BUSY),
        (500, Code.BUSY),
        (502, Code.BUSY),
        (503, Code.BUSY),
        (511, Code.WRONG_SERVER),
        (599, Code.BUSY),
    ],
)
def test_a_status_alone_moves_nothing(shop: Shop, status: int, code: Code) -> None:
    ask(shop.terminal.journal)
    reply = Reply(
        status=status, body=b"" if status == 204 else PORTAL, headers={"Location": "http://127.0.0.1:9/"}
    )
    shop.upstream.script(reply)
    assert shop.uploader.run_once().code is code
    assert (shop.progress.acked_seq, shop.progress.last_outcome) == (-1, code)
    shop.upstream.script(shop.accept)
    assert shop.uploader.run_once().code is Code.ACCEPTED
    first, second = (shop.batch(request)[1] for request in shop.upstream.requests)
    assert first == second


def test_a_run_stops_at_the_first_failure(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(upload_batch_records=1)
    for _ in range(3):
        ask(shop.terminal.journal)
    shop.upstream.script(shop.accept, Reply(status=500))
    assert shop.uploader.run_once().code is Code.BUSY
    assert shop.uploader.status().waiting == 2


def test_not_admitted_raises_one_alarm_until_it_is_over(shop: Shop) -> None:
    ask(shop.terminal.journal)
    shop.upstream.script(Reply(status=401), Reply(status=403), Reply(status=401))
    for _ in range(3):
        shop.uploader.run_once()
    assert shop.alarms() == [("upload-not-admitted", "")]
    shop.upstream.script(shop.accept)
    shop.uploader.run_once()
    assert shop.alarms() == []


# What the disk gives back changed


def _change_newest(shop: Shop, **changes: object) -> None:
    head = shop.terminal.journal.head
    assert head is not None
    with shop.terminal.store.write() as writer:
        writer.execute(LedgerRecord.update(changes).where(LedgerRecord.seq == head.seq))


def _link_of_nothing() -> dict[str, object]:
    return {"link": "A" * 43}


def _other_octets() -> dict[str, object]:
    return {"octets": b"rot"}


def _other_record() -> dict[str, object]:
    return {"octets": b"rot", "link": link_of(b"rot")}


@pytest.mark.parametrize("change", [_link_of_nothing, _other_octets, _other_record])
def test_nothing_is_signed_over_a_newest_record_that_changed(
    shop: Shop, change: Callable[[], dict[str, object]]
) -> None:
    ask(shop.terminal.journal)
    ask(shop.terminal.journal)
    _change_newest(shop, **change())
    outcome = shop.uploader.run_once()
    assert (outcome.code, outcome.detail) == (Code.FAILED, "store-corrupt")
    assert shop.alarms() == [("store-damaged", "")]
    assert shop.rows(SentBatch) == []
    assert shop.upstream.requests == []


def _flipped(batch: bytes) -> dict[str, object]:
    return {"batch": bytes([batch[0] ^ 1]) + batch[1:]}


def _another_signature(batch: bytes) -> dict[str, object]:
    return {"batch": batch[:-8] + b"AAAAAAAA"}


def _another_nonce(_batch: bytes) -> dict[str, object]:
    return {"client_nonce": new_nonce()}


@pytest.mark.parametrize("change", [_flipped, _another_signature, _another_nonce])
def test_a_batch_in_flight_that_changed_is_made_anew(
    shop: Shop, change: Callable[[bytes], dict[str, object]], caplog: pytest.LogCaptureFixture
) -> None:
    ask(shop.terminal.journal)
    shop.upstream.script(Reply(status=503))
    assert shop.uploader.run_once().code is Code.BUSY
    batch = shop.progress.batch
    assert batch is not None
    with shop.terminal.store.write() as writer:
        writer.execute(UploadState.update(change(batch)))
    shop = shop.restart()
    shop.upstream.script(shop.accept)
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert "made anew" in caplog.text
    first, second = _batches(shop)
    assert first.client_nonce != second.client_nonce


def test_a_record_that_nobody_signed_is_sent_with_the_next_one(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(upload_batch_records=1)
    for _ in range(4):
        ask(shop.terminal.journal)
    begin = Head(epoch=1, seq=-1, link=link_of(shop.terminal.journal.identity.grant_octets))
    again = shop.answer("resend", status=409, head=begin)
    shop.upstream.script(again, again, shop.accept)
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert [(batch.from_, batch.to) for batch in _batches(shop)] == [(0, 0), (0, 1), (0, 3)]


def test_the_least_of_records_is_one_again_once_they_are_through(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(upload_batch_records=1)
    for _ in range(4):
        ask(shop.terminal.journal)
    begin = Head(epoch=1, seq=-1, link=link_of(shop.terminal.journal.identity.grant_octets))
    shop.upstream.script(shop.answer("resend", status=409, head=begin), *[shop.accept] * 3)
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert [(batch.from_, batch.to) for batch in _batches(shop)] == [(0, 0), (0, 1), (2, 2), (3, 3)]


def test_two_records_that_are_too_large_together_end_in_a_wait(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(upload_batch_records=1)
    for _ in range(2):
        ask(shop.terminal.journal)
    begin = Head(epoch=1, seq=-1, link=link_of(shop.terminal.journal.identity.grant_octets))
    again = shop.answer("resend", status=409, head=begin)
    shop.upstream.script(again, Reply(status=413), again, Reply(status=413), again)
    assert shop.uploader.run_once().code is Code.RESEND
    assert [(batch.from_, batch.to) for batch in _batches(shop)] == [(0, 0), (0, 1), (0, 0), (0, 1), (0, 0)]


# 413


def test_413_on_everything_over_8_kib_still_lets_all_through(shop: Shop) -> None:
    for number in range(120):
        rate(shop.terminal.journal, None, comment=f"{number} 号，等了很久")

    def small_only(request: Request) -> Reply:
        return shop.accept(request) if len(request.body) <= 8192 else Reply(status=413)

    shop.upstream.script_rest(small_only)
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert shop.uploader.status().waiting == 0
    sent = [shop.batch(request) for request in shop.upstream.requests]
    taken = [batch for batch, octets, _ in sent if any(row.octets == octets for row in shop.rows(SentBatch))]
    assert [batch.from_ for batch in taken] == [0, *(batch.to + 1 for batch in taken[:-1])]
    assert len(sent) - len(taken) < len(taken)


def test_a_batch_given_up_as_too_large_leaves_no_gap_in_the_exchange(shop: Shop) -> None:
    for _ in range(4):
        ask(shop.terminal.journal)
    shop.upstream.script(Reply(status=413), shop.accept, shop.accept)
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert [(batch.from_, batch.to) for batch in _batches(shop)] == [(0, 3), (0, 1), (2, 3)]
    assert all(row.ack is not None for row in shop.rows(SentBatch))
    assert shop.alarms() == []


def test_one_record_that_is_too_large_is_an_alarm_at_first(shop: Shop) -> None:
    for _ in range(2):
        ask(shop.terminal.journal)
    shop.upstream.script(Reply(status=413), Reply(status=413))
    assert shop.uploader.run_once().code is Code.TOO_LARGE
    assert shop.progress.state == "too-large"
    assert shop.alarms() == [("upload-too-large", "")]


def _lines(shop: Shop, number: int) -> list[bytes]:
    """The lines behind the batch of a request."""
    return decode_upload(gzip.decompress(shop.upstream.requests[number].body))[1]


def test_a_record_that_stays_too_large_goes_as_a_signed_stub_and_later_once_itself(shop: Shop) -> None:
    large, after = ask(shop.terminal.journal), ask(shop.terminal.journal)
    shop.upstream.script(*[Reply(status=413)] * 3, _take_stub(shop), shop.accept)
    assert shop.uploader.run_once().code is Code.TOO_LARGE
    assert shop.uploader.run_once().code is Code.ACCEPTED
    key = shop.terminal.journal.identity.grant.verifying_key()
    stub = open_stub(_lines(shop, 3)[0], key)
    assert (stub.seq, stub.link) == (0, link_of(large.octets))
    assert _lines(shop, 4) == [after.octets + b"~"]
    assert shop.progress.acked_seq == 1
    assert shop.alarms() == [("upload-stub", "1.0")]
    assert shop.uploader.run_once().code is Code.NOTHING
    shop.clock.advance(6 * 3600)
    begun = Head(epoch=1, seq=1, link=link_of(after.octets))
    shop.upstream.script(lambda request: signed(200, shop.ack(request, head=begun)))
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert _lines(shop, 5) == [large.octets + b"~"]
    assert shop.alarms() == []
    assert shop.uploader.run_once().code is Code.NOTHING


def test_a_record_that_is_too_large_once_more_is_not_offered_again(shop: Shop) -> None:
    ask(shop.terminal.journal)
    shop.upstream.script(*[Reply(status=413)] * 2, _take_stub(shop))
    codes = [shop.uploader.run_once().code for _ in range(2)]
    assert codes == [Code.TOO_LARGE, Code.ACCEPTED]
    shop.clock.advance(6 * 3600)
    shop.upstream.script(Reply(status=413))
    shop.uploader.run_once()
    shop.clock.advance(6 * 3600)
    assert shop.uploader.run_once().code is Code.NOTHING
    assert shop.alarms() == [("upload-stub", "1.0")]


def _take_stub(shop: Shop) -> Callable[[Request], Reply]:
    """Central as it takes up the link alone."""

    def take(request: Request) -> Reply:
        batch, _, (octets,) = shop.batch(request)
        stub = open_stub(octets, shop.terminal.journal.identity.grant.verifying_key())
        head = Head(epoch=batch.epoch, seq=stub.seq, link=stub.link)
        answers = (Answer(seq=stub.seq, answer="stub", rule=None),)
        return signed(200, shop.ack(request, head=head, answers=answers))

    return take
