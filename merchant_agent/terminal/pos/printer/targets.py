"""The real printer behind the terminal: a TCP port, a device file, or a queue of the Windows spooler.

An address is written `tcp://192.168.1.50:9100`, `file:///dev/usb/lp0` or `spool://XP-80C`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import select
import socket
import stat
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from merchant_agent.errors import InvalidError

PORT: Final = 9100
CONNECT_S: Final = 3.0
_PIECE_BYTES: Final = 16_384
_HOST_MAX_CHARS: Final = 253
_NAME: Final = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
_LOOK_EVERY_S: Final = 0.5
# Linux lets a USB printer be opened once: whoever printed before may need a moment to give it free.
_TRY_AGAIN_S: Final = 0.1
# A peer that is gone without a word is noticed after about two minutes.
_KEEP_ALIVE: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


class Target(ABC):
    """An open way to a printer; of one thread for each direction.

    `answers` says whether the printer may say something.
    """

    answers = False

    @abstractmethod
    def send(self, octets: bytes) -> None:
        """Hands over all of it, as fast as the printer takes it.

        Raises:
            OSError: the printer is gone.
        """

    def receive(self) -> bytes:
        """What the printer says next, waited for; empty once it says no more.

        Raises:
            OSError: the printer is gone.
        """
        return b""

    @abstractmethod
    def finish(self) -> None:
        """Tells the printer that nothing more comes; it may still say something."""

    @abstractmethod
    def close(self) -> None:
        """Gives the printer free; never raises."""


def check_address(address: str) -> str:
    """The address in its one form.

    Raises:
        InvalidError: "printer-address".
    """
    parts = _split(address)
    match parts.scheme:
        case "tcp":
            host = parts.hostname or ""
            return f"tcp://{f'[{host}]' if ':' in host else host}:{parts.port or PORT}"
        case "file":
            return f"file://{parts.path}"
        case _:
            return f"spool://{parts.netloc}"


def open_target(address: str) -> Target:
    """The printer at that address, within 3 s.

    Raises:
        InvalidError: "printer-address".
        OSError: it is off, or not there.
    """
    parts = _split(address)
    match parts.scheme:
        case "tcp":
            return _Tcp(parts.hostname or "", parts.port or PORT)
        case "file":
            return _open_device(unquote(parts.path))
        case _:
            return _open_spool(unquote(parts.netloc))


def keep_alive(connection: socket.socket) -> None:
    """Asks the system to notice, on a connection that is silent for hours, that the other side is gone."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE:
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError as error:
        raise InvalidError("printer-address", "the port is a number up to 65535") from error
    whole = {
        "tcp": _is_host(parts.hostname or "") and port != 0 and not parts.path.strip("/"),
        "file": parts.path.startswith("/") and not parts.netloc,
        "spool": bool(parts.netloc),
    }
    if not whole.get(parts.scheme, False):
        raise InvalidError(
            "printer-address", "tcp://ADDRESS:PORT, file:///dev/usb/lp0 or spool://QUEUE is expected"
        )
    return parts


def _is_host(host: str) -> bool:
    if ":" not in host:
        return len(host) <= _HOST_MAX_CHARS and _NAME.fullmatch(host) is not None
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class _Tcp(Target):
    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=CONNECT_S)
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keep_alive(self._socket)
        self.answers = True

    def send(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def receive(self) -> bytes:
        return self._socket.recv(_PIECE_BYTES)

    def finish(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        with suppress(OSError):
            # Wakes the other direction, which may be waiting.
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class _Device(Target):
    """A device file; one that is no device, or cannot be read from, is written to alone."""

    def __init__(self, path: str) -> None:
        flags = os.O_NOCTTY | os.O_NONBLOCK
        self._is_closed = threading.Event()
        self._lock = threading.Lock()  # guards the one below
        self._is_receiving = False
        try:
            self._file = _open_in_time(path, os.O_RDWR | flags)
            self.answers = stat.S_ISCHR(os.fstat(self._file).st_mode)
        except PermissionError:
            self._file = _open_in_time(path, os.O_WRONLY | flags)
        # Never closed under a thread that reads: a number that was closed may be another file's.
        self._reading = os.dup(self._file) if self.answers else -1

    def send(self, octets: bytes) -> None:
        left = memoryview(octets)
        while left:
            try:
                left = left[os.write(self._file, left) :]
            except BlockingIOError:
                select.select([], [self._file], [], _LOOK_EVERY_S)
                if self._is_closed.is_set():
                    raise

    def receive(self) -> bytes:
        with self._lock:
            if self._is_closed.is_set():
                return b""
            self._is_receiving = True
        try:
            return self._wait()
        finally:
            with self._lock:
                self._is_receiving = False
                if self._is_closed.is_set():
                    os.close(self._reading)

    def _wait(self) -> bytes:
        while not self._is_closed.is_set():
            if select.select([self._reading], [], [], _LOOK_EVERY_S)[0]:
                with suppress(BlockingIOError):
                    if said := os.read(self._reading, _PIECE_BYTES):
                        return said
                    # It has nothing to say, which is no end of the job.
                    self._is_closed.wait(_LOOK_EVERY_S)
        return b""

    def finish(self) -> None:
        """A device has no end of a job."""

    def close(self) -> None:
        with self._lock:
            if self._is_closed.is_set():
                return
            self._is_closed.set()
            is_read_by_nobody = self.answers and not self._is_receiving
        for file in (self._file, *([self._reading] if is_read_by_nobody else [])):
            with suppress(OSError):
                os.close(file)


class Spool(Target):
    """A queue of the Windows spooler, as one RAW job; it says nothing back.

    Source: Microsoft, winspool.h: OpenPrinter, StartDocPrinter, WritePrinter.
    """

    def __init__(self, queue: str) -> None:
        self._spooler = ctypes.WinDLL("winspool.drv", use_last_error=True)  # type: ignore[attr-defined]
        self._handle = ctypes.c_void_p()
        document = _DocInfo("merchant-agent", None, "RAW")
        self._lock = threading.Lock()  # guards the one below
        self._is_closed = False
        self._check(self._spooler.OpenPrinterW(queue, ctypes.byref(self._handle), None))
        try:
            self._check(self._spooler.StartDocPrinterW(self._handle, 1, ctypes.byref(document)))
        except OSError:
            self.close()
            raise

    def send(self, octets: bytes) -> None:
        """Hands it to the spooler, which keeps it while the printer is slow."""
        left = octets
        while left:
            written = ctypes.c_ulong(0)
            is_done = self._spooler.WritePrinter(self._handle, left, len(left), ctypes.byref(written))
            self._check(is_done and written.value)
            left = left[written.value :]

    def finish(self) -> None:
        """Ends the job, which the spooler prints then."""
        self._spooler.EndDocPrinter(self._handle)

    def close(self) -> None:
        """Gives the queue free."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._spooler.ClosePrinter(self._handle)

    @staticmethod
    def _check(is_done: int) -> None:
        if not is_done:
            raise OSError(ctypes.get_last_error(), "the spooler of Windows refused")  # type: ignore[attr-defined]


class _DocInfo(ctypes.Structure):
    """DOC_INFO_1W."""

    _fields_ = (
        ("name", ctypes.c_wchar_p),
        ("output", ctypes.c_wchar_p),
        ("type", ctypes.c_wchar_p),
    )


def _open_device(path: str) -> Target:
    if not hasattr(os, "O_NONBLOCK"):
        raise InvalidError("printer-address", "file:// is a device of Linux")
    return _Device(path)


def _open_in_time(path: str, flags: int) -> int:
    """The opened device; one that another holds is waited for."""
    for _ in range(round(CONNECT_S / _TRY_AGAIN_S)):
        try:
            return os.open(path, flags)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
        threading.Event().wait(_TRY_AGAIN_S)
    return os.open(path, flags)


def _open_spool(queue: str) -> Target:
    if not hasattr(ctypes, "WinDLL"):
        raise InvalidError("printer-address", "spool:// is the spooler of Windows")
    return Spool(queue)
