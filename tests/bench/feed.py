"""Customers of a feed from the till to central, through every program, and the verification of what is left."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rich.console import Console

from merchant_agent.demo.playing import Feed, play
from merchant_agent.demo.running import running_demo
from merchant_agent.evidence.archive import ExportZip
from merchant_agent.evidence.trust import load_trust
from merchant_agent.evidence.verify import verify_export
from merchant_agent.terminal.export import export_terminal
from tests.bench.report import Figure, Scale
from tests.bench.reviews import real_reviews, where_from

_CUSTOMERS = 3_000
_COUNTERS = 4


def measure(_scale: Scale) -> list[Figure]:
    """Each buys, taps, writes and presses done."""
    with tempfile.TemporaryDirectory(prefix="merchant-agent-bench-") as name:
        folder, out = Path(name, "demo"), Path(name, "export.zip")
        with running_demo(folder, terminal_port=0, central_port=0, tablets=_COUNTERS) as running:
            feed = Feed(reviews=tuple(real_reviews(_CUSTOMERS)), counters=_COUNTERS)
            played = play(running, feed, Console(stderr=True))
            export_terminal(running.folder.terminal, out)
            trust = load_trust(running.folder.trust.read_bytes())
        with ExportZip(out) as source:
            verdict = verify_export(source, trust)
    outcome = played.outcome
    return [
        Figure(
            what=f"{_CUSTOMERS:,} customers at {_COUNTERS} counters, {where_from()}",
            measured=f"{outcome.thanked / played.seconds:.0f} a second",
            reference="terminal, central and customers on the same cores",
        ),
        Figure(
            what="stored, uploaded, verified at central",
            measured=f"{outcome.stored:,}, {outcome.uploaded:,}, {outcome.verified:,}",
            reference=f"{outcome.sent:,} sent, {outcome.thanked:,} thanked",
            bar="all equal",
            met=outcome.is_complete,
        ),
        Figure(
            what="violations in the export",
            measured=f"{sum(verdict.counts.values())}",
            reference=f"{verdict.records:,} records, every signature",
            bar="0, trusted",
            met=not verdict.counts and verdict.trusted,
        ),
    ]
