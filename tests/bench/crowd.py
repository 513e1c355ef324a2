"""Fifty idle tablets at one terminal, each with its long poll: a till is answered, and its tablet wakes."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from time import perf_counter, sleep

from merchant_agent.demo.running import Running, running_demo
from tests.bench.line import Line
from tests.bench.processor import processor_s
from tests.bench.report import Figure, Scale, in_ms, quantile
from tests.bench.tablets import Polls

_TABLETS = 50
_BAR_SOLD_S = 0.2
_BAR_AWAKE_S = 0.3
_APART_S = 0.1
_SETTLE_S = 3.0


class _Awake:
    """When which order reached the tablet of its till."""

    def __init__(self) -> None:
        self._there = threading.Condition()
        self._at: dict[tuple[int, str], float] = {}  # under _there

    def hear(self, tablet: int, order: str) -> None:
        """A tablet shows the order."""
        with self._there:
            self._at[tablet, order] = perf_counter()
            self._there.notify_all()

    def when(self, tablet: int, order: str) -> float:
        """The moment at which it did."""
        with self._there:
            if not self._there.wait_for(lambda: (tablet, order) in self._at, 30):
                raise RuntimeError(f"tablet {tablet} never heard of {order}")
            return self._at[tablet, order]


def measure(scale: Scale) -> list[Figure]:
    """Sales of all tills in turn; the tablets are one process beside the terminal, on the same cores."""
    awake = _Awake()
    with (
        tempfile.TemporaryDirectory(prefix="merchant-agent-bench-") as folder,
        running_demo(Path(folder), terminal_port=0, central_port=0, tablets=_TABLETS) as demo,
    ):
        polls = Polls(demo, heard=awake.hear)
        sleep(_SETTLE_S)
        spent = processor_s(demo.terminal.pid)
        sleep(_SETTLE_S * 5)
        idle = (processor_s(demo.terminal.pid) - spent) / (_SETTLE_S * 5)
        sold, woken = _sell(demo, awake, 1000 if scale.full else 200)
        polls.close()
    return [
        Figure(
            what=f"a sale over HTTP, {_TABLETS} tablets polling, p99",
            measured=in_ms(quantile(sold, 0.99)),
            reference=f"p50 {in_ms(quantile(sold, 0.5))}, slowest {in_ms(max(sold))}; {len(sold)} sales",
            bar=f"under {in_ms(_BAR_SOLD_S)}",
            met=quantile(sold, 0.99) < _BAR_SOLD_S,
        ),
        Figure(
            what="from the till's request to the question at its tablet, p99",
            measured=in_ms(quantile(woken, 0.99)),
            reference=f"p50 {in_ms(quantile(woken, 0.5))}, slowest {in_ms(max(woken))}",
            bar=f"under {in_ms(_BAR_AWAKE_S)}",
            met=quantile(woken, 0.99) < _BAR_AWAKE_S,
        ),
        Figure(what=f"processor with {_TABLETS} tablets and no customer", measured=f"{idle:.2%} of one core"),
    ]


def _sell(demo: Running, awake: _Awake, count: int) -> tuple[list[float], list[float]]:
    """Seconds until the till was answered, and until its tablet was awake."""
    line = Line(demo.terminal.url)
    headers = {"Authorization": f"Bearer {demo.state.pos_token}", "Content-Type": "application/json"}
    sold, woken = [], []
    for number in range(count):
        tablet, order = number % _TABLETS, f"crowd-{number}"
        request = line.request(
            "POST", "/pos/v1/sales", headers, {"order": order, "till": str(tablet + 1), "amount": "64.00"}
        )
        begun = perf_counter()
        line.call(request)
        sold.append(perf_counter() - begun)
        woken.append(awake.when(tablet, order) - begun)
        sleep(_APART_S)
    line.close()
    return sold, woken
