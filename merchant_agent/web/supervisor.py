"""Telling systemd that the program is ready, and that it is alive. Nothing happens where nobody listens.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

READY = b"READY=1"
ALIVE = b"WATCHDOG=1"


def notify(state: bytes) -> None:
    """Sends `state` to the supervisor that the environment names."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(state, address)


def alive_every_s() -> float | None:
    """How often `ALIVE` is to be sent: twice in the time after which this process is ended; None for never."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    limit = os.environ.get("WATCHDOG_USEC", "")
    return int(limit) / 2e6 if limit.isdecimal() and int(limit) else None
