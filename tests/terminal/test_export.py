from __future__ import annotations

import json
import os
import stat
import threading
import zipfile
from pathlib import Path

import pytest

from merchant_agent.clock import format_at
from merchant_agent.errors import StartError, StoreError
from merchant_agent.evidence.archive import ExportZip
from merchant_agent.evidence.exchange import Batch, Newest, digest_lines, open_ack, sign_batch
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.grant import new_nonce
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.trust import Trust
from merchant_agent.evidence.verdict import Verdict
from merchant_agent.evidence.verify import verify_export
from merchant_agent.store.migrations import History
from merchant_agent.terminal.export import Exported, export_terminal
from merchant_agent.terminal.store.models import LedgerDisclosure, LedgerRecord, SentBatch
from tests.clocks import ManualClock
from tests.enrolled import EnrolledJournal, OfflineCentral, ask, complain, rate

_FILES = {
    *("records.jws", "grants.jws", "batches.jws", "acks.jws"),
    *("disclosures.jsonl", "slips.jsonl", "keys.jwks", "README.txt", "verify.py"),
}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "evidence.zip"


def _verdict(path: Path, trust: Trust | None) -> Verdict:
    with ExportZip(path) as source:
        return verify_export(source, trust)


def _upload(terminal: EnrolledJournal, first: int, *, nonce: str, answered: bool = True) -> str:
    """A batch from `first` to the newest record as it was sent; the nonce of central's answer."""
    head, identity, reading = terminal.journal.head, terminal.journal.identity, terminal.clock.read()
    assert head is not None
    batch = Batch(
        issuer=identity.issuer,
        epoch=identity.epoch,
        from_=first,
        to=head.seq,
        newest=Newest(seq=head.seq, link=head.link),
        lines=digest_lines([]),
        nonce=nonce,
        client_nonce=new_nonce(),
        at=format_at(reading.at),
        boot=reading.boot,
        uptime_ms=reading.uptime_ms,
        checkpoint=None,
        software="merchant-agent test",
    )
    octets = sign_batch(terminal.journal.key, batch)
    ack = terminal.central.acknowledge(octets, head=head)
    with terminal.store.write() as writer:
        writer.execute(
            SentBatch.insert(client_nonce=batch.client_nonce, octets=octets, ack=ack if answered else None)
        )
    return _nonce_of(terminal, ack)


def _nonce_of(terminal: EnrolledJournal, ack: bytes) -> str:
    return open_ack(ack, terminal.journal.identity.grant.central_keys()).nonce


def test_an_export_verifies_against_the_trust_file(enrolled: EnrolledJournal, out: Path) -> None:
    rate(enrolled.journal, ask(enrolled.journal), level=1, comment="慢")
    nonce = _upload(enrolled, 0, nonce=enrolled.journal.identity.grant.nonce)
    complain(enrolled.journal, None, comment="冷", order="A1", amount="64.00 CNY")
    _upload(enrolled, 2, nonce=nonce)
    exported = export_terminal(enrolled.folder.path, out)
    issuer = enrolled.journal.identity.issuer
    counts = {"records": 3, "disclosures": 4, "slips": 2, "batches": 2, "acks": 2}
    assert exported == Exported(issuer=issuer, **counts, proofs=0, unproven=0)
    verdict = _verdict(out, enrolled.central.trust)
    assert (verdict.trusted, verdict.violations, verdict.findings) == (True, (), ())
    assert (verdict.records, verdict.slips) == (3, 2)
    assert not _verdict(out, None).trusted
    assert _verdict(out, OfflineCentral().trust).violations


def test_every_file_of_the_specification_is_there(enrolled: EnrolledJournal, out: Path) -> None:
    ask(enrolled.journal)
    export_terminal(enrolled.folder.path, out)
    with zipfile.ZipFile(out) as archive:
        assert set(archive.namelist()) == _FILES
        words = archive.read("README.txt").decode()
        kids = {key["kid"] for key in json.loads(archive.read("keys.jwks"))["keys"]}
    for name in _FILES - {"README.txt"}:
        assert name in words
    grant = enrolled.journal.identity.grant
    assert kids >= {grant.kid, grant.central[0].kid, enrolled.central.trust.root[0].kid}


def test_slips_are_exported_as_customers_have_them_and_nothing_else_of_their_rows(
    enrolled: EnrolledJournal, out: Path
) -> None:
    prompt = ask(enrolled.journal)
    said = [rate(enrolled.journal, prompt, level=1), complain(enrolled.journal, prompt, comment="冷")]
    export_terminal(enrolled.folder.path, out)
    with ExportZip(out) as source:
        lines = list(source.lines("slips.jsonl"))
    assert [json.loads(line) for line in lines] == [
        {"epoch": each.place.epoch, "seq": each.place.seq, "slip": encode_b64u(each.slip or b"")}
        for each in said
    ]


def test_batches_and_answers_come_oldest_first_and_the_waiting_one_last(
    enrolled: EnrolledJournal, out: Path
) -> None:
    nonce = enrolled.journal.identity.grant.nonce
    for seq in range(12):
        ask(enrolled.journal)
        nonce = _upload(enrolled, seq, nonce=nonce, answered=seq < 11)
    exported = export_terminal(enrolled.folder.path, out)
    assert (exported.batches, exported.acks) == (12, 11)
    verdict = _verdict(out, enrolled.central.trust)
    assert verdict.violations == ()
    assert [finding.code for finding in verdict.findings] == ["unanswered"]


def test_all_epochs_are_exported(enrolled: EnrolledJournal, out: Path) -> None:
    last = rate(enrolled.journal, ask(enrolled.journal))
    head, identity = enrolled.journal.head, enrolled.journal.identity
    assert head is not None
    key = enrolled.journal.enrolment_key()
    closes = Head(epoch=1, seq=head.seq, link=head.link)
    octets = enrolled.central.grant(
        key.public, issuer=identity.issuer, epoch=2, totals=last.record.totals, closes=closes
    )
    enrolled.journal.enrol(key, octets, enrolled.central.merchant, enrolled.central.trust)
    rate(enrolled.journal, ask(enrolled.journal), comment="二")
    assert export_terminal(enrolled.folder.path, out).records == 4
    verdict = _verdict(out, enrolled.central.trust)
    assert (verdict.trusted, verdict.violations, verdict.records) == (True, (), 4)


def test_erased_words_are_not_exported(enrolled: EnrolledJournal, out: Path) -> None:
    rate(enrolled.journal, None, comment="请删除这句话")
    rate(enrolled.journal, None, comment="留下")
    with enrolled.store.write() as writer:
        writer.execute(LedgerDisclosure.delete().where(LedgerDisclosure.seq == 0))
    assert export_terminal(enrolled.folder.path, out).disclosures == 1
    assert _verdict(out, enrolled.central.trust).violations == ()


def test_a_tampered_ledger_is_exported_as_it_is(enrolled: EnrolledJournal, out: Path) -> None:
    for _ in range(3):
        ask(enrolled.journal)
    with enrolled.store.write() as writer:
        writer.execute(LedgerRecord.delete().where(LedgerRecord.seq == 1))
    export_terminal(enrolled.folder.path, out)
    assert "V4" in _verdict(out, enrolled.central.trust).counts


def test_an_export_while_the_terminal_appends_is_one_moment(enrolled: EnrolledJournal, out: Path) -> None:
    stop, written = threading.Event(), threading.Event()

    def append() -> None:
        while not stop.is_set():
            rate(enrolled.journal, ask(enrolled.journal), comment="忙")
            written.set()

    thread = threading.Thread(target=append)
    with enrolled.folder:
        thread.start()
        written.wait()
        exported = export_terminal(enrolled.folder.path, out)
        stop.set()
        thread.join()
    assert exported.records >= 2
    verdict = _verdict(out, enrolled.central.trust)
    assert (verdict.violations, verdict.records) == ((), exported.records)


def test_a_stopped_terminal_can_be_exported(enrolled: EnrolledJournal, out: Path) -> None:
    rate(enrolled.journal, ask(enrolled.journal))
    enrolled.close()
    assert export_terminal(enrolled.folder.path, out).records == 2
    enrolled.open()
    ask(enrolled.journal)


def test_a_file_that_is_there_is_not_written_over(enrolled: EnrolledJournal, out: Path) -> None:
    out.write_bytes(b"somebody's")
    with pytest.raises(StartError):
        export_terminal(enrolled.folder.path, out)
    assert out.read_bytes() == b"somebody's"


def test_the_file_is_its_owners_alone_and_nothing_lies_beside_it(
    enrolled: EnrolledJournal, out: Path
) -> None:
    export_terminal(enrolled.folder.path, out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert list(out.parent.iterdir()) == [out]


def test_an_export_that_fails_leaves_nothing(enrolled: EnrolledJournal, out: Path) -> None:
    rate(enrolled.journal, None, comment="一")
    path = enrolled.folder.path / "terminal.db"
    enrolled.close()
    octets = path.read_bytes()
    place = octets.index(b"eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoi")
    page = place // 4096 * 4096
    path.write_bytes(octets[:page] + os.urandom(4096) + octets[page + 4096 :])
    with pytest.raises((StoreError, StartError)):
        export_terminal(enrolled.folder.path, out)
    assert list(out.parent.iterdir()) == []
    path.write_bytes(octets)
    enrolled.open()


def test_a_folder_that_is_not_there_cannot_take_the_file(enrolled: EnrolledJournal, out: Path) -> None:
    with pytest.raises(StoreError):
        export_terminal(enrolled.folder.path, out.parent / "missing" / "evidence.zip")


def test_a_folder_without_a_terminal_is_refused_and_stays_as_it_is(tmp_path: Path, out: Path) -> None:
    data = tmp_path / "empty"
    data.mkdir()
    with pytest.raises(StartError):
        export_terminal(data, out)
    assert list(data.iterdir()) == []
    assert not out.exists()


def test_a_terminal_that_is_not_enrolled_has_nothing_to_export(
    tmp_path: Path, clock: ManualClock, out: Path
) -> None:
    with EnrolledJournal(tmp_path / "fresh", clock, OfflineCentral()) as terminal, pytest.raises(StartError):
        export_terminal(terminal.folder.path, out)
    assert list(out.parent.iterdir()) == []


def test_data_of_a_newer_version_are_refused(enrolled: EnrolledJournal, out: Path) -> None:
    with enrolled.store.write() as writer:
        writer.execute(History.insert(name="9999_from_the_future"))
    with pytest.raises(StartError):
        export_terminal(enrolled.folder.path, out)
