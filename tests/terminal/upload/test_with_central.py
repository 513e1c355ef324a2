"""The uploader and our own central, with nothing but a misbehaving network between them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3

from merchant_agent.central.store.models import ChainHead, Conflict, Rating
from merchant_agent.evidence.archive import ExportZip
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.verify import verify_export
from merchant_agent.settings import TerminalSettings
from merchant_agent.terminal.alarms import open_alarms
from merchant_agent.terminal.enrolment import Enrolled, enrol
from merchant_agent.terminal.export import export_terminal
from merchant_agent.terminal.services import Terminal, close_terminal, open_terminal
from merchant_agent.terminal.store.ledger import read_ledger
from merchant_agent.terminal.store.mark import default_mark
from merchant_agent.terminal.store.models import LedgerDisclosure, LedgerRecord
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.outcome import Code
from merchant_agent.terminal.upload.uploader import Uploader
from tests.clocks import ManualClock
from tests.enrolled import ask, complain, rate
from tests.live_central import LiveCentral
from tests.terminal.upload.conftest import wait_for
from tests.upstream import Cut, Reply, Request, Upstream


class Till:
    """An enrolled terminal with its uploader, that can be closed and opened again."""

    def __init__(self, path: Path, clock: ManualClock, central: LiveCentral) -> None:
        self.path = path
        self._clock = clock
        self.client = Client(read_timeout_s=10, deadline_s=20)
        self.open(central.url)
        assert isinstance(enrol(self.terminal, central.url, central.code()), Enrolled)

    def open(self, url: str = "", *, upload_batch_records: int = 40) -> None:
        settings = TerminalSettings(
            data=self.path,
            central_url=url,
            ballast_bytes=0,
            upload_batch_records=upload_batch_records,
        )
        self.terminal: Terminal = open_terminal(settings, self._clock)
        chance = random.Random(7)  # noqa: S311 -- the same every time
        self.uploader = Uploader(self.terminal, self.client, rng=chance)

    def close(self) -> None:
        close_terminal(self.terminal)

    def octets(self) -> list[bytes]:
        with self.terminal.store.read() as reader:
            return [entry.octets for entry in read_ledger(reader)]

    def serve(self, customers: int) -> None:
        """Sales, some with a rating, a comment or a complaint."""
        for number in range(customers):
            prompt = ask(self.terminal.journal)
            rate(self.terminal.journal, prompt, level=number % 5 + 1, comment="还行" * (number % 4))
            if number % 10 == 0:
                complain(self.terminal.journal, prompt, comment="等了四十分钟", order=f"A{number}")


@pytest.fixture
def till(tmp_path: Path, clock: ManualClock, live_central: LiveCentral) -> Iterator[Till]:
    opened = Till(tmp_path / "terminal", clock, live_central)
    yield opened
    opened.close()
    opened.client.close()
    opened.client.release()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def _forward(url: str) -> Callable[[Request], Reply]:
    """A step that hands the request on to central and its answer back."""

    def forward(request: Request) -> Reply:
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        with urllib3.PoolManager() as pool:
            answer = pool.request("POST", url + request.path, body=request.body, headers=headers)
        return Reply(status=answer.status, body=answer.data)

    return forward


def _lose_answer(url: str) -> Callable[[Request], Cut]:
    """The connection is cut after central's commit."""

    def lose(request: Request) -> Cut:
        _forward(url)(request)
        return Cut()

    return lose


def _verdict(till: Till, central: LiveCentral, out: Path) -> tuple[object, ...]:
    export_terminal(till.path, out)
    with ExportZip(out) as source:
        verdict = verify_export(source, central.central.identity.trust())
    return verdict.violations


def test_everything_arrives_and_the_exchange_verifies(
    till: Till, live_central: LiveCentral, tmp_path: Path
) -> None:
    till.serve(60)
    assert till.uploader.run_once().code is Code.ACCEPTED
    assert live_central.records() == till.octets()
    status = till.uploader.status()
    assert (status.state, status.waiting, status.rejected) == ("ready", 0, 0)
    assert list(_verdict(till, live_central, tmp_path / "export.zip")) == []


def test_an_outage_of_central_loses_and_doubles_nothing(till: Till, live_central: LiveCentral) -> None:
    till.serve(3)
    assert till.uploader.run_once().code is Code.ACCEPTED
    live_central.stop()
    till.serve(5)
    assert till.uploader.run_once().code is Code.UNREACHABLE
    till.serve(5)
    assert till.uploader.run_once().code is Code.UNREACHABLE
    live_central.start()
    assert till.uploader.run_once().code is Code.ACCEPTED
    assert live_central.records() == till.octets()


def test_answers_lost_after_the_commit_of_central_double_nothing(
    till: Till, live_central: LiveCentral, upstream: Upstream, tmp_path: Path
) -> None:
    till.close()
    till.open(upstream.url)
    for _ in range(4):
        till.serve(15)
        upstream.script(_lose_answer(live_central.url))
        assert till.uploader.run_once().code is Code.UNREACHABLE
        till.close()
        till.open(upstream.url)
        upstream.script(_forward(live_central.url))
        assert till.uploader.run_once().code is Code.ACCEPTED
    assert live_central.records() == till.octets()
    assert list(_verdict(till, live_central, tmp_path / "export.zip")) == []


def test_chance_faults_of_the_network_lose_and_double_nothing(
    till: Till, live_central: LiveCentral, upstream: Upstream, tmp_path: Path
) -> None:
    chance = random.Random(11)  # noqa: S311 -- the same faults every time
    forward = _forward(live_central.url)
    steps: list[Callable[[Request], Reply | Cut]] = [forward, forward, _lose_answer(live_central.url)]
    steps += [_portal, _too_large, _busy, _nothing]

    def fault(request: Request) -> Reply | Cut:
        return chance.choice(steps)(request)

    till.close()
    till.open(upstream.url)
    upstream.script_rest(fault)
    for _ in range(30):
        till.serve(2)
        till.uploader.run_once()
    upstream.script_rest(forward)
    while till.uploader.status().waiting:
        assert till.uploader.run_once().code is Code.ACCEPTED
    assert live_central.records() == till.octets()
    assert list(_verdict(till, live_central, tmp_path / "export.zip")) == []


def _portal(_request: Request) -> Reply:
    return Reply(status=200, body=b"<html>Please sign in</html>")


def _too_large(_request: Request) -> Reply:
    return Reply(status=413)


def _busy(_request: Request) -> Reply:
    return Reply(status=503)


def _nothing(_request: Request) -> Cut:
    return Cut()


def test_records_signed_while_others_upload_arrive_too(till: Till, live_central: LiveCentral) -> None:
    till.serve(30)
    with ThreadPoolExecutor(2) as pool:
        serving = pool.submit(till.serve, 30)
        uploading = pool.submit(till.uploader.run_once)
        serving.result()
        assert uploading.result().code is Code.ACCEPTED
    till.uploader.run_once()
    assert live_central.records() == till.octets()


def test_a_disk_that_was_rolled_back_with_its_mark_is_found_out_once_it_goes_on(
    till: Till, tmp_path: Path
) -> None:
    till.serve(2)
    till.uploader.run_once()
    till.close()
    shutil.copytree(till.path, tmp_path / "copy")
    till.open()
    till.serve(5)
    till.uploader.run_once()
    till.close()
    shutil.rmtree(till.path)
    shutil.move(tmp_path / "copy", till.path)
    default_mark(till.path).unlink()
    till.open()
    ask(till.terminal.journal)
    till.uploader.run_once()
    assert till.terminal.journal.hold == "frozen"
    with till.terminal.store.read() as reader:
        assert [alarm.code for alarm in open_alarms(reader)] == ["hold-frozen"]


def test_a_cloned_disk_freezes_the_chain_and_both_shops_learn_of_it(
    till: Till, live_central: LiveCentral, tmp_path: Path
) -> None:
    till.serve(1)
    till.uploader.run_once()
    till.close()
    shutil.copytree(till.path, tmp_path / "clone")
    till.open()
    till.serve(1)
    assert till.uploader.run_once().code is Code.ACCEPTED
    till.close()
    first, till.path = till.path, tmp_path / "clone"
    till.open()
    till.serve(4)
    assert till.uploader.run_once().code is Code.FROZEN
    till.close()
    till.path = first
    till.open()
    till.serve(1)
    assert till.uploader.run_once().code is Code.FROZEN
    with live_central.central.store.read() as reader:
        assert reader.first(Conflict.select()) is not None
        head = reader.first(ChainHead.select())
    assert head is not None
    assert head.state == "frozen"


def _spoil_record(till: Till) -> None:
    with till.terminal.store.write() as writer:
        writer.execute(LedgerRecord.update({LedgerRecord.octets: b"rot"}).where(LedgerRecord.seq == 1))


def _spoil_words(till: Till) -> None:
    with till.terminal.store.write() as writer:
        writer.execute(LedgerDisclosure.update({LedgerDisclosure.text: "Zm9v"}))


@pytest.mark.parametrize("spoil", [_spoil_record, _spoil_words])
def test_what_was_read_wrong_once_is_taken_up_all_the_same(
    till: Till,
    live_central: LiveCentral,
    upstream: Upstream,
    tmp_path: Path,
    spoil: Callable[[Till], None],
) -> None:
    prompt = ask(till.terminal.journal)
    rating = rate(till.terminal.journal, prompt, level=1, comment="冷了")
    ask(till.terminal.journal)
    with till.terminal.store.read() as reader:
        words = reader.scalar(LedgerDisclosure.select(LedgerDisclosure.text))

    def read_well_again(request: Request) -> Reply:
        with till.terminal.store.write() as writer:
            right = LedgerRecord.update({LedgerRecord.octets: rating.octets})
            writer.execute(right.where(LedgerRecord.seq == 1))
            writer.execute(LedgerDisclosure.update({LedgerDisclosure.text: words}))
        return _forward(live_central.url)(request)

    till.close()
    till.open(upstream.url)
    spoil(till)
    upstream.script(read_well_again, _forward(live_central.url))
    assert till.uploader.run_once().code is Code.ACCEPTED
    assert live_central.records() == till.octets()
    assert till.uploader.status().rejected == 0
    with live_central.central.store.read() as reader:
        (row,) = reader.all(Rating.select())
    assert (row.level, row.comment) == (1, "冷了")
    assert list(_verdict(till, live_central, tmp_path / "export.zip")) == []


def test_a_record_that_rotted_goes_by_with_the_next_one_where_records_go_alone(
    till: Till, live_central: LiveCentral
) -> None:
    for _ in range(3):
        ask(till.terminal.journal)
    rating = rate(till.terminal.journal, None)
    till.close()
    till.open(upload_batch_records=1)
    with till.terminal.store.write() as writer:
        writer.execute(LedgerRecord.update({LedgerRecord.octets: b"rot"}).where(LedgerRecord.seq == 1))
    while till.uploader.status().waiting:
        assert till.uploader.run_once().code is Code.ACCEPTED
    assert live_central.records()[-1] == rating.octets
    assert (len(live_central.records()), till.uploader.status().rejected) == (3, 1)


def test_another_central_than_the_enrolled_one_takes_nothing(
    till: Till, clock: ManualClock, tmp_path: Path
) -> None:
    till.serve(1)
    other = LiveCentral(tmp_path / "other", clock)
    other.start()
    try:
        till.close()
        till.open(other.url)
        assert till.uploader.run_once().code is Code.WRONG_SERVER
        assert other.records() == []
    finally:
        other.close()


def test_the_thread_brings_a_rating_to_central_by_itself(till: Till, live_central: LiveCentral) -> None:
    till.uploader.start()
    rating = rate(till.terminal.journal, None, level=1, comment="冷了")
    wait_for(lambda: till.uploader.status().waiting == 0)
    till.uploader.stop()
    assert [link_of(octets) for octets in live_central.records()] == [link_of(rating.octets)]
