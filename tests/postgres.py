"""A real PostgreSQL server for tests and benches, in a folder of its own."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

_VERSIONS = Path("/usr/lib/postgresql")
_ROLE = "postgres"
_PORT = 5432
_TIMEOUT_S = 60

# Nothing of a test's data has to outlive the machine.
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_SETTINGS = (
    "listen_addresses=",
    f"port={_PORT}",
    "max_connections=200",
    "shared_buffers=64MB",
    "log_min_messages=error",
)


class PostgresCluster:
    """A server from `start` to `stop`; a context manager that does both and leaves nothing behind.

    It listens on a socket in its own folder, so no port can be taken. Root starts it as the
    user `postgres`, everybody else as themselves. With `durable` it syncs to the disk as in
    production, for benches; without, it is as fast as it can be.

    Raises:
        RuntimeError: PostgreSQL is not installed.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._programs = _newest_programs()
        self._settings = _SETTINGS if durable else (*_SETTINGS, *_FAST)
        self._user = _ROLE if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._numbers = itertools.count(1)
        # Not below pytest's own folders: those are closed to other users.
        self.folder = Path(tempfile.mkdtemp(prefix="merchant-agent-pg-"))
        self._data = self.folder / "data"
        if os.geteuid() == 0:
            shutil.chown(self.folder, self._user)
        self._run(
            "initdb", "--auth=trust", f"--username={_ROLE}", "--encoding=UTF8", "--locale=C", "--no-sync"
        )

    def start(self) -> None:
        """Starts the server; returns when it answers."""
        options = " ".join(
            f"-c {setting}" for setting in (*self._settings, f"unix_socket_directories={self.folder}")
        )
        self._run(
            "pg_ctl", "start", "--wait", "--silent", f"--log={self.folder / 'log'}", f"--options={options}"
        )

    def stop(self) -> None:
        """Ends the server at once, as a power cut does; `start` brings it back."""
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate")

    def url(self, database: str) -> str:
        """How to reach one of its databases."""
        return f"postgresql://{_ROLE}@/{database}?host={quote(str(self.folder), safe='')}&port={_PORT}"

    @contextmanager
    def database(self, *, like: str | None = None) -> Iterator[str]:
        """The URL of a fresh database that is gone after the block, whoever still uses it.

        It is empty, or a copy of the one that has the URL `like`, to which nobody may be connected.
        """
        name = f"fresh_{next(self._numbers)}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        source = "template1" if like is None else urlsplit(like).path.removeprefix("/")
        self._administer(create.format(sql.Identifier(name), sql.Identifier(source)))
        try:
            yield self.url(name)
        finally:
            self._administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments, f"--pgdata={self._data}"],
            cwd=self.folder,
            user=self._user if os.geteuid() == 0 else None,
            group=self._user if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=_TIMEOUT_S,
            check=True,
        )


def _newest_programs() -> Path:
    found = [path.parent for path in _VERSIONS.glob("*/bin/initdb")]
    if not found:
        raise RuntimeError("PostgreSQL is not installed: run tests/system-packages")
    return max(found, key=lambda path: int(path.parent.name))
