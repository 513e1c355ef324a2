"""`merchant-agent central`: the bureau's server and what is done at its console.

Without a database address the data folder belongs to one process: while the server runs, what
these commands do is done on its pages.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from merchant_agent.central.app import create_app
from merchant_agent.central.codes import CodeKind, make_code
from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.merchants import (
    ImportRefusedError,
    MerchantInvalidError,
    add_merchant,
    import_merchants,
    read_merchant,
)
from merchant_agent.central.overview import list_merchants
from merchant_agent.central.rebuild import rebuild as rebuild_projections
from merchant_agent.central.schedule import Schedule
from merchant_agent.central.services import Central, close_central, open_central
from merchant_agent.clock import SystemClock
from merchant_agent.domain.text import check_line
from merchant_agent.errors import InvalidError, StartError
from merchant_agent.evidence.enrolment import format_code
from merchant_agent.evidence.trust import encode_trust
from merchant_agent.settings import CentralSettings, Value, documented, keep_good_copy, load
from merchant_agent.store.folder import write_file_atomic
from merchant_agent.store.whereabouts import forget_whereabouts, tell_whereabouts
from merchant_agent.web.logs import start_logging
from merchant_agent.web.server import announce, end_with_parent, serve
from merchant_agent.web.sign_in import check_password, set_secret
from merchant_agent.web.supervisor import READY, notify

_WHO = "console"
_THREADS = 16
_MAX_NAME_CHARS = 64

_Command = Callable[..., None]


def _every_setting(command: _Command) -> _Command:
    """A flag for each setting, named and explained as in the settings file."""
    for name, default, doc in reversed(documented(CentralSettings)):
        kind = click.INT if isinstance(default, int) else click.STRING
        command = click.option(f"--{name.replace('_', '-')}", name, type=kind, help=doc)(command)
    return command


_data = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Central's data folder, made where missing.",
)
_database = click.option("--database", help="PostgreSQL address, if it is not in the settings file.")


@click.group()
def central() -> None:
    """The bureau's server: run it, enrol merchants and terminals.

    Exit codes: 0 done; 1 not done, with one sentence on standard error; 2 wrong call.
    """


@central.command()
@_data
@_every_setting
@click.option("--ready-json", is_flag=True, help='Print {"url": ...} on standard output once ready.')
@click.option("--with-parent", is_flag=True, hidden=True, help="Stop when standard input ends.")
def run(data: Path, *, ready_json: bool, with_parent: bool, **flags: Value | None) -> None:
    """Serve central until it is told to stop (Ctrl-C or SIGTERM).

    For many terminals: gunicorn 'merchant_agent.central.app:wsgi()' with several workers behind nginx,
    MERCHANT_AGENT_DATA and MERCHANT_AGENT_DATABASE in the environment.
    """
    if with_parent:
        end_with_parent()
    settings = _load(data, flags)
    # The address that terminals are told must be known before the first of them can ask.
    settings = replace(settings, port=settings.port or _free_port(settings.host))
    with _opened(settings) as opened:
        start_logging(settings.data, "central", settings.log_bytes)
        app = create_app(opened)
        ready = announce("central", as_json=ready_json)

        def on_ready(url: str) -> None:
            keep_good_copy(CentralSettings, settings.data)
            tell_whereabouts(settings.data, settings.host, settings.port)
            ready(url)
            notify(READY)

        schedule = Schedule(opened)
        schedule.start()
        try:
            serve(
                app,
                host=settings.host,
                port=settings.port,
                threads=_THREADS,
                on_ready=on_ready,
                on_stop=lambda: None,
            )
        finally:
            forget_whereabouts(settings.data)
            schedule.stop()


@central.command("add-officer")
@_data
@_database
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")
def add_officer(data: Path, database: str | None, name: str, *, password_stdin: bool) -> None:
    """Let NAME sign in as an officer, or give NAME a new password."""
    try:
        name = check_line(name, code="name", min_chars=1, max_chars=_MAX_NAME_CHARS)
        password = check_password(_read_password(from_stdin=password_stdin))
    except InvalidError as error:
        raise click.UsageError(f"The {error.code} does not fit: {error.detail}.") from error
    with _opened(_load(data, {"database": database})) as opened:
        set_secret(opened.store, opened.clock, name=name, role="officer", secret=password, who=_WHO)
    is_known = opened.settings.public_url or opened.settings.port
    click.echo(f"{name} can sign in at {opened.public_url if is_known else ''}/officer")


@central.command("add-merchant")
@_data
@_database
@click.option("--name", required=True, help="Registered name.")
@click.option("--shop-name", default="", help="Name over the door; empty: the registered one.")
@click.option("--credit-code", required=True, help="18 characters from the licence.")
@click.option("--address", required=True, help="Address.")
@click.option("--trade", required=True, help="Trade, as its code or its name in the catalogue.")
@click.option("--phone", default="", help="Telephone.")
@click.option("--programme", default="none", help="Place in the consumer confidence programme.")
def add_merchant_command(data: Path, database: str | None, **entered: str) -> None:
    """Register one merchant and print its id."""
    with _opened(_load(data, {"database": database})) as opened:
        try:
            merchant = read_merchant(entered, opened.catalogue)
        except MerchantInvalidError as error:
            raise click.UsageError(f"The merchant does not fit: {error.detail}.") from error
        click.echo(add_merchant(opened, merchant, who=_WHO))


@central.command("import-merchants")
@_data
@_database
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def import_merchants_command(data: Path, database: str | None, file: Path) -> None:
    """Register or bring up to date every merchant of a CSV FILE, all of them or none."""
    try:
        octets = file.read_bytes()
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read: {error.strerror}.") from error
    with _opened(_load(data, {"database": database})) as opened:
        try:
            imported = import_merchants(opened, octets, who=_WHO)
        except ImportRefusedError as error:
            _tell_lines(error)
            raise StartError(f"Nothing was imported from {file}: {error.detail}.") from error
    click.echo(f"{imported.added} added, {imported.changed} changed, {imported.unchanged} unchanged")


@central.command("make-code")
@_data
@_database
@click.argument("merchant")
@click.option("--sheet", is_flag=True, help="For a printed sheet: valid for days, confirmed by an officer.")
def make_code_command(data: Path, database: str | None, merchant: str, *, sheet: bool) -> None:
    """Print an enrolment code, and on a second line until when it is valid.

    MERCHANT is a credit code or the id in the address of the merchant's page.
    """
    with _opened(_load(data, {"database": database})) as opened:
        kind = CodeKind.SHEET if sheet else CodeKind.SCREEN
        made = make_code(opened, _merchant_id(opened, merchant), kind, who=_WHO)
    click.echo(format_code(made.code))
    click.echo(made.expires_at.isoformat(timespec="seconds"))


@central.command("init-log")
@_data
@_database
@click.option("--checkpoint-lock", help="The file to make, if it is not in the settings file.")
@click.option("--again", is_flag=True, help="The file was lost, and the database was never restored.")
def init_log(data: Path, database: str | None, checkpoint_lock: str | None, *, again: bool) -> None:
    """Begin the log: make the file that remembers its newest checkpoint, once.

    Nothing else ever makes that file. Its folder must be there, on another disk than the database
    and outside of what is restored with it. On SQLite central must be stopped.
    """
    flags: dict[str, Value | None] = {"database": database, "checkpoint_lock": checkpoint_lock}
    with _opened(_load(data, flags)) as opened:
        begun = begin_log(opened, again=again)
    click.echo(f"The log {opened.identity.origin} begins with {begun.size} entries.")
    for key in opened.identity.trust().log:
        click.echo(key)


@central.command()
@_data
@_database
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write.")
def trust(data: Path, database: str | None, out: Path) -> None:
    """Write the file that pins central's root key and its log's, for `merchant-agent verify --trust`."""
    with _opened(_load(data, {"database": database})) as opened:
        octets = encode_trust(opened.identity.trust())
    try:
        write_file_atomic(out, octets)
    except OSError as error:
        raise StartError(f"{out} cannot be written: {error.strerror}.") from error
    click.echo(f"Written to {out}")


@central.command()
@_data
@_database
def rebuild(data: Path, database: str | None) -> None:
    """Make the pages' tables again from the ledger; on SQLite while central is stopped.

    Exit code 1 when rows differed from what the ledger says; they are put right then.
    """
    with _opened(_load(data, {"database": database})) as opened:
        found = rebuild_projections(opened.store)
    for difference in found.differences:
        where = ", ".join(difference.columns) or ("not in the ledger" if difference.is_live else "missing")
        click.echo(f"{difference.table} {'/'.join(map(str, difference.key))}: {where}", err=True)
    click.echo(f"{found.records} records read, {found.count} rows put right")
    if found.count:
        raise click.exceptions.Exit(1)


def _load(data: Path, flags: dict[str, Value | None]) -> CentralSettings:
    loaded = load(CentralSettings, data, flags=flags)
    for warning in loaded.warnings:
        click.echo(f"merchant-agent: {warning}", err=True)
    return loaded.settings


@contextmanager
def _opened(settings: CentralSettings) -> Iterator[Central]:
    opened = open_central(settings, SystemClock(ZoneInfo(settings.zone)))
    try:
        yield opened
    finally:
        close_central(opened)


def _merchant_id(opened: Central, text: str) -> str:
    """The id of the merchant with that credit code, or the text itself."""
    wanted = text.strip().upper()
    found = list_merchants(opened, search=wanted).items
    return next((item.entry.id for item in found if item.entry.credit_code == wanted), text)


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    typed: Any = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return str(typed)


def _tell_lines(error: ImportRefusedError) -> None:
    for found in error.problems:
        field = f" {found.problem.field}" if found.problem.field else ""
        click.echo(f"line {found.line}{field}: {found.problem.detail}", err=True)


def _free_port(host: str) -> int:
    """A port that nobody uses at this moment.

    Raises:
        StartError: this machine cannot listen on `host`.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        try:
            probe.bind((host, 0))
        except OSError as error:
            raise StartError(f"This machine cannot listen on {host}: {error.strerror}.") from error
        return int(probe.getsockname()[1])
