from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import peewee
import pytest

from merchant_agent.errors import (
    FormatError,
    StartError,
    StoreConflictError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    VerificationError,
)
from merchant_agent.evidence.bodies import Kind, LapseBody, SuggestionBody
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.disclosure import open_disclosure
from merchant_agent.evidence.grant import new_issuer_id
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.query_code import query_code
from merchant_agent.store.database import SqliteFile
from merchant_agent.terminal.store.appending import Appended, JournalWriter
from merchant_agent.terminal.store.journal import Journal
from merchant_agent.terminal.store.ledger import find_entry, read_ledger
from merchant_agent.terminal.store.models import (
    LedgerDisclosure,
    LedgerRecord,
    Prompt,
    Rating,
    Suggestion,
    UploadState,
)
from tests.clocks import ManualClock
from tests.enrolled import CATALOGUE, EnrolledJournal, OfflineCentral, ask, complain, rate

_SUGGESTION = SuggestionBody(channel="tablet", lang="zh", catalogue=CATALOGUE, claim=None)


class StopError(Exception):
    """What a block meets in the middle."""


def _verified(terminal: EnrolledJournal) -> int:
    """How many records the ledger has, every one accepted by a verifier that begins at the grant."""
    identity = terminal.journal.identity
    chain = Chain.begin(identity.grant_octets, identity.grant)
    with terminal.store.read() as reader:
        for entry in read_ledger(reader):
            chain.accept(entry.octets, entry.disclosures)
    assert chain.head == terminal.journal.head
    return chain.seq + 1


def _count(terminal: EnrolledJournal, model: type[peewee.Model]) -> int:
    with terminal.store.read() as reader:
        return len(reader.all(model.select().tuples()))


def _suggest(writer: JournalWriter, *, id: str | None = None) -> Appended:  # noqa: A002
    return writer.append(Kind.SUGGESTION, _SUGGESTION, id=id, disclosures={"comment": "多放辣"})


def test_an_empty_chain_begins_at_the_grant(enrolled: EnrolledJournal) -> None:
    head = enrolled.journal.head
    assert head is not None
    assert (head.epoch, head.seq) == (1, -1)
    assert _verified(enrolled) == 0


def test_a_record_is_seen_by_others_only_after_the_commit(enrolled: EnrolledJournal) -> None:
    before = enrolled.journal.head
    with ThreadPoolExecutor(1) as others, enrolled.journal.write() as writer:
        _suggest(writer)
        assert others.submit(_count, enrolled, LedgerRecord).result() == 0
        assert others.submit(_count, enrolled, Suggestion).result() == 0
        assert enrolled.journal.head == before
    assert _count(enrolled, LedgerRecord) == _count(enrolled, Suggestion) == 1
    assert _verified(enrolled) == 1


def test_a_visit_is_a_chain_with_its_projections(enrolled: EnrolledJournal, clock: ManualClock) -> None:
    prompt = ask(enrolled.journal)
    clock.advance(5)
    rating = rate(enrolled.journal, prompt, level=2, comment="慢")
    complaint = complain(enrolled.journal, prompt, comment="冷的", order="A1", amount="64.00 CNY")
    assert _verified(enrolled) == 3
    with enrolled.store.read() as reader:
        shown = reader.first(Prompt.select())
        rated = reader.first(Rating.select())
        entry = find_entry(reader, 1, complaint.place.seq)
    assert shown is not None
    assert rated is not None
    assert entry is not None
    assert (shown.prompt_id, shown.outcome) == (prompt.record.id, "rated")
    assert shown.ended_at - shown.at == timedelta(seconds=5)
    assert (rated.level, rated.comment, rated.prompt_seq) == (2, "慢", 0)
    assert rating.record.about.prompt == prompt.place
    names = [open_disclosure(text).name for text in entry.disclosures]
    assert names == ["amount", "comment", "order"]
    assert entry.octets == complaint.octets


def test_what_was_appended_knows_its_number_towards_people(enrolled: EnrolledJournal) -> None:
    appended = ask(enrolled.journal)
    assert appended.leaf == leaf_hash(appended.octets)
    assert appended.query_code == query_code(appended.leaf)
    assert appended.place == appended.record.place


def test_several_records_share_one_transaction(enrolled: EnrolledJournal) -> None:
    told: list[tuple[Appended, ...]] = []
    enrolled.journal.on_commit(told.append)
    with enrolled.journal.write() as writer:
        first = _suggest(writer)
        second = _suggest(writer)
        assert told == []
    assert told == [(first, second)]
    assert _verified(enrolled) == 2


def test_a_write_that_appends_nothing_tells_nobody(enrolled: EnrolledJournal) -> None:
    told: list[tuple[Appended, ...]] = []
    enrolled.journal.on_commit(told.append)
    with enrolled.journal.write() as writer:
        writer.execute(UploadState.update(state_detail="x"))
    assert told == []


def test_an_error_in_the_block_takes_the_record_back(enrolled: EnrolledJournal) -> None:
    told: list[tuple[Appended, ...]] = []
    enrolled.journal.on_commit(told.append)

    def write() -> None:
        with enrolled.journal.write() as writer:
            _suggest(writer)
            raise StopError

    with pytest.raises(StopError):
        write()
    assert told == []
    assert _count(enrolled, LedgerRecord) == _count(enrolled, LedgerDisclosure) == _verified(enrolled) == 0
    ask(enrolled.journal)
    assert _verified(enrolled) == 1


def test_a_projection_that_fails_takes_everything_back(enrolled: EnrolledJournal) -> None:
    with enrolled.journal.write() as writer:
        first = _suggest(writer)
    for _ in range(2):
        with pytest.raises(StoreConflictError), enrolled.journal.write() as writer:
            _suggest(writer, id=first.record.id)
        assert _verified(enrolled) == 1
    ask(enrolled.journal)
    assert _verified(enrolled) == 2


def test_a_failed_append_that_the_block_passed_over_is_not_committed(enrolled: EnrolledJournal) -> None:
    def write() -> None:
        with enrolled.journal.write() as writer:
            first = _suggest(writer)
            with pytest.raises(StoreConflictError):
                _suggest(writer, id=first.record.id)
            with pytest.raises(StoreConflictError):
                _suggest(writer)

    with pytest.raises(StoreConflictError):
        write()
    assert _verified(enrolled) == 0


@pytest.mark.parametrize(
    ("kind", "body", "disclosures", "error"),
    [
        (Kind.LAPSE, LapseBody(reason="declined"), {}, FormatError),
        (Kind.SUGGESTION, _SUGGESTION, {"comment": "长" * 6_000}, FormatError),
        (Kind.SUGGESTION, _SUGGESTION, {"comment": "\ud800"}, FormatError),
        (Kind.SUGGESTION, _SUGGESTION, {"contact": "13800000000"}, VerificationError),
        (Kind.SUGGESTION, LapseBody(reason="declined"), {}, FormatError),
    ],
)
def test_what_no_verifier_takes_is_never_written(
    enrolled: EnrolledJournal,
    kind: Kind,
    body: SuggestionBody | LapseBody,
    disclosures: dict[str, str],
    error: type[Exception],
) -> None:
    with enrolled.journal.write() as writer:
        with pytest.raises(error):
            writer.append(kind, body, disclosures=disclosures)
        # It failed before anything was written, so that the transaction is as good as before.
        _suggest(writer)
    assert _verified(enrolled) == 1


def test_empty_words_are_no_disclosures(enrolled: EnrolledJournal) -> None:
    rating = rate(enrolled.journal, None, comment="")
    assert rating.record.sd == ()
    assert _count(enrolled, LedgerDisclosure) == 0


def test_memory_follows_the_disk_after_a_failed_commit(enrolled: EnrolledJournal) -> None:
    ask(enrolled.journal)
    database = enrolled.store.database
    assert isinstance(database, SqliteFile)

    done: list[Appended] = []

    def fail_to_commit() -> None:
        with enrolled.journal.write() as writer:
            database.writer.execute_sql("PRAGMA defer_foreign_keys = 1")
            appended = _suggest(writer)
            # Found at the commit alone, when every statement has succeeded.
            writer.execute(LedgerDisclosure.insert(epoch=9, seq=9, name="x", text="y"))
            done.append(appended)

    with pytest.raises(StoreError):
        fail_to_commit()
    assert len(done) == 1
    assert _verified(enrolled) == 1
    ask(enrolled.journal)
    assert _verified(enrolled) == 2


def test_a_full_disk_takes_the_record_back_and_goes_on_later(enrolled: EnrolledJournal) -> None:
    database = enrolled.store.database
    assert isinstance(database, SqliteFile)
    with enrolled.store.write():
        database.writer.pragma("max_page_count", database.writer.pragma("page_count"))
    stored: list[Appended] = []

    def fill() -> None:
        stored.extend(complain(enrolled.journal, None, comment="满" * 2_000) for _ in range(100))

    with pytest.raises(StoreFullError):
        fill()
    with enrolled.store.write():
        database.writer.pragma("max_page_count", 1 << 30)
    assert _verified(enrolled) == len(stored)
    complain(enrolled.journal, None, comment="满" * 2_000)
    assert _verified(enrolled) == len(stored) + 1


def test_threads_that_append_at_once_make_one_dense_chain(enrolled: EnrolledJournal) -> None:
    told: list[int] = []
    enrolled.journal.on_commit(lambda appended: told.extend(one.place.seq for one in appended))

    def visits() -> None:
        for _ in range(10):
            rate(enrolled.journal, ask(enrolled.journal), comment="同时")

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(visits) for _ in range(8)]:
            done.result()
    assert _verified(enrolled) == 160
    assert sorted(told) == list(range(160))


def test_an_append_inside_a_read_or_a_write_is_refused_at_once(enrolled: EnrolledJournal) -> None:
    with enrolled.store.read(), pytest.raises(RuntimeError), enrolled.journal.write():
        pass
    with enrolled.store.write(), pytest.raises(RuntimeError), enrolled.journal.write():
        pass
    with enrolled.journal.write(), pytest.raises(RuntimeError), enrolled.journal.write():
        pass
    ask(enrolled.journal)
    assert _verified(enrolled) == 1


def test_a_restart_goes_on_where_the_ledger_ends(enrolled: EnrolledJournal) -> None:
    rate(enrolled.journal, ask(enrolled.journal), comment="再来")
    head = enrolled.journal.head
    enrolled.reopen()
    assert enrolled.journal.head == head
    rate(enrolled.journal, ask(enrolled.journal))
    assert _verified(enrolled) == 4


def _tamper(terminal: EnrolledJournal, **changes: object) -> None:
    newest = LedgerRecord.seq == 1
    with terminal.store.write() as writer:
        writer.execute(LedgerRecord.update(**changes).where(newest))


def test_a_tampered_newest_record_is_not_built_upon(enrolled: EnrolledJournal) -> None:
    first, second = ask(enrolled.journal), ask(enrolled.journal)
    altered = bytearray(second.octets)
    altered[200] ^= 1
    for changes in (
        {"octets": bytes(altered)},
        {"octets": second.octets[:-1]},
        {"octets": b""},
        {"octets": first.octets},
        {"link": "A" * 43},
    ):
        _tamper(enrolled, **changes)
        with pytest.raises(StoreCorruptError):
            Journal(enrolled.store, enrolled.clock, enrolled.folder.keys)
        _tamper(enrolled, octets=second.octets, link=_link_of(enrolled))
    enrolled.reopen()
    assert _verified(enrolled) == 2


def _link_of(terminal: EnrolledJournal) -> str:
    head = terminal.journal.head
    assert head is not None
    return head.link


def test_a_record_that_was_tampered_with_while_running_is_not_built_upon(enrolled: EnrolledJournal) -> None:
    ask(enrolled.journal)
    second = ask(enrolled.journal)

    def stop() -> None:
        with enrolled.journal.write():
            raise StopError

    with pytest.raises(StopError):
        stop()
    _tamper(enrolled, octets=second.octets[:-4] + b"AAAA")
    with pytest.raises(StoreCorruptError):
        ask(enrolled.journal)


def test_nothing_is_signed_before_the_enrolment(tmp_path: Path, clock: ManualClock) -> None:
    with EnrolledJournal(tmp_path, clock, OfflineCentral()) as terminal:
        assert not terminal.journal.enrolled
        assert terminal.journal.head is None
        with pytest.raises(StartError):
            _ = terminal.journal.identity
        with pytest.raises(StartError):
            _ = terminal.journal.key
        with terminal.journal.write() as writer, pytest.raises(StartError):
            _suggest(writer)
        terminal.begin_epoch()
        ask(terminal.journal)
        assert _verified(terminal) == 1


def test_a_new_epoch_goes_on_with_its_own_key_and_the_totals(enrolled: EnrolledJournal) -> None:
    first = rate(enrolled.journal, ask(enrolled.journal), level=1)
    old = enrolled.journal.key.public
    issuer = enrolled.journal.identity.issuer
    enrolled.begin_epoch(epoch=2, issuer=issuer, totals=first.record.totals)
    assert enrolled.journal.key.public != old
    second = rate(enrolled.journal, ask(enrolled.journal), level=1)
    assert (second.place.epoch, second.place.seq) == (2, 1)
    assert second.record.totals.ratings == (2, 0, 0, 0, 0)
    enrolled.reopen()
    head = enrolled.journal.head
    assert head is not None
    assert (head.epoch, head.seq) == (2, 1)


def test_a_refused_grant_changes_nothing(enrolled: EnrolledJournal) -> None:
    ask(enrolled.journal)
    before = enrolled.journal.identity
    key = enrolled.journal.enrolment_key()
    central = enrolled.central
    foreign = OfflineCentral()
    for octets in (
        central.grant(key.public, issuer=before.issuer, epoch=1),
        central.grant(SigningKey.generate().public, issuer=before.issuer, epoch=2),
        foreign.grant(key.public, issuer=new_issuer_id(), epoch=2),
        b"no grant",
    ):
        with pytest.raises(VerificationError):
            enrolled.journal.enrol(key, octets, central.merchant, central.trust)
    assert enrolled.journal.identity == before
    ask(enrolled.journal)
    assert _verified(enrolled) == 2
