"""The only reader of wall time, monotonic time and boot identity.

Everything else is handed a `Clock`; tests hand over one that they move by hand.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

_BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One look at all clocks, as a record states it.

    `at` is aware and has whole milliseconds; `boot` is 11 characters that stay
    the same until the machine restarts; `uptime_ms` counts since then, sleep included.
    """

    at: datetime
    boot: str
    uptime_ms: int


class Clock(Protocol):
    """What the rest of the package may ask about time."""

    def read(self) -> Reading:
        """Wall clock, boot and uptime of the same moment."""

    def now(self) -> datetime:
        """Aware local wall time; a claim, never a reason to refuse anything."""

    def mono(self) -> float:
        """Seconds that never go back; only differences mean something."""


class SystemClock:
    """The machine's own clocks; local times are of `zone`."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone if zone is not None else ZoneInfo("Asia/Shanghai")
        self._boot = _boot_id()

    def read(self) -> Reading:
        """Wall clock, boot and uptime of the same moment."""
        return Reading(at=self.now(), boot=self._boot, uptime_ms=_uptime_ms())

    def now(self) -> datetime:
        """Aware local wall time, cut to milliseconds."""
        now = datetime.now(self._zone)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def mono(self) -> float:
        """Seconds since an arbitrary point."""
        return time.monotonic()


def format_at(moment: datetime) -> str:
    """RFC 3339 with milliseconds and offset, as `2026-11-24T10:26:34.123+08:00`."""
    return moment.isoformat(timespec="milliseconds")


def _boot_id() -> str:
    """11 characters of base64url; random for this process where the system tells none."""
    try:
        raw = hashlib.sha256(_BOOT_ID_FILE.read_bytes().strip()).digest()[:8]
    except OSError:
        raw = secrets.token_bytes(8)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _uptime_ms() -> int:
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    if boottime is None:
        # Windows: its monotonic clock counts through sleep as well.
        return time.monotonic_ns() // 1_000_000
    return time.clock_gettime_ns(boottime) // 1_000_000
