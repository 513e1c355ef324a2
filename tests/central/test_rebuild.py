"""Projections: made again from the ledger, equal to what the uploads wrote; and what records may try."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from merchant_agent.central.overview import newest_complaints, newest_ratings
from merchant_agent.central.rebuild import rebuild
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Disclosure, Prompt, Rating, Record, Suggestion
from merchant_agent.errors import StoreCorruptError
from tests.central.rows import execute, rows
from tests.central.sender import Sender


@pytest.fixture
def busy(central: Central, sender: Sender) -> Sender:
    """A terminal that sent something of each kind."""
    prompt = sender.ask()
    sender.rate(prompt, 2, comment="太慢")
    sender.rate(prompt, 4)
    sender.lapse(sender.ask(), "declined")
    sender.suggest("开窗通风")
    sender.complain(prompt, comment="缺斤少两", amount="64.00 CNY", order="A-17")
    sender.rate(None, 3)
    sender.upload_all(central)
    return sender


def test_what_uploads_wrote_is_what_the_ledger_says(central: Central, busy: Sender) -> None:
    rebuilt = rebuild(central.store)
    assert (rebuilt.records, rebuilt.count, rebuilt.differences) == (len(busy.sent), 0, ())


def test_more_records_than_are_written_at_once_are_all_rebuilt(central: Central, sender: Sender) -> None:
    for _ in range(6):
        first = len(sender.sent)
        sender.sell(100)
        sender.upload_all(central, first)
    rebuilt = rebuild(central.store)
    assert (rebuilt.records, rebuilt.count) == (1200, 0)


def test_a_changed_missing_and_invented_row_are_put_right(central: Central, busy: Sender) -> None:
    assert busy.sent
    before = [row.__data__ for row in rows(central, Rating)]
    execute(central, Rating.update({Rating.level: 5}).where(Rating.level == 2))
    execute(central, Suggestion.delete())
    execute(central, Prompt.update({Prompt.seq: 99}).where(Prompt.seq == 0))
    rebuilt = rebuild(central.store)
    found = {(item.table, item.is_live, item.columns) for item in rebuilt.differences}
    assert found == {
        ("rating", True, ("level",)),
        ("suggestion", False, ()),
        ("prompt", True, ()),
        ("prompt", False, ()),
    }
    assert rebuilt.count == 4
    assert [row.__data__ for row in rows(central, Rating)] == before
    assert rebuild(central.store).count == 0


def test_erased_words_are_gone_from_the_pages_after_a_rebuild(central: Central, busy: Sender) -> None:
    assert busy.sent
    execute(central, Disclosure.delete().where(Disclosure.name == "comment"))
    rebuild(central.store)
    assert [row.comment for row in rows(central, Rating)] == [None, None, None]
    assert newest_complaints(central).items[0].row.amount == "64.00 CNY"


def test_a_damaged_ledger_changes_no_table(central: Central, busy: Sender) -> None:
    assert busy.sent
    execute(central, Rating.delete())
    execute(central, Record.update({Record.octets: b"rot"}).where(Record.seq == 3))
    with pytest.raises(StoreCorruptError):
        rebuild(central.store)
    assert rows(central, Rating) == []


def test_text_that_a_database_cannot_hold_blocks_nobody(central: Central, sender: Sender) -> None:
    prompt = sender.ask(till="till\0-1")
    sender.rate(prompt, comment="a\0b")
    sender.complain(comment="\0", order="\0\0", occurred_at="x\0", amount="1 CNY")
    sender.suggest("\U0001f35c\0")
    assert sender.upload_all(central).outcome == "accepted"
    assert [row.till for row in rows(central, Prompt)] == ["till\ufffd-1"]
    assert [row.comment for row in rows(central, Rating)] == ["a\ufffdb"]
    assert [row.comment for row in rows(central, Suggestion)] == ["\U0001f35c\ufffd"]
    assert rebuild(central.store).count == 0


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-12))),
        datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=8))),
    ],
)
def test_a_time_that_no_zone_can_show_blocks_no_page(
    central: Central, sender: Sender, moment: datetime
) -> None:
    sender.at = moment
    sender.sell(1)
    assert sender.upload_all(central).outcome == "accepted"
    [shown] = newest_ratings(central).items
    assert shown.row.at.astimezone(timezone(timedelta(hours=14))).year >= 1
    assert rebuild(central.store).count == 0
