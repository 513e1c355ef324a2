"""What tests of all parts share: a clock that stands still, and a real PostgreSQL server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.clocks import ManualClock
from tests.enrolled import EnrolledJournal, enrolled_journal
from tests.postgres import PostgresCluster

# They start programs, load the machine, or measure time: no two of a group run at once.
_GROUPS = {
    "browsers": ("e2e/",),
    "programs": (
        "attacks/",
        "central/intake/test_at_once.py",
        "central/log/test_go.py",
        "demo/",
        "faults/",
        "house/",
        "terminal/pos/printer/test_relay.py",
        "terminal/test_memory.py",
        "web/test_server.py",
    ),
}


def _scope_of(nodeid: str) -> str:
    """The tests that one worker has together: a group, else a file, with what its tests share."""
    path = nodeid.partition("::")[0]
    inner = path.removeprefix("tests/")
    return next((group for group, paths in _GROUPS.items() if inner.startswith(paths)), path)


def _rank(scope: str) -> int:
    return list(_GROUPS).index(scope) if scope in _GROUPS else len(_GROUPS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The groups come first, the longest of all before: nobody waits for them at the end."""
    items.sort(key=lambda item: _rank(_scope_of(item.nodeid)))


class _ByGroup(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Not `--dist loadgroup`: pytest-xdist 3.8 finds no groups under pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _ByGroup:
    """With several workers: who runs what, in the order of the collection."""
    config.option.loadscopereorder = False
    return _ByGroup(config, log)


@pytest.fixture
def clock() -> ManualClock:
    """Noon in Shanghai, until the test moves it."""
    return ManualClock()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """One server for all tests of the session."""
    with PostgresCluster() as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """A fresh, empty database of the test's own."""
    with postgres_cluster.database() as url:
        yield url


@pytest.fixture
def enrolled(tmp_path: Path, clock: ManualClock) -> Iterator[EnrolledJournal]:
    """A terminal that was enrolled without a network, in `tmp_path/"terminal"`."""
    with enrolled_journal(tmp_path / "terminal", clock) as terminal:
        yield terminal


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium where it is installed, one for all tests; the hosts of `test` are this machine.

    Unlike 127.0.0.1 they are no secure context, just as a shop's network is none.
    """
    args = ["--host-resolver-rules=MAP *.test 127.0.0.1"]
    if os.geteuid() == 0:
        args.append("--no-sandbox")
    chromium = shutil.which("chromium")
    return browser_type_launch_args | {"args": args} | ({"executable_path": chromium} if chromium else {})
