"""The two programs as child processes, watched over as a service manager would.

They end by themselves when this process dies, however it dies: each reads a pipe of which this
process alone has the other end.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from merchant_agent.errors import StartError

READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 4.0


@dataclass(slots=True, kw_only=True)
class Child:
    """One program of ours, running with `arguments`; its own messages go to `log`.

    `environment` is added to this process's own.
    """

    name: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    restarts: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def pid(self) -> int:
        """Process id of the running child; 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts the program and returns once it answers.

        Raises:
            StartError: it ended or stayed silent; the message is its own last line.
        """
        with self.log.open("ab") as log:
            said_before = log.tell()
            # A session of its own: Ctrl-C reaches the demo alone, which then stops its children in order.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
                [sys.executable, "-m", "merchant_agent", *self.arguments, "--ready-json", "--with-parent"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        line = self._first_line()
        if not line:
            stop_all([self])
            raise StartError(
                self._last_words(said_before) or f"The {self.name} did not start; see {self.log}."
            )
        self.url = json.loads(line)["url"]

    def revive(self) -> None:
        """Starts the program again if it ended, for whatever reason.

        Raises:
            StartError: it cannot start any more.
        """
        if self.is_running:
            return
        self._close()
        self.restarts += 1
        self.start()

    def kill(self) -> None:
        """Ends the program as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def ask_to_stop(self) -> None:
        """Sends the signal to stop; nothing where it has ended."""
        if self._process is not None:
            self._process.terminate()

    def wait_stopped(self, timeout_s: float) -> None:
        """Returns once the program has ended; ends it when the time is over."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, timeout_s))
        except subprocess.TimeoutExpired:
            self.kill()
        self._close()

    def _close(self) -> None:
        if self._process is None:
            return
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _first_line(self) -> bytes:
        """The line that tells of readiness; empty when the child ended or the time is over."""
        process = self._process
        if process is None or process.stdout is None:
            return b""
        ends = monotonic() + READY_TIMEOUT_S
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while monotonic() < ends:
                if selector.select(timeout=0.5):
                    return process.stdout.readline()
        return b""

    def _last_words(self, said_before: int) -> str:
        """The last line that this start of the program wrote, without the program's name."""
        said = self.log.read_bytes()[said_before:].decode("utf-8", "replace")
        lines = said.strip().splitlines()
        return lines[-1].removeprefix("merchant-agent: ") if lines else ""


def stop_all(children: Sequence[Child]) -> None:
    """Asks all of them to stop at once, and ends those that do not within a few seconds."""
    ends = monotonic() + STOP_TIMEOUT_S
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.wait_stopped(ends - monotonic())
