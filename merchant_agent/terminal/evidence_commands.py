"""`merchant-agent export` and `merchant-agent rebuild`: a terminal's evidence, and the tables made of it."""

from __future__ import annotations

from pathlib import Path

import click

from merchant_agent.terminal.command_parts import data_option, load_settings
from merchant_agent.terminal.export import export_terminal
from merchant_agent.terminal.log.fetching import TileSource
from merchant_agent.terminal.rebuild import rebuild_folder
from merchant_agent.terminal.upload.client import Client


@click.command()
@data_option
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="ZIP file to make."
)
def export(data: Path, out: Path) -> None:
    """Write a terminal's evidence to a ZIP file, for `merchant-agent verify`; also while it runs.

    Hashes of central's log that are not kept yet are fetched from central; without a connection the
    file has fewer proofs.
    """
    settings = load_settings(data)
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
@data_option
def rebuild(data: Path) -> None:
    """Make the pages' tables again from the ledger of a terminal that is not running.

    Exit code 1 when rows differed from what the ledger says; they are put right then.
    """
    found = rebuild_folder(data)
    for difference in found.differences:
        where = ", ".join(difference.columns) or ("not in the ledger" if difference.is_live else "missing")
        click.echo(f"{difference.table} {'/'.join(map(str, difference.key))}: {where}", err=True)
    click.echo(f"{found.records} records verified, {found.count} rows put right")
    if found.count:
        raise click.exceptions.Exit(1)
