"""Waiting for a tablet's next screen, without a connection of the database meanwhile."""

from __future__ import annotations

from merchant_agent.terminal.collect.screen import Screen, Tablet
from merchant_agent.terminal.services import Terminal

LONGEST_WAIT_S = 20.0


def wait_for_screen(terminal: Terminal, tablet: Tablet, version: str, timeout_s: float) -> Screen:
    """The tablet's screen as soon as it is another than `version`, or after the time, 20 s at most.

    An empty `version` is answered at once, and a tablet that is nudged sooner. Never inside a read of the caller's.

    Raises:
        StoreError: the questions could not be read.
    """
    ends = terminal.clock.mono() + min(timeout_s, LONGEST_WAIT_S)
    nudged = terminal.nudges.count(tablet.id)
    while True:
        rings = terminal.bell.rings
        terminal.board.note_look(tablet, terminal.clock.mono())
        screen = terminal.board.screen(tablet)
        left_s = ends - terminal.clock.mono()
        is_over = screen.version != version or left_s <= 0 or terminal.nudges.count(tablet.id) != nudged
        if is_over or not terminal.bell.wait(rings, left_s):
            return screen
