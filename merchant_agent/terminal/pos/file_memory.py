"""What a folder remembers of files: which contents were dealt with, by their hash, over restarts too.

A content is remembered while it lies in the folder and for 90 days after that. A folder that seems
empty says nothing: it may be the place of a share that is away.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from merchant_agent.store.store import Writer
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.models import PosFile

REMEMBERED: Final = timedelta(days=90)
# What lies there is noted anew in time, so that a program that is off for weeks forgets nothing.
_NOTED_AFTER: Final = REMEMBERED / 3
_TIDY_EVERY_S: Final = 3600.0
_OLD: Final = "old"


class FileMemory:
    """The contents of one way's files; of one thread."""

    def __init__(self, terminal: Terminal, way: int) -> None:
        self._terminal = terminal
        self._way = way
        # Not at once: first everything that lies there must have been looked at.
        self._tidy_from_mono = terminal.clock.mono() + _TIDY_EVERY_S

    def knows(self, digest: bytes) -> bool:
        """Whether a content with that SHA-256 was dealt with.

        Raises:
            StoreError: it could not be read.
        """
        row = PosFile
        with self._terminal.store.read() as reader:
            found = reader.first(row.select().where((row.way == self._way) & (row.digest == digest)))
        return found is not None

    def keep(self, digest: bytes, why: str) -> None:
        """Remembers it; `why` it was not taken, empty where it was.

        Raises:
            StoreError: it could not be written.
        """
        with self._terminal.store.write() as writer:
            self._keep(writer, digest, why)

    def keep_old(self, writer: Writer, digests: Collection[bytes]) -> None:
        """Remembers what lay there before anybody looked."""
        for digest in digests:
            self._keep(writer, digest, _OLD)

    def tidy(self, present: Collection[bytes]) -> None:
        """Notes what lies there, and forgets what did not for long; does something once an hour.

        Raises:
            StoreError: it could not be written.
        """
        mono = self._terminal.clock.mono()
        if not present or mono < self._tidy_from_mono:
            return
        self._tidy_from_mono = mono + _TIDY_EVERY_S
        now, row = self._terminal.clock.now(), PosFile
        of_way = row.way == self._way
        noted_long_ago = row.select(row.digest).where(of_way & (row.at < now - _NOTED_AFTER)).tuples()
        with self._terminal.store.write() as writer:
            for digest in {bytes(digest) for (digest,) in writer.all(noted_long_ago)} & set(present):
                writer.execute(row.update({row.at: now}).where(of_way & (row.digest == digest)))
            writer.execute(row.delete().where(of_way & (row.at < now - REMEMBERED)))

    def _keep(self, writer: Writer, digest: bytes, why: str) -> None:
        row = {"way": self._way, "digest": digest, "at": self._terminal.clock.now(), "why": why}
        writer.execute(PosFile.insert(row).on_conflict_ignore())
