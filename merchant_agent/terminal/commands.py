"""`merchant-agent terminal`, `export` and `rebuild`: what is done in the shop without a page.

Secrets and links can be made while the terminal runs: they stand in tables that only hold
them. Whatever touches the ledger needs the data folder for itself.

What the running terminal does not need is imported where it is called: it runs all day on a small machine.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import click

from merchant_agent.clock import Clock, SystemClock
from merchant_agent.errors import FormatError, InvalidError, SettingsError, StartError
from merchant_agent.evidence.bodies import ERASABLE, SEALED, Kind
from merchant_agent.evidence.fields import MAX_EPOCH, MAX_SEQ, Place
from merchant_agent.evidence.trust import Trust, load_trust
from merchant_agent.settings import TerminalSettings, Value, documented, load
from merchant_agent.store.credentials import audit
from merchant_agent.store.folder import DataFolder
from merchant_agent.store.store import Store
from merchant_agent.store.whereabouts import read_whereabouts
from merchant_agent.terminal import accounts
from merchant_agent.terminal.app import choose_host
from merchant_agent.terminal.app import run as run_terminal
from merchant_agent.terminal.devices import LINK_VALID_S, make_pairing_link, make_pos_token
from merchant_agent.terminal.enrolment import Enrolled
from merchant_agent.terminal.enrolment import enrol as enrol_terminal
from merchant_agent.terminal.erasure import Reason, find_by_code
from merchant_agent.terminal.erasure import erase as erase_words
from merchant_agent.terminal.log.fetching import TileSource
from merchant_agent.terminal.restoring import list_backups
from merchant_agent.terminal.restoring import restore as restore_backup
from merchant_agent.terminal.rotation import end as end_terminal
from merchant_agent.terminal.rotation import rotate as rotate_terminal
from merchant_agent.terminal.services import close_terminal, open_terminal
from merchant_agent.terminal.store.opening import open_existing, open_store
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.web.listening import root_of
from merchant_agent.web.server import end_with_parent

_WHO = "console"

_data = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The terminal's data folder, made where missing.",
)
_stdin = click.option("--stdin", "from_stdin", is_flag=True, help="Read it from standard input, one line.")
_till = click.option("--till", default="", help="Name of the till; empty: every till.")


def _read_place(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> tuple[int, int] | None:
    """Epoch and seq as they are written, 1.17; a wrong call where there can be no such place."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,5})\.([0-9]{1,10})", text, re.ASCII)
    if found is None or not 1 <= int(found[1]) <= MAX_EPOCH or int(found[2]) > MAX_SEQ:
        raise click.BadParameter("a place is written epoch.seq, such as 1.17")
    return int(found[1]), int(found[2])


def _every_setting(command: Any) -> Any:  # noqa: ANN401 -- click's own
    """A flag for each setting, named and explained as in the settings file."""
    for name, default, doc in reversed(documented(TerminalSettings)):
        kind = click.INT if isinstance(default, int) else click.STRING
        command = click.option(f"--{name.replace('_', '-')}", name, type=kind, help=doc)(command)
    return command


@click.group()
def terminal() -> None:
    """A shop's terminal: enrol it, run it, sign in, pair tablets.

    Exit codes: 0 done; 1 not done, with one sentence on standard error; 2 wrong call.
    """


@terminal.command()
@_data
@click.option("--central", "central_url", required=True, help="Address of central.")
@click.option("--code", required=True, help="The code that the authority gave out; blanks do not matter.")
@click.option(
    "--trust",
    "trust_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that pins central's root key; without it the key that central names is believed.",
)
def enrol(data: Path, central_url: str, code: str, trust_file: Path | None) -> None:
    """Enrol this terminal at central with a one-time code.

    A terminal whose key is lost, or counts no longer, goes on under a new one. A code from a printed sheet waits for an officer: call again once it is confirmed.
    """
    settings = _load(data)
    trust = None if trust_file is None else _read_trust(trust_file)
    opened = open_terminal(settings, _clock(settings))
    try:
        outcome = enrol_terminal(opened, central_url, code, trust=trust)
    finally:
        close_terminal(opened)
    if not isinstance(outcome, Enrolled):
        click.echo("An officer must confirm the code; call again after that.", err=True)
        raise click.exceptions.Exit(1)
    identity = outcome.identity
    click.echo(f"Enrolled for {identity.merchant['shop_name']} as {identity.issuer}.{identity.epoch}")


@terminal.command()
@_data
@_every_setting
@click.option("--ready-json", is_flag=True, help='Print {"url": ...} on standard output once ready.')
@click.option("--with-parent", is_flag=True, hidden=True, help="Stop when standard input ends.")
def run(data: Path, *, ready_json: bool, with_parent: bool, **flags: Value | None) -> None:
    """Serve the shop's pages and upload, until it is told to stop (Ctrl-C or SIGTERM).

    Until a staff PIN is set only this machine can open the pages.
    """
    if with_parent:
        end_with_parent()
    run_terminal(_load(data, flags), as_json=ready_json)


@terminal.command("rotate")
@_data
@click.option("--suspected", is_flag=True, help="Somebody may have the present key, or a copy of the data.")
def rotate(data: Path, *, suspected: bool) -> None:
    """Begin to sign with a new key, while the terminal is not running and central can be reached.

    Where it cannot be reached nothing is changed.
    """
    settings = _load(data)
    opened = open_terminal(settings, _clock(settings))
    try:
        identity = rotate_terminal(opened, "suspected" if suspected else "planned")
    finally:
        close_terminal(opened)
    click.echo(f"Epoch {identity.epoch} of {identity.issuer} is in force")


@terminal.command("end")
@_data
@click.option("--reason", type=click.Choice(["closed", "replaced"]), required=True, help="Why.")
def end(data: Path, reason: Literal["closed", "replaced"]) -> None:
    """Take a terminal that is not running out of service, for good.

    Exit code 1 where something it recorded has not arrived: run it until nothing waits.
    """
    settings = _load(data)
    opened = open_terminal(settings, _clock(settings))
    try:
        is_delivered = end_terminal(opened, reason)
    finally:
        close_terminal(opened)
    click.echo("The terminal has ended.")
    if not is_delivered:
        click.echo("Something it recorded has not arrived: run it until nothing waits.", err=True)
        raise click.exceptions.Exit(1)


@terminal.command("restore")
@_data
@click.option("--backup", type=click.Path(path_type=Path, dir_okay=False), help="The backup to put in place.")
@click.option("--list", "is_list", is_flag=True, help="List the nightly backups, oldest first.")
def restore(data: Path, backup: Path | None, *, is_list: bool) -> None:
    """Put a backup in the place of the database of a terminal that is not running.

    What the present database signed or kept since is brought over as far as it can be read, and the
    database is set aside. At its next start the terminal takes back from central what it still lacks, and
    signs again once central has granted it a new key.
    """
    if (backup is None) == (not is_list):
        raise click.UsageError("Give --backup or --list.")
    settings = _load(data)
    folder = DataFolder(settings.data)
    if backup is None:
        for found in list_backups(folder):
            at = found.at.astimezone(ZoneInfo(settings.zone)).isoformat(sep=" ", timespec="minutes")
            click.echo(f"{found.path}  {at}  {found.size} bytes")
        return
    with folder:
        done = restore_backup(folder, backup, _clock(settings))
    click.echo(
        f"{done.identity.issuer}.{done.identity.epoch} up to seq {done.seq} is in place, {done.brought} records of it "
        f"brought over from the database before, which is in {done.aside}"
    )


@terminal.command("set-pin")
@_data
@_stdin
def set_pin(data: Path, *, from_stdin: bool) -> None:
    """Give the staff a PIN of 6 to 12 digits; the network may enter from the next start on."""
    pin = _secret("PIN", from_stdin=from_stdin)
    with _opened_store(data) as (store, clock), _as_usage("PIN"):
        accounts.set_pin(store, clock, pin, who=_WHO)


@terminal.command("set-password")
@_data
@_stdin
def set_password(data: Path, *, from_stdin: bool) -> None:
    """Give the manager a password of at least 10 characters."""
    password = _secret("Password", from_stdin=from_stdin)
    with _opened_store(data) as (store, clock), _as_usage("password"):
        accounts.set_password(store, clock, password, who=_WHO)


@terminal.command("pair-link")
@_data
@_till
@click.option(
    "--minutes",
    type=click.IntRange(1, 1440),
    default=LINK_VALID_S // 60,
    show_default=True,
    help="How long the link works.",
)
def pair_link(data: Path, till: str, minutes: int) -> None:
    """Print an address that makes a tablet of the browser that opens it, once."""
    settings = _load(data)
    with _opened_store(data) as (store, clock), _as_usage("till"):
        now = clock.now()
        with store.write() as writer:
            secret = make_pairing_link(writer, at=now, till=till, valid_s=minutes * 60)
            audit(writer, at=now, who=_WHO, what="pairing-link")
        running = read_whereabouts(settings.data)
        if running is None:
            with store.read() as reader:
                host, port = choose_host(reader, settings.host), settings.port
        else:
            host, port = running.host, running.port
    click.echo(f"{root_of(host, port)}/kiosk/pair/{secret}")


@terminal.command("pos-token")
@_data
@_till
def pos_token(data: Path, till: str) -> None:
    """Print a new token with which a till's POS reports sales; it is not shown again."""
    with _opened_store(data) as (store, clock), _as_usage("till"):
        now = clock.now()
        with store.write() as writer:
            token = make_pos_token(writer, till, at=now)
            audit(writer, at=now, who=_WHO, what="pos-token", detail=till)
    click.echo(token)


@terminal.command("erase")
@_data
@click.option("--query-code", help="The record's query code, as the customer has it.")
@click.option("--place", callback=_read_place, help="Or the record's epoch and seq, such as 1.17.")
@click.option(
    "--member",
    "members",
    multiple=True,
    type=click.Choice(sorted(ERASABLE[Kind.COMPLAINT] | SEALED)),
    help="Erase this alone, such as contact; may be given several times.",
)
@click.option(
    "--reason", type=click.Choice(get_args(Reason)), default="request", show_default=True, help="Why."
)
def erase(
    data: Path,
    query_code: str | None,
    place: tuple[int, int] | None,
    members: tuple[str, ...],
    reason: Reason,
) -> None:
    """Erase what a customer wrote from a terminal that is not running; the signed record stays.

    Nightly backups have it for as many nights as they are kept. The manager's page does the same
    while the terminal runs.
    """
    if (query_code is None) == (place is None):
        raise click.UsageError("Name the record by --query-code or by --place.")
    settings = _load(data)
    opened = open_terminal(settings, _clock(settings))
    try:
        with _as_usage("query code"):
            found = (
                find_by_code(opened, query_code or "")
                if place is None
                else Place(issuer=opened.journal.identity.issuer, epoch=place[0], seq=place[1])
            )
        erased = erase_words(opened, found, who=_WHO, members=members or None, reason=reason)
    finally:
        close_terminal(opened)
    click.echo(f"{erased.query_code}: erased {', '.join(erased.members)}")


@terminal.command("support-bundle")
@_data
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="ZIP file to make."
)
def support_bundle(data: Path, out: Path) -> None:
    """Gather the log, the doctor's findings, settings and versions for whoever helps; no secrets, no words.

    Also while the terminal runs. What is in it is printed; look through it before you send it.
    """
    from merchant_agent.terminal.support import write_bundle  # noqa: PLC0415 -- see the module

    for name in write_bundle(load(TerminalSettings, data), out):
        click.echo(name)


@click.command()
@_data
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="ZIP file to make."
)
def export(data: Path, out: Path) -> None:
    """Write a terminal's evidence to a ZIP file, for `merchant-agent verify`; also while it runs.

    Hashes of central's log that are not kept yet are fetched from central; without a connection the
    file has fewer proofs.
    """
    from merchant_agent.terminal.export import export_terminal  # noqa: PLC0415 -- see the module

    settings = _load(data)
    client = Client(proxy=settings.proxy, ca_file=settings.central_ca)
    found = export_terminal(data, out, lambda base: TileSource(client, settings.central_url or base))
    beside = (
        f"{found.slips} slips, {found.batches} batches, {found.acks} acknowledgements, {found.proofs} proofs"
    )
    click.echo(f"{out}: {found.records} records, {beside}")
    if found.unproven:
        click.echo(
            f"merchant-agent: {found.unproven} proofs that records are in central's log are left out: "
            "its hashes could not be had, or prove nothing. Export again with a connection to central.",
            err=True,
        )


@click.command()
@_data
def rebuild(data: Path) -> None:
    """Make the pages' tables again from the ledger of a terminal that is not running.

    Exit code 1 when rows differed from what the ledger says; they are put right then.
    """
    from merchant_agent.terminal.rebuild import rebuild_folder  # noqa: PLC0415 -- see the module

    found = rebuild_folder(data)
    for difference in found.differences:
        where = ", ".join(difference.columns) or ("not in the ledger" if difference.is_live else "missing")
        click.echo(f"{difference.table} {'/'.join(map(str, difference.key))}: {where}", err=True)
    click.echo(f"{found.records} records verified, {found.count} rows put right")
    if found.count:
        raise click.exceptions.Exit(1)


def _load(data: Path, flags: dict[str, Value | None] | None = None) -> TerminalSettings:
    loaded = load(TerminalSettings, data, flags=flags)
    for warning in loaded.warnings:
        click.echo(f"merchant-agent: {warning}", err=True)
    return loaded.settings


def _clock(settings: TerminalSettings) -> SystemClock:
    return SystemClock(ZoneInfo(settings.zone))


def _read_trust(path: Path) -> Trust:
    try:
        return load_trust(path.read_bytes())
    except (OSError, FormatError) as error:
        raise SettingsError(f"The trust file {path} cannot be used.") from error


@contextmanager
def _opened_store(data: Path) -> Iterator[tuple[Store, Clock]]:
    """The database of a terminal that runs, or that nobody runs; made where it is missing."""
    settings = _load(data)
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
        yield store, _clock(settings)


@contextmanager
def _as_usage(what: str) -> Iterator[None]:
    """Tells of a value that does not fit as of a wrong call."""
    try:
        yield
    except InvalidError as error:
        raise click.UsageError(f"The {what} does not fit: {error.detail}.") from error


def _secret(prompt: str, *, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    typed: Any = click.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True)
    return str(typed)
