"""What is read of damaged files, whatever their size."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from merchant_agent.store.remains import mend_header

PAGE = 4096


def test_header_is_taken_from_a_large_backup_without_reading_it_whole(tmp_path: Path) -> None:
    damaged, backup = tmp_path / "terminal.db", tmp_path / "backup.db"
    damaged.write_bytes(bytes(3 * PAGE))
    first = b"SQLite format 3\0".ljust(PAGE, b"\x01")
    with backup.open("wb") as file:
        file.write(first)
        file.truncate(1 << 26)
    tracemalloc.start()
    try:
        mended = mend_header(damaged, backup)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert mended is not None
    assert mended.read_bytes()[16:24] == first[16:24]
