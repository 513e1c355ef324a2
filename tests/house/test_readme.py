"""README against the code: settings, commands, dependencies."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import click
import pytest

from merchant_agent.cli import root
from merchant_agent.settings import CentralSettings, TerminalSettings, documented

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Every command's words and its first line of help."""
    found: list[tuple[str, str]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found += _commands(command, (*path, name))
        else:
            found.append((" ".join((*path, name)), (command.help or "").splitlines()[0]))
    return found


@pytest.mark.parametrize("kind", [TerminalSettings, CentralSettings])
def test_every_setting_stands_in_readme_with_its_default_and_meaning(
    kind: type[TerminalSettings | CentralSettings],
) -> None:
    for name, default, doc in documented(kind):
        assert f"| `{name}` | `{default}` | {doc} |" in README.replace("| `` |", "| `` |"), name


def test_every_command_stands_in_readme_with_its_summary() -> None:
    commands = _commands(root)  # type: ignore[arg-type]  # the root is a group
    assert len(commands) > 10
    for words, summary in commands:
        assert f"| `merchant-agent {words}` | {summary} |" in README, words


def test_every_dependency_has_its_reason() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"].split("\n") + setup["options.extras_require"][
        "central"
    ].split("\n")
    names = {re.split(r"[\s\[<>=]", line.strip(), maxsplit=1)[0] for line in lines if line.strip()}
    table = README[README.index("## What it stands on") :].lower()
    assert {name for name in names if name not in table} == set()
    assert all(re.search(r"[<>=]", line) or line.strip() == "tzdata" for line in lines if line.strip())
