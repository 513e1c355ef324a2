"""The terminal at rest with eight paired tablets: memory, processor, and how soon its first page is there."""

from __future__ import annotations

import http.client
import tempfile
from pathlib import Path
from time import perf_counter, sleep
from urllib.parse import urlsplit

from merchant_agent.demo.processes import stop_all
from merchant_agent.demo.running import Running, running_demo
from merchant_agent.terminal.web.pairing import COOKIE
from tests.bench.processor import processor_s
from tests.bench.report import Figure, Scale, quantile
from tests.bench.tablets import Polls

_TABLETS = 8
_BAR_MIB = 60.0
_BAR_CORE = 0.005
_BAR_START_S = 1.0
_STARTS = 5


def measure(scale: Scale) -> list[Figure]:
    """PSS counts what is shared with other processes in part, RSS in full."""
    settle_s, watch_s = (60.0, 120.0) if scale.full else (15.0, 45.0)
    with (
        tempfile.TemporaryDirectory(prefix="merchant-agent-bench-") as folder,
        running_demo(Path(folder, "demo"), terminal_port=0, central_port=0, tablets=_TABLETS) as demo,
    ):
        demo.terminal.environment = {
            **demo.terminal.environment,
            "PYTHONPATH": str(_without_central(Path(folder))),
            # As pip and the systemd unit have it: code that is compiled already, one heap for all threads.
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(Path(folder, "compiled")),
            "MALLOC_ARENA_MAX": "1",
        }
        _start(demo)  # compiles
        starts = [_start(demo) for _ in range(_STARTS)]
        polls = Polls(demo)
        sleep(settle_s)
        before = processor_s(demo.terminal.pid)
        sleep(watch_s)
        core = (processor_s(demo.terminal.pid) - before) / watch_s
        pss, rss = (_mib(demo.terminal.pid, name) for name in ("Pss", "Rss"))
        polls.close()
    start = quantile(starts, 0.5)
    return [
        Figure(
            what=f"memory with {_TABLETS} tablets polling",
            measured=f"{rss:.0f} MiB RSS",
            reference=f"{pss:.0f} MiB PSS; installed as in a shop, without central's extra",
            bar=f"at most {_BAR_MIB:.0f} MiB",
            met=rss <= _BAR_MIB,
        ),
        Figure(
            what="processor at rest",
            measured=f"{core:.2%} of one core",
            reference=f"over {watch_s:.0f} s",
            bar=f"under {_BAR_CORE:.1%}",
            met=core < _BAR_CORE,
        ),
        Figure(
            what="start to first page of the tablet",
            measured=f"{start:.2f} s",
            reference=f"median of {_STARTS}; slowest {max(starts):.2f} s",
            bar=f"within {_BAR_START_S:.0f} s",
            met=start <= _BAR_START_S,
        ),
    ]


def _without_central(folder: Path) -> Path:
    """A search path on which psycopg is not installed, as on a terminal: peewee loads it where it is."""
    path = folder / "shop"
    path.mkdir()
    for name in ("psycopg", "psycopg2"):
        (path / f"{name}.py").write_text('raise ImportError("not installed")\n')
    return path


def _start(demo: Running) -> float:
    """Seconds from the start of the process until the tablet's page was there in full."""
    stop_all([demo.terminal])
    begun = perf_counter()
    demo.terminal.start()
    connection = http.client.HTTPConnection(urlsplit(demo.terminal.url).netloc)
    connection.request("GET", "/kiosk", headers={"Cookie": f"{COOKIE}={demo.state.tablets[0]}"})
    answer = connection.getresponse()
    answer.read()
    if answer.status != http.client.OK:
        raise RuntimeError(f"/kiosk was answered with {answer.status}")
    return perf_counter() - begun


def _mib(pid: int, name: str) -> float:
    """Source: proc(5), /proc/pid/smaps_rollup."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))
