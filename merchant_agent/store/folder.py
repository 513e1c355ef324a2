"""The data folder: one process at a time, on a disk of this machine.

The lock is an advisory lock on an open file: the system drops it when the process dies,
however it dies, so there is no stale lock to clear away.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from merchant_agent.errors import StartError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_MOUNTINFO = Path("/proc/self/mountinfo")

# Locks and shared memory are not dependable there, and SQLite's WAL needs both.
# Source: https://www.sqlite.org/wal.html, "all processes must be on the same host computer".
_NETWORK_FILE_SYSTEMS = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre", "davfs"),
        *("vboxsf", "vmhgfs", "prl_fs"),
        *("fuse.sshfs", "fuse.glusterfs", "fuse.rclone", "fuse.davfs2", "fuse.vmhgfs-fuse", "fuse.s3fs"),
    }
)


# See `whereabouts`.
ADDRESS_NAME = "address.json"


class DataFolder:
    """A folder for everything that one program keeps; made with mode 0700 where missing.

    `keys` and `backups` are its subfolders. Nothing is locked until `lock`. `mountinfo` is what
    the kernel tells of mounts, unless it is to be asked.

    Raises:
        StartError: it cannot be made, is no folder, or lies on a network file system.
    """

    def __init__(self, path: Path, *, mountinfo: str | None = None) -> None:
        self.path = path.absolute()
        self.keys = self.path / "keys"
        self.backups = self.path / "backups"
        try:
            for folder in (self.path, self.keys, self.backups):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(f"The data folder {self.path} cannot be used: {error.strerror}.") from error
        kind = file_system(self.path, mountinfo)
        if kind in _NETWORK_FILE_SYSTEMS:
            raise StartError(f"The data folder {self.path} lies on a network file system ({kind}).")
        self._lock_file: int | None = None

    def lock(self) -> None:
        """Makes this process the folder's only one, until `unlock` or its end.

        Raises:
            StartError: another process has it, or the lock file cannot be opened.
        """
        path = self.path / "lock"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StartError(f"The data folder {self.path} cannot be used: {error.strerror}.") from error
        try:
            _lock_descriptor(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise StartError(f"The data folder {self.path} is in use by another process.") from error
        self._lock_file = descriptor
        # A program that was killed left it; nobody listens there now.
        with suppress(OSError):
            (self.path / ADDRESS_NAME).unlink()

    def unlock(self) -> None:
        """Lets the next process in; nothing happens when not locked."""
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def __enter__(self) -> Self:
        self.lock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unlock()


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """One process and thread at a time in the block; `path` is an empty file, made for this where missing.

    Raises:
        OSError: somebody else is in it, or the file cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock_descriptor(descriptor)
        yield
    finally:
        os.close(descriptor)


def write_file_atomic(path: Path, data: bytes) -> None:
    """Replaces `path` by `data` (mode 0600), durable on return; readers see the old or the new file.

    Raises:
        OSError: nothing was replaced.
    """
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Brings a finished file's content to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Brings renames and new names in `path` to the disk; Windows does so by itself."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_system(path: Path, mountinfo: str | None = None) -> str:
    """The file system's name as the kernel calls it, such as `ext4`; "" where it tells none.

    Source: proc(5), /proc/pid/mountinfo.
    """
    if mountinfo is None:
        try:
            mountinfo = _MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return _windows_file_system(path)
    best, kind = -1, ""
    resolved = path.resolve()
    for line in mountinfo.splitlines():
        mount, _, rest = line.partition(" - ")
        point = Path(_unescape(mount.split(" ")[4]))
        # Of two mounts at one point the later one is on top.
        if resolved.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), rest.split(" ")[0]
    return kind


def _unescape(text: str) -> str:
    """Blanks and backslashes, which mountinfo writes as octal numbers."""
    for octal, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(octal, char)
    return text


def _windows_file_system(path: Path) -> str:
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415  # this platform alone

        remote = 4  # DRIVE_REMOTE
        if ctypes.windll.kernel32.GetDriveTypeW(path.resolve().anchor) == remote:
            return "smbfs"
    return ""


def _lock_descriptor(descriptor: int) -> None:
    """Takes the lock or raises OSError at once."""
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
