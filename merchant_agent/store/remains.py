"""What can still be read of a damaged SQLite file, row by row, past the pages that cannot.

Nothing here writes: the file is evidence. Its WAL, where one lies beside it, is read with it.
"""

from __future__ import annotations

import logging
import mmap
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import apsw

_log = logging.getLogger(__name__)

_UNREADABLE = (apsw.Error, ValueError)
_LAST_ROWID = 1 << 48
_NAME = re.compile(r"[a-z_]+")
_MAGIC = b"SQLite format 3\0"
_PAGE_BYTES = 4096
_FEWEST_PAGES = 2
_COUNTER_AT, _SIZE_AT, _VALID_FOR_AT = 24, 28, 92


class Remains:
    """The file at `path`; a query that meets damage gives what it found until then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: apsw.Connection | None = None
        try:
            self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            self._connection.execute("PRAGMA cell_size_check = 1")
        except apsw.Error as error:
            _log.warning("%s cannot be opened: %s", path.name, type(error).__name__)

    def close(self) -> None:
        """Gives the file back."""
        if self._connection is not None:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def find(self, text: str, *parameters: object) -> list[tuple[object, ...]]:
        """The rows of a query, those before the damage where it meets some."""
        found: list[tuple[object, ...]] = []
        if self._connection is not None:
            try:
                found.extend(self._connection.execute(text, parameters))
            except _UNREADABLE as error:
                _log.debug("%s: %s", self.path.name, type(error).__name__)
        return found

    def columns(self, table: str) -> tuple[str, ...]:
        """The table's columns; empty where there is no such table that can be read."""
        return tuple(str(row[1]) for row in self.find(f"PRAGMA table_info({_checked(table)})"))

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[tuple[object, ...]]:
        """Every row that can be read, in the order of their numbers; damaged pages are leapt over."""
        names = ", ".join(f'"{_checked(name)}"' for name in columns)
        query = f'SELECT rowid, {names} FROM "{_checked(table)}" WHERE rowid > ? ORDER BY rowid'  # noqa: S608 -- checked
        last, leap = 0, 1
        while last < _LAST_ROWID and self._connection is not None:
            try:
                for row in self._connection.execute(query, (last,)):
                    last, leap = row[0], 1
                    yield row[1:]
            except _UNREADABLE:
                last, leap = last + leap, leap * 2
            else:
                return


def mend_header(path: Path, pattern: Path) -> Path | None:
    """A copy beside a file whose first page is destroyed, with that of `pattern`; None where none is needed or possible.

    The first page says where every table begins. `pattern` has the same tables, made in the same order:
    a backup of the file, or a new database. The copy is for reading alone.

    Raises:
        OSError: it could not be written.
    """
    with path.open("rb") as file:
        is_whole = file.read(len(_MAGIC)) == _MAGIC
    with pattern.open("rb") as file:
        octets = file.read(_PAGE_BYTES)
    pages = path.stat().st_size // _PAGE_BYTES
    if is_whole or pages < _FEWEST_PAGES or not octets.startswith(_MAGIC):
        return None
    first = bytearray(octets)
    # Source: https://www.sqlite.org/fileformat.html, section 1.3: the size counts where both counters agree.
    first[_SIZE_AT : _SIZE_AT + 4] = pages.to_bytes(4, "big")
    first[_VALID_FOR_AT : _VALID_FOR_AT + 4] = first[_COUNTER_AT : _COUNTER_AT + 4]
    copy = path.with_name(path.name + ".mended")
    shutil.copyfile(path, copy)
    with copy.open("rb+") as file:
        file.write(first)
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        shutil.copyfile(wal, copy.with_name(copy.name + "-wal"))
    return copy


def find_in_octets(paths: Sequence[Path], pattern: re.Pattern[bytes]) -> Iterator[bytes]:
    """What the pattern matches in the files' octets, wherever it stands; files that are missing have none."""
    for path in paths:
        if not path.is_file() or path.stat().st_size == 0:
            continue
        with path.open("rb") as file, closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as octets:
            for match in pattern.finditer(octets):
                yield match[0]


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name} is no name of ours")
    return name
