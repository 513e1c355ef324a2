"""How a measurement is told: what was measured, beside what, against which bar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of a report. `bar` says what it should be; `met` is None where there is no bar."""

    what: str
    measured: str
    reference: str = ""
    bar: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much to measure: `full` is what the bars were written for, and takes many minutes."""

    full: bool


def quantile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that `share` of all do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def in_ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def show(console: Console, title: str, figures: Sequence[Figure]) -> None:
    """The figures as a table."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("figure", "measured", "beside it", "bar", ""):
        table.add_column(heading, overflow="fold")
    for figure in figures:
        verdict = {None: "", True: "met", False: "[bold red]missed[/]"}[figure.met]
        table.add_row(figure.what, figure.measured, figure.reference, figure.bar, verdict)
    console.print(table)
