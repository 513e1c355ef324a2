from __future__ import annotations

from pathlib import Path

import pytest

from merchant_agent.store.ballast import Ballast

_SIZE = 3 << 20


@pytest.fixture
def ballast(tmp_path: Path) -> Ballast:
    return Ballast(tmp_path / "ballast", _SIZE)


def test_the_ballast_really_takes_the_space(ballast: Ballast) -> None:
    assert ballast.ensure()
    found = ballast.path.stat()
    assert found.st_size == _SIZE
    assert found.st_blocks * 512 >= _SIZE


def test_what_lies_there_is_left_alone(ballast: Ballast) -> None:
    ballast.ensure()
    before = ballast.path.stat().st_mtime_ns
    assert ballast.ensure()
    assert ballast.path.stat().st_mtime_ns == before


def test_a_part_left_by_a_crash_is_laid_anew(ballast: Ballast) -> None:
    ballast.path.write_bytes(b"part")
    assert ballast.ensure()
    assert ballast.path.stat().st_size == _SIZE


def test_it_is_released_once(ballast: Ballast) -> None:
    ballast.ensure()
    assert ballast.release()
    assert not ballast.release()
    assert not ballast.path.exists()


def test_the_last_space_of_a_disk_is_not_taken(tmp_path: Path) -> None:
    huge = Ballast(tmp_path / "ballast", 1 << 60)
    assert not huge.ensure()
    assert not huge.is_whole()
    assert not huge.path.exists()


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "ballast").symlink_to(tmp_path / "missing" / "ballast")
    ballast = Ballast(tmp_path / "ballast", _SIZE)
    assert not ballast.ensure()
    assert ballast.is_whole()


def test_the_reserve_is_whole_while_its_size_is_free(ballast: Ballast) -> None:
    assert ballast.is_whole()
    ballast.release()
    assert ballast.is_whole()
