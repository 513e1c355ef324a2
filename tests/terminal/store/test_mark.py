"""The mark outside of the data folder: what it tells, and that nothing fails for want of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.grant import new_issuer_id
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.terminal.store.journal import Journal
from merchant_agent.terminal.store.mark import Mark, default_mark
from tests.enrolled import EnrolledJournal, ask

LINK = encode_b64u(bytes(32))


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Mark]:
    mark = Mark(tmp_path / "elsewhere" / "mark")
    yield mark
    mark.close()


def _reopened(enrolled: EnrolledJournal, mark: Mark) -> Journal:
    return Journal(enrolled.store, enrolled.clock, enrolled.folder.keys, mark)


def test_the_newest_place_is_read_again_by_its_issuer_alone(mark: Mark, tmp_path: Path) -> None:
    issuer = new_issuer_id()
    for seq in (4_000_000_000, 17, -1):
        mark.write(issuer, Head(epoch=2, seq=seq, link=LINK))
        assert mark.read(issuer) == Head(epoch=2, seq=seq, link=LINK)
    assert mark.read(new_issuer_id()) is None
    assert Mark(tmp_path / "nowhere").read(issuer) is None


@pytest.mark.parametrize("octets", [b"", b"\0" * 96, b"garbage\n", b"\xff" * 96])
def test_a_mark_that_a_power_cut_spoiled_is_none(mark: Mark, tmp_path: Path, octets: bytes) -> None:
    issuer = new_issuer_id()
    mark.write(issuer, Head(epoch=1, seq=0, link=LINK))
    (tmp_path / "elsewhere" / "mark").write_bytes(octets)
    assert mark.read(issuer) is None


def test_a_mark_that_cannot_be_written_stops_nothing(enrolled: EnrolledJournal, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    journal = _reopened(enrolled, Mark(tmp_path / "file" / "mark"))
    ask(journal)
    assert journal.hold is None
    assert journal.is_mark_failing


def test_a_mark_of_an_epoch_that_is_over_says_nothing(enrolled: EnrolledJournal, mark: Mark) -> None:
    old, central = enrolled.journal.identity, enrolled.central
    mark.write(old.issuer, Head(epoch=1, seq=99, link=LINK))
    key = enrolled.journal.enrolment_key()
    octets = central.grant(key.public, issuer=old.issuer, epoch=2)
    enrolled.journal.begin_epoch(key, octets, old.merchant, old.trust)
    assert _reopened(enrolled, mark).hold is None


def test_a_ledger_that_reaches_its_mark_or_beyond_goes_on(enrolled: EnrolledJournal, mark: Mark) -> None:
    journal = _reopened(enrolled, mark)
    ask(journal)
    assert mark.read(journal.identity.issuer) == journal.head
    enrolled.reopen()
    ask(enrolled.journal)
    assert _reopened(enrolled, mark).hold is None


@pytest.mark.parametrize(("epoch", "seq"), [(1, 1), (2, 0), (1, 0)])
def test_a_ledger_that_lacks_the_marked_record_is_put_on_hold(
    enrolled: EnrolledJournal, mark: Mark, epoch: int, seq: int
) -> None:
    ask(enrolled.journal)
    mark.write(enrolled.journal.identity.issuer, Head(epoch=epoch, seq=seq, link=LINK))
    assert _reopened(enrolled, mark).hold == "restored"


def test_the_mark_lies_beside_the_data_folder() -> None:
    assert default_mark(Path("/var/lib/shop")) == Path("/var/lib/shop.mark")
