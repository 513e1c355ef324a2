"""Uploads at once, and workers that die: each record exactly once, nothing acknowledged lost."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from merchant_agent.central.intake.acceptance import accept_upload
from merchant_agent.central.intake.standing import Answered
from merchant_agent.central.rebuild import rebuild
from merchant_agent.central.services import Central, close_central
from merchant_agent.central.store.models import Batch, Disclosure, Prompt, Rating, Record
from merchant_agent.errors import StoreConflictError
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.query_code import query_code
from merchant_agent.store.fields import to_ms
from tests.central.conftest import Site
from tests.central.rows import count, head_of, rows, stored
from tests.central.sender import Sender, enrol_sender

ROOT = Path(__file__).parents[3]


def upload_at_once(centrals: list[Central], issuer: str, bodies: list[bytes]) -> list[Answered]:
    """The answers to bodies that threads send at one moment, each to the next of the centrals."""
    barrier = Barrier(len(bodies))

    def send(number: int) -> Answered:
        barrier.wait()
        return accept_upload(centrals[number % len(centrals)], issuer, bodies[number])

    with ThreadPoolExecutor(len(bodies)) as threads:
        return list(threads.map(send, range(len(bodies))))


def test_one_batch_from_several_threads_is_taken_up_once(central: Central, sender: Sender) -> None:
    for turn in range(5):
        sender.sell(2)
        answers = upload_at_once([central], sender.issuer, [sender.body(4 * turn)] * 4)
        assert len({answer.ack for answer in answers}) == 1
        ack = sender.open(answers[0])
        assert (ack.outcome, ack.head) == ("accepted", sender.chain.head)
        sender.nonce = ack.nonce
    assert (count(central, Record), count(central, Batch)) == (20, 5)


def test_one_refusal_from_several_threads_is_one_refusal(central: Central, sender: Sender) -> None:
    sender.sell(2)
    answers = upload_at_once([central], sender.issuer, [sender.body(2)] * 4)
    assert len({answer.ack for answer in answers}) == 1
    assert sender.open(answers[0]).outcome == "resend"
    assert count(central, Batch) == 1


def test_two_batches_over_the_same_records_are_taken_up_once(central: Central, sender: Sender) -> None:
    for turn in range(5):
        sender.sell(2)
        bodies = [sender.body(4 * turn) for _ in range(3)]
        acks = [sender.open(answer) for answer in upload_at_once([central], sender.issuer, bodies)]
        assert sorted(ack.outcome for ack in acks) == ["accepted", "resend", "resend"]
        assert {ack.nonce for ack in acks} == {head_of(central, sender.issuer).nonce}
        sender.nonce = acks[0].nonce
    assert count(central, Record) == 20


def test_two_processes_of_one_database_take_a_batch_up_once(
    site: Site, central: Central, sender: Sender
) -> None:
    if not site.is_postgres:
        return  # one process has the data folder
    second = site.open()
    for turn in range(5):
        sender.sell(2)
        answers = upload_at_once([central, second], sender.issuer, [sender.body(4 * turn)] * 4)
        assert len({answer.ack for answer in answers}) == 1
        sender.nonce = sender.open(answers[0]).nonce
    close_central(second)
    assert (count(central, Record), count(central, Batch)) == (20, 5)


def test_many_terminals_at_once_are_all_taken_up(central: Central, merchant: str) -> None:
    senders = [enrol_sender(central, merchant) for _ in range(8)]

    def send(sender: Sender) -> None:
        for _ in range(4):
            first = len(sender.sent)
            sender.sell(2)
            assert sender.upload_all(central, first).outcome == "accepted"

    with ThreadPoolExecutor(len(senders)) as threads:
        list(threads.map(send, senders))
    for sender in senders:
        assert stored(central, sender.issuer) == {record.seq: record.octets for record in sender.sent}
    assert rebuild(central.store).count == 0


def test_a_record_that_stands_there_already_undoes_the_whole_upload(central: Central, sender: Sender) -> None:
    sender.sell(2)
    record = sender.sent[2]
    row = {
        "merchant": sender.grant.merchant,
        "issuer": sender.issuer,
        "epoch": 1,
        "seq": 2,
        "received_at": to_ms(central.clock.now()),
        "query_code": query_code(leaf_hash(record.octets)),
        "octets": record.octets,
    }
    with central.store.write() as tx:
        tx.copy_rows(Record, tuple(row), [tuple(row.values())])
    with pytest.raises(StoreConflictError):
        accept_upload(central, sender.issuer, sender.body(0))
    assert (count(central, Record), count(central, Batch), count(central, Prompt)) == (1, 0, 0)
    head = head_of(central, sender.issuer)
    assert head.seq == -1
    assert not head.seen_at


@pytest.mark.parametrize("heads", [1, 7, 20])
def test_a_killed_worker_loses_nothing_that_it_acknowledged(site: Site, heads: int) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.central.intake.worker",
        str(site.settings.data),
        site.settings.database,
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        told = [worker.stdout.readline().split() for _ in range(heads)]
        worker.kill()
        told += [line.split() for line in worker.stdout.read().splitlines() if line.count(" ") == 1]
    issuer, last = told[-1][0], int(told[-1][1])
    central = site.open()
    head = head_of(central, issuer)
    assert head.seq >= last
    assert sorted(stored(central, issuer)) == list(range(head.seq + 1))
    assert (
        count(central, Prompt) == count(central, Rating) == count(central, Disclosure) == (head.seq + 1) // 2
    )
    assert max(row.to_seq for row in rows(central, Batch)) == head.seq
    assert rebuild(central.store).count == 0
    close_central(central)
