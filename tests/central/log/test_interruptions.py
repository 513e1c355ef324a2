"""A sequencer that is interrupted at any point goes on without a second root for one size.

Each write x {fails and is not there, fails and is there} x {tried again, begun anew}. Failures are
real: the database's own triggers, a lock that cannot be written, a process that is killed.
"""

from __future__ import annotations

import base64
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.log.lock import LogStoppedError, Stop
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.services import Central, close_central
from merchant_agent.errors import MerchantAgentError, StartError, StoreError
from merchant_agent.store.folder import file_lock
from tests.central.conftest import Site
from tests.central.log.looking import Witness, logged, newest, put, tick

REPO = Path(__file__).resolve().parents[3]
KILLS = 6


@contextmanager
def refusing(site: Site, central: Central, table: str, *, at_commit: bool = False) -> Iterator[None]:
    """The database refuses new rows of a table: at once, or only when all is to be committed."""
    if site.is_postgres:
        kind = "CONSTRAINT TRIGGER refuse AFTER" if at_commit else "TRIGGER refuse BEFORE"
        when = "DEFERRABLE INITIALLY DEFERRED" if at_commit else ""
        _run(
            central,
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE disk_full; END$$",
            f"CREATE {kind} INSERT OR UPDATE ON {table} {when} FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
    else:
        for event in ("INSERT", "UPDATE"):
            name, body = f"refuse_{event.lower()}", "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            _run(central, f"CREATE TRIGGER {name} BEFORE {event} ON {table} {body}")
    try:
        yield
    finally:
        if site.is_postgres:
            _run(central, f"DROP TRIGGER refuse ON {table}")
        else:
            _run(central, "DROP TRIGGER refuse_insert", "DROP TRIGGER refuse_update")


@contextmanager
def unwritable(lock_file: Path) -> Iterator[None]:
    """Nothing can be written beside the lock: its draft's name is taken by a folder."""
    draft = lock_file.with_name(lock_file.name + ".new")
    draft.mkdir()
    try:
        yield
    finally:
        draft.rmdir()


def _run(central: Central, *statements: str) -> None:
    with central.store.database.alone() as handle:
        for statement in statements:
            handle.execute_sql(statement)


@contextmanager
def _failure(name: str, site: Site, central: Central, lock_file: Path) -> Iterator[None]:
    match name:
        case "leaves":
            failing = refusing(site, central, "log_leaf")
        case "tiles":
            failing = refusing(site, central, "log_tile")
        case "commit of the tree":
            failing = refusing(site, central, "log_tile", at_commit=True)
        case "lock":
            failing = unwritable(lock_file)
        case "lock in use":
            failing = file_lock(lock_file.with_name(lock_file.name + ".guard"))
        case "checkpoint":
            failing = refusing(site, central, "log_checkpoint")
        case _:
            failing = refusing(site, central, "log_checkpoint", at_commit=True)
    with failing:
        yield


@pytest.mark.parametrize("begun_anew", [False, True], ids=["tried again", "begun anew"])
@pytest.mark.parametrize("more", [False, True], ids=["as it was", "with more since"])
@pytest.mark.parametrize(
    "failing",
    [
        *("leaves", "tiles", "commit of the tree", "lock", "lock in use"),
        *("checkpoint", "commit of the checkpoint"),
    ],
)
def test_a_write_that_fails(
    site: Site, lock_file: Path, failing: str, *, begun_anew: bool, more: bool
) -> None:
    """What failed before the lock is not there; what failed after it is there, and unpublished."""
    central = site.open()
    begin_log(central, again=False)
    witness = Witness(central, lock_file)
    put(central, 300)
    Sequencer(central).run()
    put(central, 5, begin=300)
    tick(central)
    with _failure(failing, site, central, lock_file), pytest.raises((StoreError, LogStoppedError)):
        Sequencer(central).run()
    witness.look()
    assert newest(central).size == 300
    if more:
        put(central, 5, begin=305)
        tick(central)
    if begun_anew:
        close_central(central)
        central = witness.central = site.open()
    Sequencer(central).run()
    assert len(logged(central)) == (310 if more else 305)
    witness.require_one_log()
    close_central(central)


@pytest.mark.parametrize("killed_after", ["take_up", "publish"])
@pytest.mark.parametrize("more", [False, True], ids=["as it was", "with more since"])
def test_a_step_that_is_done_and_never_told(
    site: Site, lock_file: Path, killed_after: str, *, more: bool
) -> None:
    central = site.open()
    begin_log(central, again=False)
    witness = Witness(central, lock_file)
    put(central, 300)
    if killed_after == "publish":
        Sequencer(central).take_up()
    close_central(central)
    process = _work(site, lock_file, killed_after)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    central = witness.central = site.open()
    witness.look()
    assert len(logged(central)) == 300
    if more:
        put(central, 5, begin=300)
    Sequencer(central).run()
    witness.require_one_log()
    close_central(central)


@pytest.mark.parametrize("step", ["take_up", "publish"])
def test_a_step_that_another_did_meanwhile_is_not_done_twice(
    site: Site, central: Central, sequencer: Sequencer, lock_file: Path, step: str
) -> None:
    """An answer lost after the commit: whoever tries again finds it done."""
    witness = Witness(central, lock_file)
    put(central, 3)
    if step == "publish":
        sequencer.take_up()
    for _ in range(2):
        getattr(Sequencer(central), step)()
        witness.look()
    sequencer.run()
    assert len(logged(central)) == 3
    witness.require_one_log()
    assert site


def test_kills_at_any_moment(site: Site, lock_file: Path) -> None:
    """Killed a little later each time, in the middle of whatever it does."""
    central = site.open()
    begin_log(central, again=False)
    close_central(central)
    told: list[bytes] = []
    for round_ in range(KILLS):
        process = _work(site, lock_file, "for-ever")
        assert process.stdout is not None
        told += [base64.b64decode(process.stdout.readline()) for _ in range(1 + 3 * round_)]
        process.kill()
        told += [
            base64.b64decode(line)
            for line in process.stdout.read().splitlines(keepends=True)
            if line.endswith(b"\n")
        ]
        process.wait()
        process.stdout.close()
    central = site.open()
    witness = Witness(central, lock_file)
    witness.look(*told)
    tick(central, 10**9)
    Sequencer(central).run()
    witness.require_one_log()
    assert len(witness.seen) > KILLS
    close_central(central)


@pytest.mark.parametrize("failing", ["lock", "checkpoint", "commit of the checkpoint"])
def test_a_beginning_that_fails_is_begun_again(
    site: Site, central: Central, lock_file: Path, failing: str
) -> None:
    witness = Witness(central, lock_file)
    with _failure(failing, site, central, lock_file), pytest.raises(MerchantAgentError):
        begin_log(central, again=False)
    witness.look()
    if lock_file.exists():
        with pytest.raises(StartError):
            begin_log(central, again=False)
    else:
        with pytest.raises(LogStoppedError) as stopped:
            Sequencer(central).run()
        assert stopped.value.stop is Stop.MISSING
        begin_log(central, again=False)
    put(central, 2)
    Sequencer(central).run()
    witness.require_one_log()


def _work(site: Site, lock_file: Path, step: str) -> subprocess.Popen[bytes]:
    settings = site.settings
    arguments = [str(settings.data), settings.database, str(lock_file), step]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.central.log.worker", *arguments], cwd=REPO, stdout=subprocess.PIPE
    )
