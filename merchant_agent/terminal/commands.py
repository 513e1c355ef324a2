"""`merchant-agent terminal`: what is done in the shop without a page.

Whatever touches the ledger needs the data folder for itself.

What the running terminal does not need is imported where it is called: it runs all day on a small machine.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import click

from merchant_agent.evidence.bodies import ERASABLE, SEALED, Kind
from merchant_agent.evidence.fields import MAX_EPOCH, MAX_SEQ, Place
from merchant_agent.settings import TerminalSettings, Value, documented, load
from merchant_agent.store.folder import DataFolder
from merchant_agent.terminal.access_commands import pair_link, pos_token, set_password, set_pin
from merchant_agent.terminal.app import run as run_terminal
from merchant_agent.terminal.command_parts import (
    WHO,
    as_usage,
    data_option,
    load_settings,
    make_clock,
    read_trust,
)
from merchant_agent.terminal.enrolment import Enrolled
from merchant_agent.terminal.enrolment import enrol as enrol_terminal
from merchant_agent.terminal.erasure import Reason, find_by_code
from merchant_agent.terminal.erasure import erase as erase_words
from merchant_agent.terminal.restoring import list_backups
from merchant_agent.terminal.restoring import restore as restore_backup
from merchant_agent.terminal.rotation import end as end_terminal
from merchant_agent.terminal.rotation import rotate as rotate_terminal
from merchant_agent.terminal.services import close_terminal, open_terminal
from merchant_agent.web.server import end_with_parent


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
@data_option
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
    settings = load_settings(data)
    trust = None if trust_file is None else read_trust(trust_file)
    opened = open_terminal(settings, make_clock(settings))
    try:
        outcome = enrol_terminal(opened, central_url, code, trust=trust)
    finally:
        close_terminal(opened)
    if not isinstance(outcome, Enrolled):
        click.echo("An officer must confirm the code; call again after that.", err=True)
        raise click.exceptions.Exit(1)
    identity = outcome.identity
    click.echo(f"Enrolled for {identity.merchant.shop_name} as {identity.issuer}.{identity.epoch}")


@terminal.command()
@data_option
@_every_setting
@click.option("--ready-json", is_flag=True, help='Print {"url": ...} on standard output once ready.')
@click.option("--with-parent", is_flag=True, hidden=True, help="Stop when standard input ends.")
def run(data: Path, *, ready_json: bool, with_parent: bool, **flags: Value | None) -> None:
    """Serve the shop's pages and upload, until it is told to stop (Ctrl-C or SIGTERM).

    Until a staff PIN is set only this machine can open the pages.
    """
    if with_parent:
        end_with_parent()
    run_terminal(load_settings(data, flags), as_json=ready_json)


@terminal.command("rotate")
@data_option
@click.option("--suspected", is_flag=True, help="Somebody may have the present key, or a copy of the data.")
def rotate(data: Path, *, suspected: bool) -> None:
    """Begin to sign with a new key, while the terminal is not running and central can be reached.

    Where it cannot be reached nothing is changed.
    """
    settings = load_settings(data)
    opened = open_terminal(settings, make_clock(settings))
    try:
        identity = rotate_terminal(opened, "suspected" if suspected else "planned")
    finally:
        close_terminal(opened)
    click.echo(f"Epoch {identity.epoch} of {identity.issuer} is in force")


@terminal.command("end")
@data_option
@click.option("--reason", type=click.Choice(["closed", "replaced"]), required=True, help="Why.")
def end(data: Path, reason: Literal["closed", "replaced"]) -> None:
    """Take a terminal that is not running out of service, for good.

    Exit code 1 where something it recorded has not arrived: run it until nothing waits.
    """
    settings = load_settings(data)
    opened = open_terminal(settings, make_clock(settings))
    try:
        is_delivered = end_terminal(opened, reason)
    finally:
        close_terminal(opened)
    click.echo("The terminal has ended.")
    if not is_delivered:
        click.echo("Something it recorded has not arrived: run it until nothing waits.", err=True)
        raise click.exceptions.Exit(1)


@terminal.command("restore")
@data_option
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
    settings = load_settings(data)
    folder = DataFolder(settings.data)
    if backup is None:
        for found in list_backups(folder):
            at = found.at.astimezone(ZoneInfo(settings.zone)).isoformat(sep=" ", timespec="minutes")
            click.echo(f"{found.path}  {at}  {found.size} bytes")
        return
    with folder:
        done = restore_backup(folder, backup, make_clock(settings))
    click.echo(
        f"{done.identity.issuer}.{done.identity.epoch} up to seq {done.seq} is in place, {done.brought} records of it "
        f"brought over from the database before, which is in {done.aside}"
    )


@terminal.command("erase")
@data_option
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
    settings = load_settings(data)
    opened = open_terminal(settings, make_clock(settings))
    try:
        with as_usage("query code"):
            found = (
                find_by_code(opened, query_code or "")
                if place is None
                else Place(issuer=opened.journal.identity.issuer, epoch=place[0], seq=place[1])
            )
        erased = erase_words(opened, found, who=WHO, members=members or None, reason=reason)
    finally:
        close_terminal(opened)
    click.echo(f"{erased.query_code}: erased {', '.join(erased.members)}")


@terminal.command("support-bundle")
@data_option
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


for _command in (set_pin, set_password, pair_link, pos_token):
    terminal.add_command(_command)
