"""Nightly copies of central's database, and that the log does not go on from an old one."""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from merchant_agent.central.backups import back_up_where_due
from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.log.lock import LogStoppedError, Stop
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.services import Central, close_central
from merchant_agent.central.store.models import MerchantEntry
from merchant_agent.settings import CentralSettings
from tests.central.conftest import NOODLES, Site
from tests.central.log.looking import put
from tests.clocks import ManualClock

HOUR_S = 3600


def made_at(path: Path, at: datetime) -> None:
    os.utime(path, times=(at.timestamp(), at.timestamp()))


@pytest.fixture
def on_sqlite(tmp_path: Path, clock: ManualClock) -> Site:
    settings = CentralSettings(
        data=tmp_path / "central", checkpoint_lock=str(tmp_path / "lock"), backup_keep=3
    )
    return Site(settings=settings, clock=clock)


def test_one_copy_is_made_a_night_and_the_newest_are_kept(on_sqlite: Site, clock: ManualClock) -> None:
    central = on_sqlite.open()
    names = []
    for _ in range(5):
        made = back_up_where_due(central)
        assert made is not None
        made_at(made, clock.now())
        names.append(made.name)
        assert back_up_where_due(central) is None
        clock.advance(24 * HOUR_S)
    assert sorted(path.name for path in central.folder.backups.iterdir()) == names[-3:]
    close_central(central)


def test_a_night_that_was_missed_is_made_up_for(on_sqlite: Site, clock: ManualClock) -> None:
    central = on_sqlite.open()
    made = back_up_where_due(central)
    assert made is not None
    made_at(made, clock.now() - timedelta(days=3))
    assert back_up_where_due(central) is not None
    close_central(central)


def test_a_clock_that_was_ahead_stops_no_backup(on_sqlite: Site, clock: ManualClock) -> None:
    central = on_sqlite.open()
    made = back_up_where_due(central)
    assert made is not None
    made_at(made, clock.now() + timedelta(days=365))
    assert back_up_where_due(central) is not None
    close_central(central)


def test_postgresql_is_left_to_its_own_tools(site: Site, central: Central) -> None:
    made = back_up_where_due(central)
    assert (made is None) is site.is_postgres


def test_a_restored_copy_has_what_was_there_and_the_log_does_not_contradict_itself(on_sqlite: Site) -> None:
    central = on_sqlite.open()
    begin_log(central, again=False)
    merchant = add_merchant(central, NOODLES, who="officer")
    put(central, 3)
    Sequencer(central).run()
    copy = back_up_where_due(central)
    assert copy is not None
    put(central, 2, begin=3)
    Sequencer(central).run()
    close_central(central)
    lock = Path(on_sqlite.settings.checkpoint_lock)
    published = lock.read_bytes()
    shutil.copy(copy, on_sqlite.settings.data / "central.db")
    for name in ("central.db-wal", "central.db-shm"):
        (on_sqlite.settings.data / name).unlink(missing_ok=True)
    restored = on_sqlite.open()
    with restored.store.read() as reader:
        assert reader.scalar(MerchantEntry.select(MerchantEntry.id)) == merchant
    with pytest.raises(LogStoppedError) as stopped:
        Sequencer(restored).run()
    assert stopped.value.stop is Stop.BEHIND
    assert lock.read_bytes() == published
    close_central(restored)
