"""`python -m tests.bench`: all measurements, or those that are named."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys

from rich.console import Console

from tests.bench.report import Scale, show

BENCHES = {
    "rates": "The machine",
    "append": "Signed, durable append",
    "thanks": "From done to thank you",
    "crowd": "Fifty idle tablets",
    "browser": "The tablet in a browser",
    "tap": "The receipt printer tap",
    "intake": "Central's intake, every signature checked",
    "log": "Central's log",
    "wire": "Bytes on the wire",
    "idle": "The terminal at rest",
    "feed": "A feed through every program",
    "audit": "Verification of an export",
    "export": "Export of a terminal",
}


def main() -> None:
    """Measures and prints; a missed bar is shown, and is no failure of the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; all if none is given"
    )
    parser.add_argument(
        "--full", action="store_true", help="as large as the bars were written for; takes many minutes"
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(BENCHES)}")
    console = Console(width=None if sys.stdout.isatty() else 140)
    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    console.print(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, load {load:.1f}")
    if load > cores / 2:
        console.print(
            "Others are at work on this machine: compare what stands beside, not the figures alone."
        )
    for name in options.names or BENCHES:
        figures = importlib.import_module(f"tests.bench.{name}").measure(Scale(full=options.full))
        show(console, BENCHES[name], figures)


if __name__ == "__main__":
    main()
