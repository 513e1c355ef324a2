"""What a doctor sees of a program over the network: whether it answers, and what its clock says."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import urllib3

from merchant_agent.diagnosis import Check, attention, broken, healthy
from merchant_agent.store.whereabouts import Whereabouts
from merchant_agent.web.server import local_url

_TIMEOUT_S = 5.0
_CLOCK_APART = timedelta(minutes=2)


def ask_health(url: str) -> Mapping[str, Any] | None:
    """What a program of ours answers at `/healthz` of this address; None where none does."""
    try:
        answer = urllib3.request("GET", f"{url}/healthz", timeout=_TIMEOUT_S, retries=False, redirect=False)
        told = json.loads(answer.data)
    except (urllib3.exceptions.HTTPError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def check_running(
    told: Whereabouts | None, host: str, port: int, *, also: str = ""
) -> tuple[Check, Mapping[str, Any] | None]:
    """Whether the program answers where it said, or at `also`, with its `/healthz`; else whether its port is free."""
    urls = [url for url in ("" if told is None else local_url(told.host, told.port), also) if url]
    for url in urls:
        health = ask_health(url)
        if health is not None:
            return healthy("port", f"It runs and answers at {url}."), health
    if port and not _is_free(host, port):
        return broken("port", f"It does not answer, and another program has port {port}."), None
    return attention("port", "It does not run."), None


def check_clock(now: datetime, date: str | None, who: str) -> Check:
    """This machine's clock against the `Date` of an answer; None where it told none."""
    try:
        there = None if date is None else parsedate_to_datetime(date)
    except ValueError:
        there = None
    if there is None or there.tzinfo is None:
        return attention("clock", f"{who} told no time.")
    apart = now - there
    if abs(apart) > _CLOCK_APART:
        way = "ahead of" if apart > timedelta(0) else "behind"
        return attention(
            "clock", f"This clock is {abs(apart).total_seconds():.0f} s {way} {who}'s; set it right."
        )
    return healthy("clock", f"The clock agrees with {who}'s.")


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As the programs themselves do: connections that are only fading away are nobody's.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError:
            return False
    return True
