"""Our own command line as other people call it: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

_TIMEOUT_S = 60


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a program ended."""

    code: int
    out: str
    said: str


def run_program(*arguments: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> Ended:
    """Runs `merchant-agent` to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "merchant_agent", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        env={**os.environ, **(environment or {})},
        check=False,
    )
    return Ended(code=done.returncode, out=done.stdout, said=done.stderr)


_STOP_S = 10


@contextmanager
def running_program(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Runs `merchant-agent` until the block ends; then it is asked to stop, and killed if it does not.

    Asked first: what the demo started is for the demo to stop.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "merchant_agent", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def require_one_sentence(ended: Ended, *words: str) -> None:
    """It was refused in one plain sentence that holds these words, and without a traceback."""
    assert ended.code == 1, ended
    assert ended.out == ""
    lines = ended.said.strip().splitlines()
    assert len(lines) == 1, ended.said
    assert lines[0].startswith("merchant-agent: ")
    assert lines[0].endswith((".", "?"))
    for word in words:
        assert word in lines[0]
