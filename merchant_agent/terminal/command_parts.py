"""What the terminal's commands share: options, settings, and the database of a terminal that may run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from merchant_agent.clock import Clock, SystemClock
from merchant_agent.errors import FormatError, InvalidError, SettingsError, StartError
from merchant_agent.evidence.trust import Trust, load_trust
from merchant_agent.settings import TerminalSettings, Value, load
from merchant_agent.store.folder import DataFolder
from merchant_agent.store.store import Store
from merchant_agent.terminal.store.opening import open_existing, open_store

WHO = "console"
"""Who did it, in the log of deeds."""

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The terminal's data folder, made where missing.",
)
stdin_option = click.option(
    "--stdin", "from_stdin", is_flag=True, help="Read it from standard input, one line."
)
till_option = click.option("--till", default="", help="Name of the till; empty: every till.")


def load_settings(data: Path, flags: dict[str, Value | None] | None = None) -> TerminalSettings:
    """The settings of that data folder; warnings go to standard error.

    Raises:
        SettingsError: a setting does not fit.
    """
    loaded = load(TerminalSettings, data, flags=flags)
    for warning in loaded.warnings:
        click.echo(f"merchant-agent: {warning}", err=True)
    return loaded.settings


def make_clock(settings: TerminalSettings) -> SystemClock:
    """The machine's clock in the shop's time zone."""
    return SystemClock(ZoneInfo(settings.zone))


def read_trust(path: Path) -> Trust:
    """The roots that a trust file pins.

    Raises:
        SettingsError: it cannot be read, or is no trust file.
    """
    try:
        return load_trust(path.read_bytes())
    except (OSError, FormatError) as error:
        raise SettingsError(f"The trust file {path} cannot be used.") from error


@contextmanager
def opened_store(data: Path) -> Iterator[tuple[Store, Clock]]:
    """The database of a terminal that runs, or that nobody runs; made where it is missing."""
    settings = load_settings(data)
    folder = DataFolder(settings.data)
    with ExitStack() as ends:
        try:
            folder.lock()
        except StartError:
            store = open_existing(settings.data, read_only=False)
        else:
            ends.callback(folder.unlock)
            store = open_store(
                folder, ballast_bytes=settings.ballast_bytes, keep_backups=settings.backup_keep
            )
        ends.callback(store.close)
        yield store, make_clock(settings)


@contextmanager
def as_usage(what: str) -> Iterator[None]:
    """Tells of a value that does not fit as of a wrong call."""
    try:
        yield
    except InvalidError as error:
        raise click.UsageError(f"The {what} does not fit: {error.detail}.") from error


def read_secret(prompt: str, *, from_stdin: bool) -> str:
    """A secret as it was typed twice, or as one line of standard input."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    typed: Any = click.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True)
    return str(typed)
