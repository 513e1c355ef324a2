"""What the demo says: its addresses and secrets, and the table at the end of a feed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from rich import box
from rich.console import Console
from rich.table import Table

from merchant_agent.demo.outcome import Outcome
from merchant_agent.demo.running import Running
from merchant_agent.demo.setup import OFFICER


def ready_json(running: Running) -> str:
    """One line for programs, with the keys of the interface."""
    terminal, central, state = running.terminal.url, running.central.url, running.state
    return json.dumps(
        {
            "terminal": terminal,
            "central": central,
            "kiosk": running.kiosk,
            "counter": {"url": f"{terminal}/counter", "secret": state.pin},
            "manager": {"url": f"{terminal}/manager", "secret": state.manager},
            "officer": {"url": f"{central}/officer", "user": OFFICER, "secret": state.officer},
            "pos_token": state.pos_token,
            "issuer": running.issuer,
            "merchant": running.merchant,
            "trust": str(running.folder.trust),
            "data": str(running.folder.terminal),
        }
    )


def tell_ready(console: Console, running: Running) -> None:
    """The same for people."""
    terminal, central, state = running.terminal.url, running.central.url, running.state
    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("", "address", "sign in with"):
        table.add_column(heading, overflow="fold")
    table.add_row("tablet", running.kiosk, "nothing: it is paired by opening")
    table.add_row("counter", f"{terminal}/counter", f"PIN {state.pin}")
    table.add_row("manager", f"{terminal}/manager", f"password {state.manager}")
    table.add_row("officer", f"{central}/officer", f"{OFFICER}, password {state.officer}")
    table.add_row("public", f"{central}/m/{running.merchant}", "nothing")
    table.add_row("POS", f"{terminal}/pos/v1/sales", f"bearer {state.pos_token}")
    console.print(table)
    console.print(
        f"Everything is kept in {running.folder.path}; the next start goes on with it.", soft_wrap=True
    )
    console.print("Ctrl-C stops both programs.")


def outcome_json(outcome: Outcome) -> str:
    """One line for programs."""
    return json.dumps({"feed": asdict(outcome) | {"complete": outcome.is_complete}})


def tell_outcome(console: Console, outcome: Outcome, seconds: float) -> None:
    """The table at the end of a feed."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("")
    table.add_column("ratings", justify="right")
    table.add_column("what it means")
    for name, meaning in _MEANINGS.items():
        number = getattr(outcome, name)
        style = "" if number == outcome.sent else "bold red"
        table.add_row(name, f"{number:,}", meaning, style=style)
    console.print(table)
    pace = outcome.thanked / seconds if seconds else 0.0
    verdict = "All of them arrived." if outcome.is_complete else "Not all of them arrived."
    console.print(f"{verdict} {seconds:.1f} s, {pace:.0f} customers a second.")


_MEANINGS: Mapping[str, str] = {
    "sent": "customers who bought, tapped and pressed done",
    "thanked": "heard thank you, with a query code",
    "stored": "signed in the terminal's ledger",
    "uploaded": "acknowledged with central's signature",
    "verified": "accepted by central, signature and place checked",
}
