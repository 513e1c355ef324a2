"""The thread and its waits: woken by commits, patient in an outage, quick to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from merchant_agent.terminal.store.models import LedgerRecord, SentBatch, UploadState
from merchant_agent.terminal.upload.outcome import Code
from tests.enrolled import ask, complain, rate
from tests.terminal.upload.conftest import Shop, wait_for
from tests.upstream import Reply, Silence

DAY_S = 86_400


def _pass_retry(shop: Shop) -> None:
    """Lets the time pass for which the uploader waits."""
    shop.clock.advance((shop.uploader.status().retry_in_s or 0) + 0.001)


def test_a_commit_wakes_the_uploader(shop: Shop) -> None:
    shop.upstream.script(shop.accept, shop.accept)
    shop.uploader.start()
    try:
        prompt = ask(shop.terminal.journal)
        wait_for(lambda: shop.progress.acked_seq == 0)
        rate(shop.terminal.journal, prompt)
        wait_for(lambda: shop.progress.acked_seq == 1)
    finally:
        shop.uploader.stop()


@pytest.mark.parametrize("answer", [rate, complain], ids=["rating", "complaint"])
def test_what_a_customer_said_does_not_wait_for_company(
    open_shop: Callable[..., Shop], answer: Callable[..., object]
) -> None:
    shop = open_shop(upload_gather_ms=10_000)
    shop.terminal.journal.on_commit(shop.uploader._hear)
    prompt = ask(shop.terminal.journal)
    assert not shop.uploader.turn()
    answer(shop.terminal.journal, prompt)
    shop.upstream.script(shop.accept)
    assert shop.uploader.turn()
    assert shop.progress.acked_seq == 1


def test_questions_are_gathered_for_a_moment(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(upload_gather_ms=1500)
    shop.terminal.journal.on_commit(shop.uploader._hear)
    ask(shop.terminal.journal)
    shop.clock.advance(1.4)
    ask(shop.terminal.journal)
    assert not shop.uploader.turn()
    shop.clock.advance(0.1)
    shop.upstream.script(shop.accept)
    assert shop.uploader.turn()
    assert shop.progress.acked_seq == 1


def test_a_new_answer_does_not_break_into_a_back_off(shop: Shop) -> None:
    shop.terminal.journal.on_commit(shop.uploader._hear)
    rate(shop.terminal.journal, None)
    shop.upstream.script(Reply(status=503, headers={"Retry-After": "120"}))
    assert shop.uploader.turn()
    rate(shop.terminal.journal, None)
    shop.uploader.poke()
    assert not shop.uploader.turn()
    shop.clock.advance(119)
    assert not shop.uploader.turn()
    retry_in_s = shop.uploader.status().retry_in_s
    assert retry_in_s is not None
    assert 1 < retry_in_s <= 3
    shop.clock.advance(retry_in_s + 0.001)
    shop.upstream.script(shop.accept, shop.accept)
    assert shop.uploader.turn()
    assert shop.uploader.status().retry_in_s is None


def test_a_hostile_retry_after_holds_for_six_hours_at_most(shop: Shop) -> None:
    rate(shop.terminal.journal, None)
    shop.uploader.poke()
    shop.upstream.script(Reply(status=429, headers={"Retry-After": "999999999999"}))
    shop.uploader.turn()
    retry_in_s = shop.uploader.status().retry_in_s
    assert retry_in_s is not None
    assert retry_in_s <= 6 * 3600 + 2


def test_three_days_of_500_lose_nothing_and_end_by_themselves(shop: Shop) -> None:
    shop.terminal.journal.on_commit(shop.uploader._hear)
    began = shop.clock.now()
    shop.upstream.script_rest(Reply(status=500))
    rated = 0
    while shop.clock.now() - began < timedelta(days=3):
        if rated < 40:
            rate(shop.terminal.journal, None, comment=f"第 {rated} 位")
            rated += 1
        shop.uploader.turn()
        _pass_retry(shop)
    attempts = len(shop.upstream.requests)
    assert 3 * DAY_S / 900 < attempts < 3 * DAY_S / 300
    assert shop.uploader.status().state == "busy"
    assert shop.uploader.status().oldest_at == began
    shop.upstream.script_rest(shop.accept)
    assert shop.uploader.turn()
    assert shop.uploader.status().waiting == 0
    sent = [octets for request in shop.upstream.requests[attempts:] for octets in shop.batch(request)[2]]
    assert len(sent) == len(set(sent)) == rated == 40
    assert len(shop.rows(SentBatch)) == 2


def test_the_wall_clock_is_no_part_of_any_wait(shop: Shop) -> None:
    rate(shop.terminal.journal, None)
    shop.uploader.poke()
    shop.upstream.script(Reply(status=503, headers={"Retry-After": "60"}))
    shop.uploader.turn()
    for years in (-56, 129, -73):
        shop.clock.step_wall(years * 365 * DAY_S)
        assert not shop.uploader.turn()
    _pass_retry(shop)
    shop.upstream.script(shop.accept)
    assert shop.uploader.turn()
    assert shop.progress.acked_seq == 0


def test_stopping_cuts_a_request_off_and_keeps_what_it_carried(shop: Shop) -> None:
    shop.upstream.script(Silence())
    shop.uploader.start()
    rate(shop.terminal.journal, None)
    assert shop.upstream.heard.wait(5)
    began = time.monotonic()
    shop.uploader.stop()
    assert time.monotonic() - began < 3
    assert shop.uploader._thread is not None
    assert not shop.uploader._thread.is_alive()
    assert shop.progress.batch is not None
    assert shop.progress.last_outcome == ""


def test_stopping_before_anything_happened_is_quick(shop: Shop) -> None:
    shop.uploader.start()
    began = time.monotonic()
    shop.uploader.stop()
    assert time.monotonic() - began < 1


def test_a_defect_does_not_end_the_uploads(shop: Shop) -> None:
    rate(shop.terminal.journal, None)
    shop.uploader.poke()
    nonce = shop.progress.nonce
    _set_nonce(shop, "spoilt")
    assert shop.uploader.turn()
    assert shop.uploader.status().retry_in_s is not None
    _set_nonce(shop, nonce)
    _pass_retry(shop)
    shop.upstream.script(shop.accept)
    assert shop.uploader.turn()
    assert shop.progress.acked_seq == 0


def _set_nonce(shop: Shop, nonce: str) -> None:
    """One that is none is what only a defect would leave."""
    with shop.terminal.store.write() as writer:
        writer.execute(UploadState.update({UploadState.nonce: nonce}))


def test_an_answer_that_cannot_be_stored_is_asked_for_again(shop: Shop) -> None:
    rate(shop.terminal.journal, None)
    _run(shop, "CREATE TRIGGER no_room BEFORE UPDATE OF ack ON batch BEGIN SELECT RAISE(ABORT, 'full'); END")
    shop.upstream.script(shop.accept, shop.accept)
    assert shop.uploader.run_once().code is Code.FAILED
    assert shop.progress.acked_seq == -1
    _run(shop, "DROP TRIGGER no_room")
    assert shop.uploader.run_once().code is Code.ACCEPTED
    first, second = (shop.batch(request)[1] for request in shop.upstream.requests)
    assert first == second


def _run(shop: Shop, statement: str) -> None:
    with shop.terminal.store.database.alone() as handle:
        handle.execute_sql(statement)


def test_the_status_of_a_terminal_that_is_not_enrolled(shop: Shop) -> None:
    with shop.terminal.store.write() as writer:
        writer.execute(UploadState.delete())
    assert shop.uploader.status().state == "not-enrolled"
    assert shop.uploader.run_once().code is Code.NOTHING


def test_no_address_of_central_is_an_outcome(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(central_url="")
    rate(shop.terminal.journal, None)
    assert shop.uploader.run_once().code is Code.UNREACHABLE


def test_failures_of_its_own_are_told_of_when_they_repeat(shop: Shop) -> None:
    ask(shop.terminal.journal)
    head = shop.terminal.journal.head
    assert head is not None
    _set_link(shop, "A" * 43)
    shop.uploader.poke()
    shop.uploader.turn()
    assert ("upload-failed", "") not in shop.alarms()
    for _ in range(2):
        _pass_retry(shop)
        shop.uploader.turn()
    assert [code for code, _ in shop.alarms()].count("upload-failed") == 1
    _set_link(shop, head.link)
    shop.upstream.script(shop.accept)
    _pass_retry(shop)
    shop.uploader.turn()
    assert "upload-failed" not in [code for code, _ in shop.alarms()]


def _set_link(shop: Shop, link: str) -> None:
    with shop.terminal.store.write() as writer:
        writer.execute(LedgerRecord.update({LedgerRecord.link: link}))
