"""Our own commands as processes of their own: how long they took, and how much memory they had."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One command: `seconds` of wall time, and the most memory it had."""

    seconds: float
    peak_mib: float


def run(*arguments: str) -> Run:
    """`merchant-agent` with these arguments, to its good end.

    Raises:
        RuntimeError: it ended otherwise.
    """
    begun = perf_counter()
    # Not subprocess: only wait4 tells the memory of this very child.
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "merchant_agent", *arguments],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"merchant-agent {' '.join(arguments)} found something")
    return Run(seconds=perf_counter() - begun, peak_mib=usage.ru_maxrss / 1024)
