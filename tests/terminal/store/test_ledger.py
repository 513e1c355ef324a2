from __future__ import annotations

from merchant_agent.evidence.disclosure import open_disclosure
from merchant_agent.store.store import Store
from merchant_agent.terminal.store.ledger import find_entry, newest_record, read_ledger
from merchant_agent.terminal.store.models import LedgerDisclosure
from tests.enrolled import EnrolledJournal, ask, complain, rate


def _places(store: Store, **options: int) -> list[tuple[int, int]]:
    with store.read() as reader:
        return [(entry.epoch, entry.seq) for entry in read_ledger(reader, **options)]


def test_entries_come_oldest_first_over_all_epochs(enrolled: EnrolledJournal) -> None:
    for _ in range(12):
        last = ask(enrolled.journal)
    issuer = enrolled.journal.identity.issuer
    enrolled.begin_epoch(epoch=2, issuer=issuer, totals=last.record.totals)
    ask(enrolled.journal)
    assert _places(enrolled.store) == [*((1, seq) for seq in range(12)), (2, 0)]
    assert _places(enrolled.store, epoch=2) == [(2, 0)]
    assert _places(enrolled.store, epoch=1, first_seq=9) == [(1, 9), (1, 10), (1, 11)]
    assert _places(enrolled.store, epoch=1, first_seq=3, last_seq=4) == [(1, 3), (1, 4)]
    assert _places(enrolled.store, epoch=3) == []


def test_an_entry_travels_with_what_is_still_disclosed(enrolled: EnrolledJournal) -> None:
    appended = complain(enrolled.journal, None, comment="冷的", amount="64.00 CNY", order="A1")
    with enrolled.store.write() as writer:
        writer.execute(LedgerDisclosure.delete().where(LedgerDisclosure.name == "amount"))
    with enrolled.store.read() as reader:
        entry = find_entry(reader, 1, 0)
    assert entry is not None
    octets, *texts, rest = entry.line().split(b"~")
    assert (octets, rest) == (appended.octets, b"")
    assert [open_disclosure(text.decode()).value for text in texts] == ["冷的", "A1"]


def test_a_record_without_words_travels_alone(enrolled: EnrolledJournal) -> None:
    appended = rate(enrolled.journal, None)
    with enrolled.store.read() as reader:
        entry = find_entry(reader, 1, 0)
    assert entry is not None
    assert entry.line() == appended.octets + b"~"


def test_where_nothing_stands_nothing_is_found(enrolled: EnrolledJournal) -> None:
    ask(enrolled.journal)
    with enrolled.store.read() as reader:
        assert find_entry(reader, 1, 1) is None
        assert find_entry(reader, 2, 0) is None
        assert newest_record(reader, 2) is None


def test_the_newest_record_is_that_of_the_highest_seq(enrolled: EnrolledJournal) -> None:
    for _ in range(11):
        last = ask(enrolled.journal)
    with enrolled.store.read() as reader:
        newest = newest_record(reader, 1)
    assert newest is not None
    assert (newest.seq, newest.octets) == (10, last.octets)
