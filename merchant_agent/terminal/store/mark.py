"""The high-water mark: how far the chain had come, kept outside the data folder.

It stops whoever copies the data folder, or the database in it, back to an earlier state and goes
on: the mark names a record that the ledger then lacks. It does not stop whoever takes the whole
disk back, or deletes the file too; that only central's head and the tablets show. It is
written after each commit and not brought to the disk by force: after a power cut it may be older
than the ledger, never newer.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from merchant_agent.evidence.fields import Head

_log = logging.getLogger(__name__)

_BYTES = 96
_FORM = re.compile(rb"([A-Za-z0-9_-]{11}) ([0-9]{1,5}) (-1|[0-9]{1,10}) ([A-Za-z0-9_-]{43}) *\n")


class Mark:
    """The file at `path`, made with its folder where missing; what cannot be written stops nothing.

    `is_failing` tells whether the last `write` did nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self.is_failing = False

    def read(self, issuer: str) -> Head | None:
        """The place that was marked for this issuer; None where there is none."""
        try:
            found = _FORM.fullmatch(self._path.read_bytes())
        except OSError:
            return None
        if found is None or found[1] != issuer.encode():
            return None
        return Head(epoch=int(found[2]), seq=int(found[3]), link=found[4].decode())

    def write(self, issuer: str, head: Head) -> None:
        """Marks that place, in one write of the same length as every other."""
        line = f"{issuer} {head.epoch} {head.seq} {head.link}".ljust(_BYTES - 1) + "\n"
        try:
            if self._descriptor is None:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, line.encode())
        except OSError as error:
            if not self.is_failing:
                _log.warning("the mark %s cannot be written: %s", self._path, error.strerror)
            self.is_failing = True
        else:
            self.is_failing = False

    def close(self) -> None:
        """Gives the file back; the next `write` opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def default_mark(data: Path) -> Path:
    """Beside the data folder: `/var/lib/merchant-agent.mark` for `/var/lib/merchant-agent`."""
    folder = data.absolute()
    return folder.with_name(folder.name + ".mark")
