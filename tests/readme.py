"""README's tables of commands, settings and metrics, made of the code.

`python -m tests.readme` brings README.md up to date; the tests refuse it when it is not.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from merchant_agent.central import metrics as central_metrics
from merchant_agent.cli import root
from merchant_agent.settings import CentralSettings, TerminalSettings, documented
from merchant_agent.terminal import metrics as terminal_metrics

README = Path(__file__).resolve().parents[1] / "README.md"


def tables() -> dict[str, str]:
    """Each generated part of README by its name."""
    return {"commands": _commands_table(), "settings": _settings_tables(), "metrics": _metrics_tables()}


def updated(text: str) -> str:
    """README with its generated parts as they should be."""
    for name, table in tables().items():
        parts = re.split(rf"<!-- (?:end of )?{name} -->", text)
        if len(parts) != 3:
            raise LookupError(f"README has no part {name}")
        text = f"{parts[0]}<!-- {name} -->\n\n{table}\n<!-- end of {name} -->{parts[2]}"
    return text


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every command's words and its first line of help."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        elif command is not None:
            yield " ".join((*path, name)), (command.help or "").splitlines()[0]


def _commands_table() -> str:
    lines = ["| command | what it does |", "|---|---|"]
    if not isinstance(root, click.Group):
        raise TypeError("the root is no group")
    lines += [f"| `merchant-agent {words}` | {summary} |" for words, summary in _commands(root)]
    return "\n".join(lines) + "\n"


def _settings_tables() -> str:
    parts: list[str] = []
    for kind, program in ((TerminalSettings, "terminal"), (CentralSettings, "central")):
        lines = [f"**{program}**", "", "| setting | default | meaning |", "|---|---|---|"]
        lines += [f"| `{name}` | {_code(default)} | {doc} |" for name, default, doc in documented(kind)]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _metrics_tables() -> str:
    parts: list[str] = []
    for metrics, program in ((terminal_metrics.METRICS, "terminal"), (central_metrics.METRICS, "central")):
        lines = [f"**{program}**", "", "| metric | kind | label | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{metric.name}` | {metric.kind} | {f'`{metric.label}`' if metric.label else ''} | {metric.doc} |"
            for metric in metrics
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _code(default: str | int) -> str:
    return f"`{default}`" if default != "" else "(empty)"


def main() -> int:
    """Updates README; 0."""
    README.write_text(updated(README.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
