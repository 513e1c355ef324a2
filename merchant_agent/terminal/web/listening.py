"""Where a terminal's pages are reached, seen from beside it."""

from __future__ import annotations

import ipaddress
import socket

from merchant_agent.terminal.web.address import lan_address

_LOOPBACK = "127.0.0.1"
_PATIENCE_S = 1.0


def root_of(host: str, port: int) -> str:
    """The beginning of addresses of a terminal that is to listen on `host`, without a slash at the end.

    One that was started before the network was let in listens on this machine only: while it
    answers here and not there, the address is this machine's.
    """
    if not _is_every(host):
        return _root(host, port)
    there = lan_address() or _LOOPBACK
    here_only = _answers(_LOOPBACK, port) and not _answers(there, port)
    return _root(_LOOPBACK if here_only else there, port)


def _root(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_every(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_PATIENCE_S):
            return True
    except OSError:
        return False
