"""From "done" to "thank you" over HTTP, with eight tablets at once while a backlog goes up to central."""

from __future__ import annotations

import random
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from time import sleep
from typing import Any

import urllib3

from merchant_agent.clock import SystemClock
from merchant_agent.demo.feed import Review
from merchant_agent.demo.processes import stop_all
from merchant_agent.demo.running import Running, running_demo
from merchant_agent.demo.setup import opened_terminal
from merchant_agent.evidence.bodies import Kind, PromptBody, RatingBody
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import About
from merchant_agent.settings import TerminalSettings
from merchant_agent.terminal.store.journal import Journal
from tests.bench.processor import processor_s
from tests.bench.report import Figure, Scale, in_ms, quantile
from tests.bench.reviews import real_reviews
from tests.bench.tablets import Customer, Polls, finish_together

_TABLETS = 8
_BAR_S = 0.05
_BAR_BACKLOG = 300_000
_CHUNK = 500
_THINKING_S = 4.5
_PROMPT = PromptBody(till="1", source="http", sale="counter", asks=False, tag=encode_b64u(bytes(8)))


def measure(scale: Scale) -> list[Figure]:
    """Everybody presses done at the same moment, again and again; then each in a rhythm of their own."""
    backlog = _BAR_BACKLOG if scale.full else 60_000
    rounds = 250 if scale.full else 60
    with (
        tempfile.TemporaryDirectory(prefix="merchant-agent-bench-") as folder,
        running_demo(Path(folder), terminal_port=0, central_port=0, tablets=_TABLETS) as demo,
    ):
        polls = Polls(demo)
        quiet = _together(demo, rounds, "quiet")
        polls.close()
        _add_backlog(demo, backlog)
        before = _health(demo)["waiting"]
        polls = Polls(demo)
        spent = processor_s(demo.terminal.pid)
        busy = _together(demo, rounds, "busy")
        spent = processor_s(demo.terminal.pid) - spent
        middle = _health(demo)["waiting"]
        own = _in_own_rhythm(demo, rounds // 8, "own")
        polls.close()
        after = _health(demo)["waiting"]
    return [
        Figure(
            what=f"done to thanks, {_TABLETS} tablets at once, nothing to upload, p50",
            measured=in_ms(quantile(quiet, 0.5)),
            reference=f"p99 {in_ms(quantile(quiet, 0.99))}",
        ),
        Figure(
            what=f"{_TABLETS} tablets at once while {before:,} records go up, p50",
            measured=in_ms(quantile(busy, 0.5)),
            reference=f"{before - middle:,} records went up meanwhile, {after:,} were left in the end",
        ),
        Figure(
            what="the same, p99",
            measured=in_ms(quantile(busy, 0.99)),
            reference=f"{len(busy):,} ratings, a slip each; central and the tablets are on the same cores",
            bar=f"under {in_ms(_BAR_S)}",
            met=quantile(busy, 0.99) < _BAR_S,
        ),
        Figure(
            what="processor of the terminal for a customer, and the uploads meanwhile",
            measured=in_ms(spent / len(busy)),
        ),
        Figure(
            what=f"{_TABLETS} tablets in their own rhythm while records go up, p50",
            measured=in_ms(quantile(own, 0.5)),
            reference=f"p99 {in_ms(quantile(own, 0.99))}; {len(own):,} ratings, {_THINKING_S:.1f} s between taps",
        ),
    ]


def _together(demo: Running, count: int, name: str) -> list[float]:
    """Seconds of each thanks, in rounds of one by every tablet at the same moment."""
    customers = _customers(demo)
    seconds = []
    for turn, review in enumerate(real_reviews(count)):
        done = [
            customer.begin(f"{name}-{number}-{turn}", review.level, review.comment)
            for number, customer in enumerate(customers)
        ]
        seconds += finish_together(customers, done)
    return seconds


def _in_own_rhythm(demo: Running, count: int, name: str) -> list[float]:
    """Seconds of each thanks, where every customer takes their time before done."""
    reviews = real_reviews(count)

    def visit(number: int, customer: Customer) -> list[float]:
        chance = random.Random(number)  # noqa: S311 -- no key
        seconds = []
        for turn, review in enumerate(reviews):
            done = customer.begin(f"{name}-{number}-{turn}", review.level, review.comment)
            sleep(chance.expovariate(1 / _THINKING_S))
            seconds.append(customer.finish(done))
        return seconds

    customers = _customers(demo)
    with ThreadPoolExecutor(_TABLETS) as pool:
        return [second for visited in pool.map(visit, range(_TABLETS), customers) for second in visited]


def _customers(demo: Running) -> list[Customer]:
    return [Customer(demo, str(number + 1), demo.state.tablets[number]) for number in range(_TABLETS)]


def _add_backlog(demo: Running, count: int) -> None:
    """Ratings of sales long past, as if central had been away for weeks; then the terminal starts."""
    stop_all([demo.terminal])
    settings = TerminalSettings(data=demo.folder.terminal)
    with opened_terminal(settings, SystemClock()) as terminal:
        reviews = iter(real_reviews(count // 2))
        while chunk := list(islice(reviews, _CHUNK)):
            _append(terminal.journal, chunk)
    demo.terminal.start()


def _append(journal: Journal, reviews: list[Review]) -> None:
    with journal.write() as writer:
        for review in reviews:
            prompt = writer.append(Kind.PROMPT, _PROMPT)
            rating = RatingBody(
                level=review.level,
                aspects=(),
                tags=(),
                channel="tablet",
                ended="done",
                dwell_ms=4000,
                lang="zh",
                catalogue="2026-1",
                claim=None,
            )
            about = About(prompt=prompt.place, case=None)
            writer.append(Kind.RATING, rating, about=about, disclosures={"comment": review.comment})


def _health(demo: Running) -> dict[str, Any]:
    told: dict[str, Any] = urllib3.request("GET", f"{demo.terminal.url}/healthz").json()
    return told
