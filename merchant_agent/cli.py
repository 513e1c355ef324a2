"""The one command line, `merchant-agent`.

Commands are imported when they are called: a terminal must not pay for central, nor for the demo.

Exit codes: 0 done; 1 it could not be done, with one sentence on standard error, or a check found
something; 2 the call was wrong, or the input could not be read at all.
"""

from __future__ import annotations

import importlib
import sys
from typing import NoReturn

import click

from merchant_agent import __version__
from merchant_agent.errors import MerchantAgentError

_COMMANDS = {
    "central": (
        "merchant_agent.central.commands:central",
        "The bureau's server: run it, enrol merchants and terminals.",
    ),
    "doctor": (
        "merchant_agent.doctor_command:doctor",
        "Look at what commonly goes wrong in a terminal's or central's data folder.",
    ),
    "demo": (
        "merchant_agent.demo.commands:demo",
        "A central and an enrolled terminal on this machine, to try out.",
    ),
    "export": (
        "merchant_agent.terminal.evidence_commands:export",
        "Write a terminal's evidence to a ZIP file.",
    ),
    "rebuild": (
        "merchant_agent.terminal.evidence_commands:rebuild",
        "Make the pages' tables again from the ledger.",
    ),
    "settings": ("merchant_agent.settings_command:settings", "Show every setting and where it comes from."),
    "terminal": (
        "merchant_agent.terminal.commands:terminal",
        "A shop's terminal: enrol it, run it, sign in, pair tablets.",
    ),
    "verify": ("merchant_agent.verify_command:verify", "Check an exported ZIP file against every rule."),
}


class _LazyGroup(click.Group):
    """A group that knows its commands' names and summaries without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in order."""
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The summaries, from the table."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][1]) for name in sorted(_COMMANDS)])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="merchant-agent")
def root() -> None:
    """Ratings and complaints that a shop cannot make vanish: the terminal and central.

    Exit codes: 0 done; 1 not done, or a check found something; 2 wrong call or unreadable input.
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs the command line and leaves the process with its exit code."""
    try:
        code = root.main(arguments, prog_name="merchant-agent", standalone_mode=False)
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except MerchantAgentError as error:
        click.echo(f"merchant-agent: {error}", err=True)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)
