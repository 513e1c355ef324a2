"""A disk that destroys the database of a running shop, again and again: everybody who was thanked is found."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

from merchant_agent.demo.feed import Review
from merchant_agent.demo.processes import stop_all
from merchant_agent.domain.catalogue import LEVELS
from merchant_agent.store.backup import backup_into
from merchant_agent.store.folder import write_file_atomic
from merchant_agent.terminal.store.opening import DATABASE_NAME, open_existing
from tests.faults.fed import FedDemo, fed_demo, require_exactly_once

_PAGE = 4096


def _customers() -> list[Review]:
    return [Review(level=level, comment=f"说了第 {level} 级的话") for level in LEVELS]


def _overwrite(path: Path, page: int, octets: bytes) -> None:
    with path.open("rb+") as file:
        file.seek(page * _PAGE)
        file.write(octets)


def _copy_of_the_night(data: Path) -> None:
    """The nightly backup, made beside the running terminal."""
    store = open_existing(data, read_only=True)
    try:
        backup_into(store, data / "backups", stem=Path(DATABASE_NAME).stem, keep=7)
    finally:
        store.close()


def _quarantined(fed: FedDemo) -> int:
    return len(list(fed.running.folder.terminal.glob(f"quarantine/*/{DATABASE_NAME}")))


def test_a_database_destroyed_while_the_terminal_is_down_costs_nobody_thanked(tmp_path: Path) -> None:
    with fed_demo(tmp_path, cycle(_customers()), counters=3) as fed:
        path = fed.running.folder.terminal / DATABASE_NAME
        _copy_of_the_night(path.parent)
        for number in range(2):
            fed.pause(2.0)
            stop_all([fed.running.terminal])
            _overwrite(path, 0, bytes(_PAGE))
            fed.running.terminal.start()
            fed.pause(2.0)
            assert _quarantined(fed) == number + 1
        fed.close()
        require_exactly_once(fed.settle())
        fed.verify()


def test_a_key_that_is_gone_for_a_while_costs_nobody_thanked(tmp_path: Path) -> None:
    with fed_demo(tmp_path, cycle(_customers()), counters=2) as fed:
        fed.pause(1.0)
        (key,) = (fed.running.folder.terminal / "keys").glob("*.pem")
        pem = key.read_bytes()
        fed.running.terminal.kill()
        key.unlink()
        fed.running.look_after()
        fed.pause(2.0)
        fed.running.terminal.kill()
        fed.running.look_after()
        fed.pause(1.0)
        write_file_atomic(key, pem)
        fed.running.terminal.kill()
        fed.running.look_after()
        fed.pause(1.0)
        fed.close()
        require_exactly_once(fed.settle())
        fed.verify()
