"""A file that only takes up space, to be given back when the disk is full.

With it released, central's acknowledgements and the quarantine can still be written
while ratings are refused with a plain word to the customer, until there is room again.
"""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from merchant_agent.store.folder import sync_folder

_log = logging.getLogger(__name__)

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Ballast:
    """`path` with `size_bytes` really written; 0 means no ballast."""

    path: Path
    size_bytes: int

    def ensure(self) -> bool:
        """Lays the ballast where it is missing and the disk has twice its size free; True when it lies there."""
        if self.path.exists() and self.path.stat().st_size == self.size_bytes:
            return True
        if shutil.disk_usage(self.path.parent).free < 2 * self.size_bytes:
            return False
        try:
            self._write()
        except OSError:
            self.path.unlink(missing_ok=True)
            return False
        return True

    def is_whole(self) -> bool:
        """Whether the reserve is there: as the ballast, laid now where it can be, or as free space."""
        return self.ensure() or shutil.disk_usage(self.path.parent).free >= self.size_bytes

    def release(self) -> bool:
        """Gives the space back; True when there was any."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        _log.warning("disk full: released %d bytes of ballast", self.size_bytes)
        return True

    def _write(self) -> None:
        """Random bytes: a file system that compresses would keep zeros in no space at all."""
        with self.path.open("wb") as file:
            left = self.size_bytes
            while left:
                left -= file.write(os.urandom(min(_CHUNK, left)))
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.path.parent)
