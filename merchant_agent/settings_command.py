"""`merchant-agent settings`: every setting with its value and its origin."""

from __future__ import annotations

import json
from pathlib import Path

import click

from merchant_agent.settings import CentralSettings, Loaded, TerminalSettings, documented, load, shown


@click.command()
@click.argument("program", type=click.Choice(["terminal", "central"]))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The program's data folder.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def settings(program: str, data: Path, *, as_json: bool) -> None:
    """Show every setting of PROGRAM and where it comes from: default, file, environment or flag."""
    loaded: Loaded[TerminalSettings] | Loaded[CentralSettings] = (
        load(TerminalSettings, data) if program == "terminal" else load(CentralSettings, data)
    )
    names = [name for name, _, _ in documented(type(loaded.settings))]
    rows = [(name, shown(loaded.settings, name), loaded.origins[name]) for name in names]
    for warning in loaded.warnings:
        click.echo(f"merchant-agent: {warning}", err=True)
    if as_json:
        click.echo(json.dumps({name: {"value": value, "origin": origin} for name, value, origin in rows}))
        return
    width = max(len(name) for name, _, _ in rows)
    longest = max(len(value) for _, value, _ in rows)
    for name, value, origin in rows:
        click.echo(f"{name:<{width}}  {value:<{longest}}  {origin}")
