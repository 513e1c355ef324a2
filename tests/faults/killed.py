"""Kills what changes a terminal's epoch at a chosen step: the so-manieth call of a function of this project.

A process of its own, which forks for each deed: `python -m tests.faults.killed DATA`. Each line of its
input is a deed and a step, `rotate 120`; the answer is `done STEPS`, or `killed`.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

from merchant_agent.clock import SystemClock
from merchant_agent.errors import MerchantAgentError
from merchant_agent.settings import TerminalSettings
from merchant_agent.store.backup import newest_backup
from merchant_agent.store.folder import DataFolder
from merchant_agent.terminal.collect.recovery import sign_kept
from merchant_agent.terminal.restoring import restore
from merchant_agent.terminal.rotation import end, rotate
from merchant_agent.terminal.services import Terminal, close_terminal, open_terminal
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.uploader import Uploader

_OURS = f"{os.sep}merchant_agent{os.sep}"


class Steps:
    """Counts calls, and kills this process at the last one it is given."""

    def __init__(self, last: int) -> None:
        self.count = 0
        self._last = last

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and _OURS in frame.f_code.co_filename:
            self.count += 1
            if self.count == self._last:
                os.kill(os.getpid(), signal.SIGKILL)


def _opened(data: Path, deed: Callable[[Terminal], object]) -> None:
    terminal = open_terminal(TerminalSettings(data=data, ballast_bytes=0), SystemClock())
    deed(terminal)
    close_terminal(terminal)


def _restore(data: Path) -> None:
    with DataFolder(data) as folder:
        backup = newest_backup(folder.backups, stem="terminal")
        assert backup is not None
        restore(folder, backup, SystemClock())


def _settle(terminal: Terminal) -> None:
    """What the running program does: asks for another epoch, and signs what was kept."""
    uploader = Uploader(terminal, Client(), rng=random.Random(7))  # noqa: S311 -- the same every time
    for _ in range(4):
        uploader.run_once()
        sign_kept(terminal)


_DEEDS: Mapping[str, Callable[[Path], None]] = {
    "rotate": lambda data: _opened(data, lambda terminal: rotate(terminal, "suspected")),
    "end": lambda data: _opened(data, lambda terminal: end(terminal, "closed")),
    "restore": _restore,
    "settle": lambda data: _opened(data, _settle),
}


def _do(deed: str, last: int, data: Path) -> str:
    """What became of it, in this process, if it lives."""
    steps = Steps(last)
    sys.setprofile(steps)
    try:
        _DEEDS[deed](data)
    except MerchantAgentError as error:
        return f"failed {error.code}"
    finally:
        sys.setprofile(None)
    return f"done {steps.count}"


def _in_child(deed: str, last: int, data: Path) -> str:
    """What became of it once the child that did it is gone, and with it the lock of the folder."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(tell, _do(deed, last, data).encode())
        os._exit(0)
    os.close(tell)
    os.waitpid(child, 0)
    with os.fdopen(told) as answer:
        return answer.read() or "killed"


def main() -> None:
    """Does what it is told, line by line."""
    data = Path(sys.argv[1])
    for line in sys.stdin:
        deed, last = line.split()
        sys.stdout.write(_in_child(deed, int(last), data) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
