"""Figures for Prometheus, in its text format, written by hand.

The format is some lines of text. Its usual library keeps every figure in memory, adds the process's
own, and costs a terminal 2 MiB; here all figures are read when they are asked for.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/, "Text-based format".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from flask import Response

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A figure by its full name; with a `label` there is one for each value of it."""

    name: str
    kind: Literal["gauge", "counter"]
    doc: str
    label: str = ""


Value = int | float | Mapping[str, int | float] | None


def exposition(metrics: Iterable[Metric], values: Mapping[str, Value]) -> str:
    """The text that Prometheus reads: each metric that has a value by its name, in the metrics' order.

    Raises:
        LookupError: a value is of no metric.
    """
    table = {metric.name: metric for metric in metrics}
    unknown = values.keys() - table.keys()
    if unknown:
        raise LookupError(f"no such metrics: {sorted(unknown)}")
    return "".join(_lines(metric, values.get(name)) for name, metric in table.items())


def metrics_response(metrics: Iterable[Metric], values: Mapping[str, Value]) -> Response:
    """The answer to a scrape, which nobody keeps."""
    response = Response(exposition(metrics, values), content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


def _lines(metric: Metric, value: Value) -> str:
    if value is None:
        return ""
    samples = value if isinstance(value, Mapping) else {"": value}
    head = f"# HELP {metric.name} {_escape(metric.doc)}\n# TYPE {metric.name} {metric.kind}\n"
    return head + "".join(f"{metric.name}{_label(metric, key)} {each}\n" for key, each in samples.items())


def _label(metric: Metric, value: str) -> str:
    escaped = _escape(value).replace('"', '\\"')
    return f'{{{metric.label}="{escaped}"}}' if metric.label else ""


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
