"""The two programs as child processes, watched over as a service manager would."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from merchant_agent.errors import StartError

READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 4.0


@dataclass(slots=True, kw_only=True)
class Child:
    """One program of ours, running with `arguments`; its own messages go to `log`."""

    name: str
    arguments: list[str]
    log: Path
    url: str = ""
    restarts: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def pid(self) -> int:
        """Process id of the running child; 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Starts the program and returns once it answers.

        Raises:
            StartError: it ended or stayed silent; the message is its own last line.
        """
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches the demo alone, which then stops its children in order.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
                [sys.executable, "-m", "merchant_agent", *self.arguments, "--ready-json"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        line = self._first_line()
        if not line:
            self.stop()
            raise StartError(f"The {self.name} did not start. {self._last_words()}".strip())
        self.url = json.loads(line)["url"]

    def revive(self) -> bool:
        """Starts the program again if it crashed; False when it was stopped on purpose."""
        if self._process is None or self._process.poll() is None:
            return True
        if self._process.returncode == 0:
            return False
        self.restarts += 1
        self.start()
        return True

    def stop(self) -> None:
        """Asks the program to stop, and ends it when it does not within a few seconds."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

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

    def _last_words(self) -> str:
        lines = self.log.read_text("utf-8", errors="replace").strip().splitlines()
        return lines[-1].removeprefix("merchant-agent: ") if lines else ""
