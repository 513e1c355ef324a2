"""`merchant-agent demo`: both programs on this machine, until Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from types import FrameType

import click
from rich.console import Console

from merchant_agent.demo.feed import read_reviews
from merchant_agent.demo.playing import Feed, play
from merchant_agent.demo.running import Running, running_demo
from merchant_agent.demo.telling import outcome_json, ready_json, ready_lines, tell_outcome

_LOOK_EVERY_S = 0.2


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-data"),
    show_default=True,
    help="Folder of the demo, made where missing: the terminal's data folder, with central's inside.",
)
@click.option(
    "--terminal-port", type=click.IntRange(0, 65535), default=8700, show_default=True, help="0: a free one."
)
@click.option(
    "--central-port", type=click.IntRange(0, 65535), default=8800, show_default=True, help="0: a free one."
)
@click.option(
    "--feed",
    type=click.Path(path_type=Path),
    help="CSV file with the columns label and review; each line is a customer.",
)
@click.option("--most", type=click.IntRange(1), help="Customers of the feed at most.")
@click.option(
    "--customers",
    type=click.IntRange(1, 16),
    default=4,
    show_default=True,
    help="Customers of the feed at once.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Of the chance by which a label becomes a level."
)
@click.option(
    "--exit", "exits", is_flag=True, help="End after the feed: with 0 if every rating arrived, else 1."
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON when ready, and one after the feed.")
def demo(  # noqa: PLR0913 -- a command's options
    *,
    data: Path,
    terminal_port: int,
    central_port: int,
    feed: Path | None,
    most: int | None,
    customers: int,
    seed: int,
    exits: bool,
    as_json: bool,
) -> None:
    """Run a central and an enrolled terminal with one example merchant on this machine.

    Both are real programs of their own, on loopback and SQLite. One that ends is started again;
    Ctrl-C stops both. The next start with the same folder goes on with it.

    With --feed customers come: each line of the file becomes a sale through the POS interface and
    a rating through the tablet's own endpoints. A table tells what was sent, stored, uploaded and
    verified; then the demo goes on until Ctrl-C, unless --exit.
    """
    if exits and feed is None:
        raise click.UsageError("--exit needs --feed.")
    customers_to_come = None
    if feed is not None:
        reviews = tuple(read_reviews(feed, seed, most))
        customers_to_come = Feed(reviews=reviews, counters=min(customers, max(1, len(reviews))))
    with (
        _stops_at_signal(),
        running_demo(
            data,
            terminal_port=terminal_port,
            central_port=central_port,
            tablets=customers_to_come.counters if customers_to_come else 0,
        ) as running,
    ):
        _tell_ready(running, as_json=as_json)
        if customers_to_come is not None:
            arrived = _play(running, customers_to_come, as_json=as_json)
            if exits:
                raise click.exceptions.Exit(0 if arrived else 1)
        while True:
            running.look_after()
            sleep(_LOOK_EVERY_S)


def _tell_ready(running: Running, *, as_json: bool) -> None:
    if as_json:
        click.echo(ready_json(running))
    else:
        for line in ready_lines(running):
            click.echo(line)


def _play(running: Running, feed: Feed, *, as_json: bool) -> bool:
    """Lets the customers come and tells what became of them; whether every rating arrived."""
    played = play(running, feed, Console(stderr=True))
    if as_json:
        click.echo(outcome_json(played.outcome))
    else:
        tell_outcome(Console(), played.outcome, played.seconds)
    return played.outcome.is_complete


@contextmanager
def _stops_at_signal() -> Iterator[None]:
    """Ends the block at SIGINT or SIGTERM; what it does while it ends is not disturbed by further ones."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        yield
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
