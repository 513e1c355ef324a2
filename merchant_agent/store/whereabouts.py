"""Where the program that has a data folder listens, told to those who come to the folder beside it.

The file is made once the pages answer and removed at an orderly stop. A program that was killed
leaves it behind; so whoever locks the folder removes it first (`DataFolder.lock`), and it counts
only while another process has the lock, or answers there.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from merchant_agent.store.folder import ADDRESS_NAME, write_file_atomic


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """The address and port that a program listens on, its process, and central's address as it uses it."""

    host: str
    port: int
    pid: int
    central: str = ""


def tell_whereabouts(data: Path, host: str, port: int, central: str = "") -> None:
    """Says where this process listens.

    Raises:
        OSError: the file cannot be written.
    """
    told = {"host": host, "port": port, "pid": os.getpid(), "central": central}
    write_file_atomic(data / ADDRESS_NAME, json.dumps(told).encode() + b"\n")


def forget_whereabouts(data: Path) -> None:
    """Nobody listens any more; nothing happens where nobody was told of."""
    with suppress(OSError):
        (data / ADDRESS_NAME).unlink()


def read_whereabouts(data: Path) -> Whereabouts | None:
    """Where a program says that it listens; None where none does, or the file is not one of ours.

    It may have died since: ask at the address, or try the folder's lock.
    """
    try:
        told = json.loads((data / ADDRESS_NAME).read_bytes())
        return Whereabouts(
            host=str(told["host"]),
            port=int(told["port"]),
            pid=int(told["pid"]),
            central=str(told.get("central", "")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
