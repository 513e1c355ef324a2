"""The lock outside the database: what it refuses, and that it never comes into being by itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.log.duty import LogDuty
from merchant_agent.central.log.lock import CheckpointLock, LogStoppedError, Stop
from merchant_agent.central.log.sequencer import Sequencer, checkpoint_lock
from merchant_agent.central.log.silence import SILENT_S
from merchant_agent.central.log.trouble import Trouble, find_trouble
from merchant_agent.central.services import Central, close_central, open_central
from merchant_agent.central.store.models import LogCheckpoint, LogLeaf, LogTile, LogWaiting
from merchant_agent.errors import StartError
from merchant_agent.settings import CentralSettings
from merchant_agent.store.folder import file_lock
from merchant_agent.store.table import Table
from tests.central.conftest import Site
from tests.central.log.looking import Witness, logged, newest, put, tick
from tests.clocks import ManualClock

LOG_TABLES: tuple[type[Table], ...] = (LogWaiting, LogLeaf, LogTile, LogCheckpoint)

Backup = dict[type[Table], list[dict[str, Any]]]


def back_up(central: Central) -> Backup:
    with central.store.read() as reader:
        return {table: reader.all(table.select().dicts()) for table in LOG_TABLES}


def restore(central: Central, backup: Backup) -> None:
    with central.store.write() as tx:
        for table, rows in backup.items():
            tx.execute(table.delete())
            if rows:
                tx.execute(table.insert_many(rows))


def stop_of(act: Callable[[], object]) -> Stop:
    with pytest.raises(LogStoppedError) as stopped:
        act()
    return stopped.value.stop


def test_a_restored_database_is_refused(central: Central, sequencer: Sequencer, lock_file: Path) -> None:
    put(central, 300)
    sequencer.run()
    backup = back_up(central)
    put(central, 5, begin=300)
    sequencer.run()
    witness, held = Witness(central, lock_file), lock_file.read_bytes()
    witness.look()
    restore(central, backup)
    assert find_trouble(central) is Trouble.BEHIND
    put(central, 5, begin=300, what="another leaf")
    for step in (sequencer.run, sequencer.take_up, sequencer.publish):
        assert stop_of(step) is Stop.BEHIND
    assert lock_file.read_bytes() == held
    assert len(logged(central)) == newest(central).size == 300
    witness.look()


def test_a_restored_database_that_went_on_is_refused(
    central: Central, sequencer: Sequencer, lock_file: Path
) -> None:
    """Its leaves were taken up while the lock was away, by somebody who made another lock."""
    put(central, 300)
    sequencer.run()
    backup, held_then = back_up(central), lock_file.read_bytes()
    put(central, 5, begin=300)
    sequencer.run()
    held = lock_file.read_bytes()
    restore(central, backup)
    lock_file.write_bytes(held_then)
    put(central, 9, begin=300, what="another leaf")
    sequencer.take_up()
    lock_file.write_bytes(held)
    assert stop_of(sequencer.run) is Stop.SPLIT
    assert find_trouble(central) is Trouble.SPLIT


def test_the_whole_database_put_back_goes_on(central: Central, sequencer: Sequencer, lock_file: Path) -> None:
    put(central, 5)
    sequencer.run()
    backup, witness = back_up(central), Witness(central, lock_file)
    restore(central, {table: [] for table in LOG_TABLES})
    assert stop_of(sequencer.run) is Stop.BEHIND
    restore(central, backup)
    put(central, 5, begin=5)
    sequencer.run()
    assert find_trouble(central) is None
    witness.require_one_log()


def test_a_database_without_its_last_checkpoint_publishes_what_the_lock_holds(
    central: Central, sequencer: Sequencer, lock_file: Path
) -> None:
    put(central, 5)
    sequencer.run()
    with central.store.write() as tx:
        tx.execute(LogCheckpoint.delete().where(LogCheckpoint.size == 5))
    sequencer.run()
    assert newest(central).octets == lock_file.read_bytes()


def test_a_lock_that_is_away_is_not_made(central: Central, sequencer: Sequencer, lock_file: Path) -> None:
    put(central, 1)
    lock_file.unlink()
    assert stop_of(sequencer.run) is Stop.MISSING
    shutil.rmtree(lock_file.parent)
    assert stop_of(sequencer.run) is Stop.MISSING
    assert find_trouble(central) is Trouble.MISSING
    assert not lock_file.parent.exists()


def test_a_central_without_a_lock_set_has_no_log(tmp_path: Path, clock: ManualClock) -> None:
    central = open_central(CentralSettings(data=tmp_path), clock)
    put(central, 1)
    assert stop_of(Sequencer(central).run) is Stop.NOT_SET
    assert stop_of(lambda: begin_log(central, again=False)) is Stop.NOT_SET
    assert find_trouble(central) is Trouble.NOT_SET
    close_central(central)


def test_every_damage_to_the_lock_is_refused(central: Central, sequencer: Sequencer, lock_file: Path) -> None:
    put(central, 1)
    sequencer.run()
    held = lock_file.read_bytes()
    lock = checkpoint_lock(central)
    cut = [held[:length] for length in range(len(held))]
    changed = [held[:place] + bytes([held[place] ^ 1]) + held[place + 1 :] for place in range(len(held))]
    for damaged in (*cut, *changed):
        lock_file.write_bytes(damaged)
        assert stop_of(lock.read) is Stop.UNUSABLE


def test_the_lock_of_another_log_is_refused(
    central: Central, sequencer: Sequencer, lock_file: Path, tmp_path: Path, clock: ManualClock
) -> None:
    assert sequencer
    settings = CentralSettings(
        data=tmp_path / "other", checkpoint_lock=str(tmp_path / "lock"), log_origin="central.example/log"
    )
    other = open_central(settings, clock)
    begin_log(other, again=False)
    close_central(other)
    shutil.copy(tmp_path / "lock", lock_file)
    assert stop_of(Sequencer(central).run) is Stop.UNUSABLE


def test_a_lock_that_somebody_else_moves_is_left_alone(
    central: Central, sequencer: Sequencer, lock_file: Path
) -> None:
    lock = checkpoint_lock(central)
    before = lock.read()
    put(central, 1)
    sequencer.run()
    held = lock_file.read_bytes()
    assert stop_of(lambda: lock.replace(before, b"anything")) is Stop.MOVED
    with file_lock(lock_file.with_name("lock.guard")):
        assert stop_of(lambda: lock.replace(lock.read(), b"anything")) is Stop.UNUSABLE
    assert lock_file.read_bytes() == held


def test_a_log_begins_once(central: Central, sequencer: Sequencer, lock_file: Path) -> None:
    put(central, 1)
    sequencer.run()
    held = lock_file.read_bytes()
    for again in (False, True):
        with pytest.raises(StartError):
            begin_log(central, again=again)
    assert lock_file.read_bytes() == held
    lock_file.unlink()
    with pytest.raises(StartError):
        begin_log(central, again=False)
    assert not lock_file.exists()


def test_a_lost_lock_begins_again_where_the_database_stands(
    central: Central, sequencer: Sequencer, lock_file: Path
) -> None:
    put(central, 3)
    sequencer.run()
    witness = Witness(central, lock_file)
    witness.look()
    lock_file.unlink()
    assert begin_log(central, again=True) == newest(central)
    put(central, 3, begin=3)
    sequencer.run()
    witness.require_one_log()


def test_what_was_never_begun_does_not_begin_again(central: Central, lock_file: Path) -> None:
    with pytest.raises(StartError):
        begin_log(central, again=True)
    assert not lock_file.exists()


def test_the_folder_of_the_lock_must_be_there(site: Site, central: Central, tmp_path: Path) -> None:
    settings = replace(site.settings, checkpoint_lock=str(tmp_path / "nowhere" / "lock"))
    with pytest.raises(StartError):
        begin_log(replace(central, settings=settings), again=False)
    assert not (tmp_path / "nowhere").exists()


def test_a_relative_name_is_taken_from_the_data_folder(site: Site, central: Central) -> None:
    settings = replace(site.settings, checkpoint_lock="../apart/lock")
    path = checkpoint_lock(replace(central, settings=settings)).path
    assert path.resolve() == Path(site.settings.checkpoint_lock).resolve()
    assert isinstance(checkpoint_lock(central), CheckpointLock)


def test_silence_is_told(central: Central, sequencer: Sequencer) -> None:
    assert sequencer
    assert find_trouble(central) is None
    tick(central, SILENT_S + 1)
    assert find_trouble(central) is Trouble.SILENT


def test_an_alarm_is_told_once_until_the_log_goes_on(
    central: Central, sequencer: Sequencer, lock_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert sequencer
    duty, held = LogDuty(central), lock_file.read_bytes()
    lock_file.unlink()
    for seconds in (1, 1, 1):
        put(central, 1, begin=len(caplog.records) + seconds, what=str(central.clock.now()))
        tick(central, seconds)
        duty.tick()
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    lock_file.write_bytes(held)
    tick(central)
    duty.tick()
    assert [record.levelname for record in caplog.records] == ["CRITICAL", "WARNING"]


def test_another_name_for_the_log_is_refused_at_the_start(site: Site) -> None:
    close_central(site.open())
    with pytest.raises(StartError, match=r"central\.example/log"):
        open_central(replace(site.settings, log_origin="another.example/log"), site.clock)
    close_central(open_central(replace(site.settings, log_origin=""), site.clock))
