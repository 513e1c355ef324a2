"""`merchant-agent doctor`: what commonly goes wrong, looked at without changing anything."""

from __future__ import annotations

from pathlib import Path

import click

from merchant_agent.diagnosis import Diagnosis
from merchant_agent.errors import StartError
from merchant_agent.settings import CentralSettings, TerminalSettings, load


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="A terminal's or central's data folder.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def doctor(data: Path, *, as_json: bool) -> None:
    """Look at what commonly goes wrong in a terminal's or central's data folder; nothing is changed.

    Works while the program runs and while it does not. Exit codes: 0 healthy; 1 something needs
    attention; 2 something is broken.
    """
    diagnosis = examine(data)
    if as_json:
        click.echo(diagnosis.as_json())
    else:
        for line in diagnosis.lines():
            click.echo(line)
    raise click.exceptions.Exit(int(diagnosis.state))


def examine(data: Path) -> Diagnosis:
    """The diagnosis of whichever program has the folder.

    Raises:
        StartError: neither has.
        SettingsError: its settings cannot be used.
    """
    if any((data / name).exists() for name in ("terminal.db", "terminal.toml")):
        from merchant_agent.terminal.doctor import examine as examine_terminal  # noqa: PLC0415 -- this one alone

        return examine_terminal(load(TerminalSettings, data).settings)
    if any((data / name).exists() for name in ("central.db", "central.toml", "keys/identity.json")):
        from merchant_agent.central.doctor import examine as examine_central  # noqa: PLC0415 -- likewise

        return examine_central(load(CentralSettings, data).settings)
    raise StartError(f"{data} is no data folder of a terminal or of central.")
