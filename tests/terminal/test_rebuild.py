from __future__ import annotations

from pathlib import Path

import pytest

from merchant_agent.errors import StartError, StoreCorruptError
from merchant_agent.evidence.bodies import Kind, LapseBody
from merchant_agent.evidence.record import About
from merchant_agent.store.copies import Difference
from merchant_agent.store.folder import DataFolder
from merchant_agent.terminal.rebuild import rebuild, rebuild_folder
from merchant_agent.terminal.store.models import (
    Complaint,
    Epoch,
    LedgerDisclosure,
    LedgerRecord,
    Prompt,
    Rating,
)
from tests.enrolled import EnrolledJournal, ask, complain, rate
from tests.store.shapes import lax_tables, shape_of


def _visits(terminal: EnrolledJournal, count: int) -> None:
    """Prompts that are rated, complained about, lapsed, and left open."""
    for number in range(count):
        prompt = ask(terminal.journal)
        match number % 4:
            case 0:
                rate(terminal.journal, prompt, level=1 + number % 5, comment="慢")
            case 1:
                complain(terminal.journal, prompt, comment="冷", order="A1", amount="64.00 CNY")
            case 2:
                about = About(prompt=prompt.place, case=None)
                with terminal.journal.write() as writer:
                    writer.append(Kind.LAPSE, LapseBody(reason="next_sale"), about=about)
                # A rating outranks the lapse before it.
                rate(terminal.journal, prompt, level=2)
            case _:
                pass


def test_what_pages_show_is_what_the_ledger_says(enrolled: EnrolledJournal) -> None:
    _visits(enrolled, 12)
    issuer, last = enrolled.journal.identity.issuer, ask(enrolled.journal)
    enrolled.begin_epoch(epoch=2, issuer=issuer, totals=last.record.totals)
    _visits(enrolled, 4)
    before = shape_of(enrolled.store)
    rebuilt = rebuild(enrolled.store)
    assert (rebuilt.count, rebuilt.differences) == (0, ())
    with enrolled.store.read() as reader:
        assert rebuilt.records == len(reader.all(LedgerRecord.select(LedgerRecord.seq).tuples()))
    assert shape_of(enrolled.store) == before
    assert lax_tables(enrolled.store) == []


def test_an_empty_ledger_shows_nothing(enrolled: EnrolledJournal) -> None:
    assert rebuild(enrolled.store).records == 0


def test_a_tampered_projection_is_named_and_put_right(enrolled: EnrolledJournal) -> None:
    prompt = ask(enrolled.journal)
    rating = rate(enrolled.journal, prompt, level=1, comment="难吃")
    complaint = complain(enrolled.journal, prompt, comment="冷的")
    ask(enrolled.journal)
    with enrolled.store.write() as writer:
        writer.execute(Rating.update(level=5, comment="很好"))
        writer.execute(Complaint.delete())
        writer.execute(Prompt.update(prompt_id="forged").where(Prompt.seq == 3))
    rebuilt = rebuild(enrolled.store)
    assert rebuilt.count == 4
    assert [d for d in rebuilt.differences if d.table != "prompt"] == [
        Difference(table="rating", key=(rating.record.id,), columns=("level", "comment"), is_live=True),
        Difference(table="complaint", key=(complaint.record.id,), columns=(), is_live=False),
    ]
    forged = Difference(table="prompt", key=("forged",), columns=(), is_live=True)
    assert forged in rebuilt.differences
    with enrolled.store.read() as reader:
        row = reader.first(Rating.select())
        assert row is not None
        assert (row.level, row.comment) == (1, "难吃")
    assert rebuild(enrolled.store).count == 0


def test_only_the_first_differences_of_a_table_are_listed(enrolled: EnrolledJournal) -> None:
    for _ in range(120):
        rate(enrolled.journal, None)
    with enrolled.store.write() as writer:
        writer.execute(Rating.update(level=1))
    rebuilt = rebuild(enrolled.store)
    assert (rebuilt.count, len(rebuilt.differences)) == (120, 100)


def test_erased_words_stay_erased(enrolled: EnrolledJournal) -> None:
    rate(enrolled.journal, None, comment="请删除")
    with enrolled.store.write() as writer:
        writer.execute(LedgerDisclosure.delete())
        writer.execute(Rating.update(comment=None))
    assert rebuild(enrolled.store).count == 0


def _broken(terminal: EnrolledJournal) -> str:
    """What the rebuild refuses; it leaves every table as it was."""
    before = shape_of(terminal.store)
    with terminal.store.write() as writer:
        writer.execute(Rating.update(tags=["kept"]))
    with pytest.raises(StoreCorruptError) as caught:
        rebuild(terminal.store)
    assert shape_of(terminal.store) == before
    with terminal.store.read() as reader:
        assert all(row.tags == ["kept"] for row in reader.all(Rating.select()))
    return str(caught.value)


def test_a_tampered_record_is_refused_with_its_place(enrolled: EnrolledJournal) -> None:
    _visits(enrolled, 4)
    with enrolled.store.write() as writer:
        octets = writer.scalar(LedgerRecord.select(LedgerRecord.octets).where(LedgerRecord.seq == 2))
        assert octets is not None
        writer.execute(LedgerRecord.update(octets=octets[:-4] + b"AAAA").where(LedgerRecord.seq == 2))
    assert "epoch 1, seq 2 breaks V3" in _broken(enrolled)


def test_a_missing_record_is_refused(enrolled: EnrolledJournal) -> None:
    for _ in range(3):
        ask(enrolled.journal)
    rate(enrolled.journal, None)
    with enrolled.store.write() as writer:
        writer.execute(LedgerRecord.delete().where(LedgerRecord.seq == 1))
    assert "breaks V4" in _broken(enrolled)


def test_words_of_another_record_are_refused(enrolled: EnrolledJournal) -> None:
    rate(enrolled.journal, None, comment="一")
    rate(enrolled.journal, None)
    with enrolled.store.write() as writer:
        writer.execute(LedgerDisclosure.update(seq=1))
    assert "seq 1 breaks V10" in _broken(enrolled)


def test_records_without_their_grant_are_refused(enrolled: EnrolledJournal) -> None:
    rate(enrolled.journal, None)
    with enrolled.store.write() as writer:
        writer.execute(Epoch.delete())
    _broken(enrolled)


def test_a_folder_is_rebuilt_when_its_terminal_is_stopped(enrolled: EnrolledJournal) -> None:
    _visits(enrolled, 4)
    with enrolled.store.write() as writer:
        writer.execute(Prompt.delete())
    enrolled.close()
    with DataFolder(enrolled.folder.path), pytest.raises(StartError):
        rebuild_folder(enrolled.folder.path)
    assert rebuild_folder(enrolled.folder.path).count == 4
    assert rebuild_folder(enrolled.folder.path).count == 0


def test_a_folder_without_a_database_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(StartError):
        rebuild_folder(tmp_path)
    with pytest.raises(StartError):
        rebuild_folder(tmp_path / "missing")
    assert list(tmp_path.iterdir()) == []
