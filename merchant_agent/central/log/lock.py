"""The newest checkpoint of the log, in a file of its own that only moves forward.

It stands outside the database and its backups. A database that was restored to an earlier state
has forgotten what was published since, and would sign another root for a size that others have
seen; this file remembers. It is made by the command `central init-log` alone: a file that came
into being by itself would forgive exactly what it is there to refuse.

The file is the checkpoint's signed note, with the log's size and root: any tool that reads
checkpoints reads it. Only `<file>.guard`, which is empty, may be made anew beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from merchant_agent.errors import MerchantAgentError, StartError, VerificationError
from merchant_agent.evidence.checkpoint import Checkpoint, open_checkpoint
from merchant_agent.evidence.note import NoteKey
from merchant_agent.store.folder import file_lock, write_file_atomic


class Stop(StrEnum):
    """Why the log must not go on."""

    NOT_SET = "not-set"
    """No file is set: there is no log."""
    MISSING = "missing"
    """The file is not there."""
    UNUSABLE = "unusable"
    """The file cannot be read or written, or is no checkpoint of this log."""
    BEHIND = "behind"
    """The database has fewer leaves than were published: it was restored to an earlier state."""
    SPLIT = "split"
    """The database has other leaves than were published: it was restored, and went on from there."""
    MOVED = "moved"
    """Somebody else moves the lock: two databases share it."""


class LogStoppedError(MerchantAgentError):
    """The log must not go on until somebody has looked; nothing was signed."""

    code = "log-stopped"

    def __init__(self, stop: Stop, detail: str) -> None:
        super().__init__(f"the log stands still ({stop}): {detail}")
        self.stop = stop


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointLock:
    """The lock of the log with these `keys`; one process uses it at a time, which the database settles."""

    path: Path
    keys: tuple[NoteKey, ...]

    def create(self, octets: bytes) -> None:
        """Makes the file, holding that checkpoint; durable on return.

        Raises:
            StartError: there is one, or its folder is missing or cannot be written.
        """
        try:
            with file_lock(self._guard):
                if self.path.exists():
                    raise StartError(f"The log was begun: {self.path} remembers its newest checkpoint.")
                write_file_atomic(self.path, octets)
        except FileNotFoundError as error:
            raise StartError(f"The folder of {self.path} is missing: make it first.") from error
        except OSError as error:
            raise StartError(f"The file {self.path} cannot be made: {error.strerror or error}.") from error

    def read(self) -> Checkpoint:
        """The newest checkpoint that was ever signed, published or about to be.

        Raises:
            LogStoppedError: MISSING or UNUSABLE.
        """
        try:
            octets = self.path.read_bytes()
        except FileNotFoundError as error:
            detail = f"{self.path} is missing; put it back, or see central/README.md"
            raise LogStoppedError(Stop.MISSING, detail) from error
        except OSError as error:
            raise LogStoppedError(Stop.UNUSABLE, f"{self.path}: {error.strerror or error}") from error
        try:
            return open_checkpoint(octets, self.keys)
        except VerificationError as error:
            raise LogStoppedError(Stop.UNUSABLE, f"{self.path}: {error.detail}") from error

    def replace(self, before: Checkpoint, octets: bytes) -> None:
        """Moves from `before`, exactly, to a newer checkpoint; durable on return.

        Raises:
            LogStoppedError: MOVED where something else stands there; MISSING or UNUSABLE. The
                lock may have moved all the same: read it again.
        """
        try:
            with file_lock(self._guard):
                if self.read().octets != before.octets:
                    raise LogStoppedError(Stop.MOVED, f"{self.path} was moved by somebody else")
                write_file_atomic(self.path, octets)
        except OSError as error:
            raise LogStoppedError(Stop.UNUSABLE, f"{self.path}: {error.strerror or error}") from error

    @property
    def _guard(self) -> Path:
        return self.path.with_name(self.path.name + ".guard")
