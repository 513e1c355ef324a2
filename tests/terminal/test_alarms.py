"""Alarms: one for a thing while it is open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from merchant_agent.errors import NotFoundError
from merchant_agent.store.folder import DataFolder
from merchant_agent.store.store import Store
from merchant_agent.terminal.alarms import clear_alarms, dismiss_alarm, open_alarms, raise_alarm
from merchant_agent.terminal.store.opening import open_store
from tests.clocks import START


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(DataFolder(tmp_path), ballast_bytes=0, keep_backups=1)
    yield opened
    opened.close()


def test_alarm_raised_again_while_open_is_one_alarm_of_its_first_time(store: Store) -> None:
    later = START + timedelta(minutes=1)
    with store.write() as writer:
        raise_alarm(writer, at=START, code="frozen")
        raise_alarm(writer, at=later, code="frozen")
        raise_alarm(writer, at=later, code="order-amount", detail="1 087")
        raise_alarm(writer, at=later, code="order-amount", detail="1 088")
    with store.read() as reader:
        found = [(alarm.code, alarm.detail, alarm.at) for alarm in open_alarms(reader)]
    assert found == [
        ("order-amount", "1 088", later),
        ("order-amount", "1 087", later),
        ("frozen", "", START),
    ]


def test_dismissed_alarm_can_be_raised_again(store: Store) -> None:
    with store.write() as writer:
        raise_alarm(writer, at=START, code="frozen")
        dismiss_alarm(writer, open_alarms(writer)[0].number, at=START)
        assert open_alarms(writer) == ()
        raise_alarm(writer, at=START, code="frozen")
        assert len(open_alarms(writer)) == 1


def test_alarm_is_not_dismissed_twice(store: Store) -> None:
    with store.write() as writer:
        raise_alarm(writer, at=START, code="frozen")
        number = open_alarms(writer)[0].number
        dismiss_alarm(writer, number, at=START)
        with pytest.raises(NotFoundError):
            dismiss_alarm(writer, number, at=START)


def test_clearing_ends_one_detail_or_all_of_a_code(store: Store) -> None:
    with store.write() as writer:
        for detail in ("a", "b", "c"):
            raise_alarm(writer, at=START, code="quarantine", detail=detail)
        raise_alarm(writer, at=START, code="frozen")
        assert clear_alarms(writer, at=START, code="quarantine", detail="b") == 1
        assert clear_alarms(writer, at=START, code="quarantine") == 2
        assert clear_alarms(writer, at=START, code="quarantine") == 0
        assert [alarm.code for alarm in open_alarms(writer)] == ["frozen"]
