"""The first thing that a running terminal signs: its start, once central was asked how far it knows this chain.

Somebody may have put yesterday's disk in place of today's. Pages come first, and no sale waits
longer than two seconds for this; an answer that comes later still counts.
"""

from __future__ import annotations

import logging
import threading

from merchant_agent.errors import OnHoldError, StoreError
from merchant_agent.terminal.administration import record_start
from merchant_agent.terminal.heads import Unknown, ask_head, judge_head
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.upload.client import Client

_log = logging.getLogger(__name__)

LONGEST_WAIT_S = 2.0
_STOP_TIMEOUT_S = 2.0


class Beginning:
    """Nothing is signed from here until `start` has done its work, or two seconds are over.

    Raises:
        SettingsError: a file that the settings name cannot be used.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        settings = terminal.settings
        self._client = Client(proxy=settings.proxy, ca_file=settings.central_ca, deadline_s=LONGEST_WAIT_S)
        self._asking = threading.Thread(target=self._ask, name="head", daemon=True)
        self._signing = threading.Thread(target=self._sign, name="beginning", daemon=True)
        if terminal.journal.enrolled:
            terminal.journal.hold_back(LONGEST_WAIT_S)

    def start(self) -> None:
        """Asks central and signs the start, in threads of its own; to be called once."""
        if self._terminal.journal.enrolled:
            self._asking.start()
            self._signing.start()

    def stop(self) -> None:
        """Cuts off what is under way; within 2 s."""
        self._client.close()
        for thread in (self._signing, self._asking):
            if thread.is_alive():
                thread.join(_STOP_TIMEOUT_S)

    def _sign(self) -> None:
        # Before those who wait are let through: the start stands before what they sign.
        self._asking.join(LONGEST_WAIT_S * 0.9)
        with self._terminal.journal.first():
            record_start(self._terminal)

    def _ask(self) -> None:
        terminal = self._terminal
        base = terminal.settings.central_url or terminal.journal.identity.central_url
        if terminal.journal.hold is not None or not base:
            return
        try:
            answer = ask_head(terminal, self._client, base)
            if isinstance(answer, Unknown):
                _log.info("central's head is not known: %s", answer.detail)
                return
            hold = judge_head(terminal, answer)
            if hold is not None:
                terminal.journal.put_on_hold(hold, f"central stands at {answer.head.seq}")
        except (StoreError, OnHoldError) as error:
            _log.warning("central's head could not be compared: %s", error.code)
