"""Playing a feed at a running demo: progress while it lasts, and what became of everybody at the end."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from time import monotonic, sleep

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from merchant_agent.clock import SystemClock
from merchant_agent.demo.feed import Counter, Review
from merchant_agent.demo.outcome import Outcome, look_up
from merchant_agent.demo.running import Running
from merchant_agent.demo.rush import Rush

_LOOK_EVERY_S = 0.5
# Without anything new at central for so long, the feed ends with what there is.
_ARRIVE_WITHIN_S = 60.0
_CLOSE_WITHIN_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Who comes, and at how many counters at once."""

    reviews: tuple[Review, ...]
    counters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """The end of a feed; `seconds` from the first customer to the last thank you."""

    outcome: Outcome
    seconds: float


def play(running: Running, feed: Feed, console: Console) -> Played:
    """Lets all customers of the feed come, looks after both programs, and waits for the uploads.

    Raises:
        StartError: the terminal refuses a customer, or a program cannot start any more.
        StoreError: a database cannot be read.
    """
    stopped = threading.Event()
    rush = Rush(feed.reviews, stopped)
    with _bars(console) as bars:
        view = _View(running=running, rush=rush, bars=bars, total=len(feed.reviews))
        begun = monotonic()
        try:
            rush.begin(_counters(running, feed, stopped))
            while not rush.is_over():
                view.look()
                sleep(_LOOK_EVERY_S)
        finally:
            stopped.set()
            rush.join(_CLOSE_WITHIN_S)
        seconds = monotonic() - begun
        return Played(outcome=_wait_for_uploads(view), seconds=seconds)


class _View:
    """Looks after the programs, and shows how far the customers have come."""

    def __init__(self, *, running: Running, rush: Rush, bars: Progress, total: int) -> None:
        self._running = running
        self._rush = rush
        self._bars = bars
        self._thanked = bars.add_task("thanked", total=total)
        self._verified = bars.add_task("verified", total=total)

    def look(self) -> Outcome:
        """Where all ratings are now.

        Raises:
            StartError: a program cannot start any more.
            StoreError: a database cannot be read.
        """
        self._running.look_after()
        answer_ids = [thanked.answer_id for thanked in self._rush.thanked]
        outcome = look_up(self._running.folder, sent=self._rush.sent, answer_ids=answer_ids)
        self._bars.update(self._thanked, completed=outcome.thanked)
        self._bars.update(self._verified, completed=outcome.verified)
        return outcome


def _wait_for_uploads(view: _View) -> Outcome:
    """What is at central once everything is, or once nothing came for a minute."""
    outcome = view.look()
    patient_until = monotonic() + _ARRIVE_WITHIN_S
    while not (outcome.thanked == outcome.uploaded == outcome.verified) and monotonic() < patient_until:
        sleep(_LOOK_EVERY_S)
        before, outcome = outcome, view.look()
        if outcome != before:
            patient_until = monotonic() + _ARRIVE_WITHIN_S
    return outcome


def _counters(running: Running, feed: Feed, stopped: threading.Event) -> list[Counter]:
    clock = SystemClock()
    return [
        Counter(
            terminal=running.terminal.url,
            till=str(number),
            pos_token=running.state.pos_token,
            tablet=tablet,
            clock=clock,
            stopped=stopped,
        )
        for number, tablet in enumerate(running.state.tablets[: feed.counters], start=1)
    ]


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:>9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
