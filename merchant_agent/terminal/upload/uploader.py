"""The uploader: a thread that sends what waits, and waits itself after what went wrong.

It is woken by every commit that appended, and by the schedule; what a customer said goes
at once, questions are gathered for a moment. It ends when it is stopped and for no other
reason: whatever the network or central does is an outcome.
"""

from __future__ import annotations

import logging
import math
import random
import threading
from collections import Counter
from collections.abc import Mapping

from merchant_agent.errors import StoreError
from merchant_agent.evidence.bodies import Kind
from merchant_agent.terminal.alarms import raise_alarm
from merchant_agent.terminal.inbox import Inbox
from merchant_agent.terminal.log.indices import Indices
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.appending import Appended
from merchant_agent.terminal.upload.backoff import Backoff
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.delivery import Delivery
from merchant_agent.terminal.upload.outcome import Code, Outcome
from merchant_agent.terminal.upload.progress import ALARMS
from merchant_agent.terminal.upload.status import UploadStatus, read_status

_log = logging.getLogger(__name__)

_STOP_TIMEOUT_S = 2.0
# One failure of this machine's own may pass; the second is told of.
_FAILURES_TO_TELL = 2
# What a customer just said; everything else may wait for company.
_AT_ONCE = frozenset({Kind.RATING, Kind.SUGGESTION, Kind.COMPLAINT})


class Uploader:
    """Uploads for one terminal over `client`, which it closes in the end; `rng` is the chance in its waits.

    After each run it looks into the inbox, and asks where records stand in the log, as far as these are given.

    `run_once` may be called from any thread; `start` has a thread of its own take each `turn`.
    """

    def __init__(
        self,
        terminal: Terminal,
        client: Client,
        *,
        rng: random.Random | None = None,
        inbox: Inbox | None = None,
        indices: Indices | None = None,
    ) -> None:
        self._terminal = terminal
        self._client = client
        self._delivery = Delivery(terminal, client, inbox, indices)
        self._backoff = Backoff(rng if rng is not None else random.SystemRandom())
        self._wake = threading.Condition()  # guards the three below
        self._due_mono: float | None = None
        self._not_before_mono = -math.inf
        self._stopping = False
        self._failures = 0
        self._outcomes: Counter[Code] = Counter()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to upload after each commit and each `poke`; to be called once."""
        self._terminal.journal.on_commit(self._hear)
        # A thread that hangs in a name look-up must not keep the process alive.
        self._thread = threading.Thread(target=self._work, name="uploader", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Cuts off what is under way and returns within 2 s; what was not answered stays kept."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        self._client.close()
        if self._thread is not None:
            self._thread.join(_STOP_TIMEOUT_S)

    def poke(self, delay_s: float = 0.0) -> None:
        """Has an upload begin `delay_s` from now, unless one is due earlier or a back-off lasts longer."""
        due = self._terminal.clock.mono() + delay_s
        with self._wake:
            if self._due_mono is None or due < self._due_mono:
                self._due_mono = due
                self._wake.notify_all()

    def turn(self) -> bool:
        """Uploads if that is due, and sees to the next attempt where it failed; whether it was due."""
        with self._wake:
            if self._left_s() > 0:
                return False
            self._due_mono = None
        outcome = self._run_safely()
        if outcome.code is not Code.NOTHING:
            _log.info("upload: %s %s", outcome.code, outcome.detail)
        self._count_failures(outcome)
        wait_s = self._backoff.wait_s(outcome)
        with self._wake:
            self._not_before_mono = self._terminal.clock.mono() + wait_s
        if wait_s > 0:
            self.poke(wait_s)
        return True

    def _count_failures(self, outcome: Outcome) -> None:
        """Raises an alarm over failures in a row; whatever central accepts later ends it."""
        self._failures = self._failures + 1 if outcome.code is Code.FAILED else 0
        if self._failures != _FAILURES_TO_TELL:
            return
        try:
            with self._terminal.store.write() as writer:
                raise_alarm(writer, at=self._terminal.clock.now(), code=ALARMS[Code.FAILED])
        except StoreError as error:
            _log.warning("upload: no alarm could be raised: %s", error.code)

    def run_once(self) -> Outcome:
        """Uploads now, whatever back-off lasts; the last outcome, `nothing` where nothing waited."""
        outcome = self._delivery.run()
        self._outcomes[outcome.code] += 1
        return outcome

    def outcomes(self) -> Mapping[Code, int]:
        """How often each outcome came since the start."""
        return dict(self._outcomes)

    def status(self) -> UploadStatus:
        """How the upload stands.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._wake:
            left = self._not_before_mono - self._terminal.clock.mono()
        with self._terminal.store.read() as reader:
            return read_status(reader, retry_in_s=left if left > 0 else None)

    def _hear(self, appended: tuple[Appended, ...]) -> None:
        """The journal's call after a commit."""
        at_once = any(entry.record.kind in _AT_ONCE for entry in appended)
        self.poke(0.0 if at_once else self._terminal.settings.upload_gather_ms / 1000)

    def _work(self) -> None:
        while self._wait_until_due():
            self.turn()

    def _wait_until_due(self) -> bool:
        """True once an upload is due, False when it is time to end."""
        with self._wake:
            while not self._stopping:
                left = self._left_s()
                if left <= 0:
                    return True
                self._wake.wait(None if left == math.inf else left)
        return False

    def _left_s(self) -> float:
        """Seconds until an upload is due; the caller holds `_wake`."""
        due = math.inf if self._due_mono is None else max(self._due_mono, self._not_before_mono)
        return due - self._terminal.clock.mono()

    def _run_safely(self) -> Outcome:
        """The thread's edge: a defect must not end a shop's uploads until somebody restarts the program."""
        try:
            return self.run_once()
        except Exception:  # noqa: BLE001 -- as said
            _log.exception("upload failed")
            self._outcomes[Code.FAILED] += 1
            return Outcome(code=Code.FAILED, detail="internal error")
