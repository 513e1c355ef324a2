"""Writers that wait for one another and share a transaction: each has their own rows, or an error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from merchant_agent.errors import StoreError, StoreFullError
from merchant_agent.store import shared
from merchant_agent.store.database import SqliteFile
from merchant_agent.terminal.store.appending import Appended
from merchant_agent.terminal.store.models import LedgerDisclosure, LedgerRecord
from tests.enrolled import EnrolledJournal, ask, complain
from tests.terminal.store.test_journal import StopError, _suggest, _verified

MANY = 8


def _database(terminal: EnrolledJournal) -> SqliteFile:
    database = terminal.store.database
    assert isinstance(database, SqliteFile)
    return database


def _at_once(
    terminal: EnrolledJournal, write: Callable[[int], Appended], count: int = MANY
) -> list[Future[Appended]]:
    """What came of writers that all wait while another one writes; that one appends too."""
    futures: list[Future[Appended]] = []
    with ThreadPoolExecutor(count) as pool, terminal.journal.write() as writer:
        futures += [pool.submit(write, number) for number in range(count)]
        while terminal.journal._turns._waiting < count:
            threading.Event().wait(0.001)
        # A shared transaction lasts no longer than this: this one is committed alone.
        threading.Event().wait(2 * shared._LONGEST_S)
        _suggest(writer)
    return futures


def _seqs(terminal: EnrolledJournal) -> set[int]:
    with terminal.store.read() as reader:
        return {row.seq for row in reader.all(LedgerRecord.select(LedgerRecord.seq))}


def _check(terminal: EnrolledJournal, futures: list[Future[Appended]]) -> tuple[set[int], int]:
    """Whoever was thanked stands in the ledger, and nobody else; the places thanked for, and the failures."""
    failed = sum(one.exception() is not None for one in futures)
    thanked = {one.result().place.seq for one in futures if one.exception() is None}
    assert len(thanked) + failed == len(futures)
    head = terminal.journal.head
    assert head is not None
    assert _verified(terminal) == head.seq + 1
    terminal.reopen()
    assert terminal.journal.head == head
    return thanked, failed


def test_writers_that_wait_commit_together(enrolled: EnrolledJournal) -> None:
    commits: list[int] = []

    def note(_connection: object, _name: str, pages: int) -> int:
        commits.append(pages)
        return 0

    _database(enrolled)._raw.set_wal_hook(note)
    futures = _at_once(enrolled, lambda _: ask(enrolled.journal), 64)
    assert len(commits) < 64
    assert _check(enrolled, futures) == (set(range(1, 65)), 0)


def test_one_that_fails_in_the_middle_takes_nothing_of_others_with_it(enrolled: EnrolledJournal) -> None:
    def write(number: int) -> Appended:
        with enrolled.journal.write() as writer:
            appended = _suggest(writer)
            if number % 3 == 1:
                raise StopError
        return appended

    futures = _at_once(enrolled, write)
    assert sum(isinstance(one.exception(), StopError) for one in futures) == 3
    thanked, failed = _check(enrolled, futures)
    assert (thanked, failed) == ({1, 2, 3, 4, 5}, 3)


def test_a_commit_that_fails_is_told_to_everybody_whose_rows_it_had(enrolled: EnrolledJournal) -> None:
    database = _database(enrolled)
    told: list[int] = []
    enrolled.journal.on_commit(lambda appended: told.extend(one.place.seq for one in appended))

    def write(number: int) -> Appended:
        with enrolled.journal.write() as writer:
            appended = _suggest(writer)
            if number == 3:
                database.writer.execute_sql("PRAGMA defer_foreign_keys = 1")
                # Found at the commit alone, when every statement has succeeded.
                writer.execute(LedgerDisclosure.insert(epoch=9, seq=9, name="x", text="y"))
        return appended

    futures = _at_once(enrolled, write)
    assert isinstance(futures[3].exception(), StoreError)
    here = _seqs(enrolled)
    thanked, failed = _check(enrolled, futures)
    assert failed >= 1
    assert thanked <= here
    assert sorted(told) == sorted(here)
    ask(enrolled.journal)
    assert _verified(enrolled) == len(here) + 1


def test_a_disk_that_fills_up_is_told_to_everybody_who_lost_their_rows(enrolled: EnrolledJournal) -> None:
    database = _database(enrolled)
    with enrolled.store.write():
        database.writer.pragma("max_page_count", database.writer.pragma("page_count") + 4)
    futures = _at_once(enrolled, lambda _: complain(enrolled.journal, None, comment="满" * 2_000), 16)
    with enrolled.store.write():
        database.writer.pragma("max_page_count", 1 << 30)
    assert all(isinstance(one.exception(), StoreFullError | None) for one in futures)
    here = _seqs(enrolled)
    thanked, failed = _check(enrolled, futures)
    assert failed >= 1
    assert thanked <= here
    assert len(here) == len(thanked) + 1


def test_nobody_is_told_and_nothing_is_seen_before_the_commit(enrolled: EnrolledJournal) -> None:
    journal, store = enrolled.journal, enrolled.store
    ask(journal)
    head, told = journal.head, list[tuple[Appended, ...]]()
    journal.on_commit(told.append)
    begun = store.share()
    with journal._turns.turn():
        journal._shared = begun
        with store.write_part(begun, journal._make_writer) as writer:
            _suggest(writer)
        journal._newest = writer.chain, writer.before
        journal._chain = writer.chain
        assert (journal.head, told, _seqs(enrolled)) == (head, [], {0})
    # Whoever comes next, and wants to be alone, finds it durable.
    journal.put_on_hold("frozen")
    begun.wait()
    assert _seqs(enrolled) == {0, 1}
    assert _verified(enrolled) == 2


def test_others_who_want_to_be_alone_wait_for_nobody_for_ever(enrolled: EnrolledJournal) -> None:
    def alone(number: int) -> None:
        if number % 2:
            with enrolled.store.write() as writer:
                writer.all(LedgerRecord.select().limit(1))
        else:
            enrolled.journal.release()

    with ThreadPoolExecutor(2 * MANY) as pool:
        asked = [pool.submit(ask, enrolled.journal) for _ in range(8 * MANY)]
        others = [pool.submit(alone, number) for number in range(4 * MANY)]
        for one in others:
            one.result(timeout=60)
    assert _check(enrolled, asked) == (set(range(8 * MANY)), 0)
