"""Commands that let people, tablets and a POS in; also while the terminal runs.

They write tables that only hold secrets and links, never the ledger.
"""

from __future__ import annotations

from pathlib import Path

import click

from merchant_agent.store.credentials import audit
from merchant_agent.store.whereabouts import read_whereabouts
from merchant_agent.terminal import accounts
from merchant_agent.terminal.app import choose_host
from merchant_agent.terminal.command_parts import (
    WHO,
    as_usage,
    data_option,
    load_settings,
    opened_store,
    read_secret,
    stdin_option,
    till_option,
)
from merchant_agent.terminal.devices import LINK_VALID_S, make_pairing_link, make_pos_token
from merchant_agent.terminal.web.listening import root_of


@click.command("set-pin")
@data_option
@stdin_option
def set_pin(data: Path, *, from_stdin: bool) -> None:
    """Give the staff a PIN of 6 to 12 digits; the network may enter from the next start on."""
    pin = read_secret("PIN", from_stdin=from_stdin)
    with opened_store(data) as (store, clock), as_usage("PIN"):
        accounts.set_pin(store, clock, pin, who=WHO)


@click.command("set-password")
@data_option
@stdin_option
def set_password(data: Path, *, from_stdin: bool) -> None:
    """Give the manager a password of at least 10 characters."""
    password = read_secret("Password", from_stdin=from_stdin)
    with opened_store(data) as (store, clock), as_usage("password"):
        accounts.set_password(store, clock, password, who=WHO)


@click.command("pair-link")
@data_option
@till_option
@click.option(
    "--minutes",
    type=click.IntRange(1, 1440),
    default=LINK_VALID_S // 60,
    show_default=True,
    help="How long the link works.",
)
def pair_link(data: Path, till: str, minutes: int) -> None:
    """Print an address that makes a tablet of the browser that opens it, once."""
    settings = load_settings(data)
    with opened_store(data) as (store, clock), as_usage("till"):
        now = clock.now()
        with store.write() as writer:
            secret = make_pairing_link(writer, at=now, till=till, valid_s=minutes * 60)
            audit(writer, at=now, who=WHO, what="pairing-link")
        running = read_whereabouts(settings.data)
        if running is None:
            with store.read() as reader:
                host, port = choose_host(reader, settings.host), settings.port
        else:
            host, port = running.host, running.port
    click.echo(f"{root_of(host, port)}/kiosk/pair/{secret}")


@click.command("pos-token")
@data_option
@till_option
def pos_token(data: Path, till: str) -> None:
    """Print a new token with which a till's POS reports sales; it is not shown again."""
    with opened_store(data) as (store, clock), as_usage("till"):
        now = clock.now()
        with store.write() as writer:
            token = make_pos_token(writer, till, at=now)
            audit(writer, at=now, who=WHO, what="pos-token", detail=till)
    click.echo(token)
