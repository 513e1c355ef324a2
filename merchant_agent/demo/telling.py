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


def ready_lines(running: Running) -> list[str]:
    """The same for people; no line is ever broken, so that addresses can be copied."""
    terminal, central, state = running.terminal.url, running.central.url, running.state
    rows = (
        ("tablet", running.kiosk, "opens as a paired tablet"),
        ("counter", f"{terminal}/counter", f"PIN {state.pin}"),
        ("manager", f"{terminal}/manager", f"password {state.manager}"),
        ("officer", f"{central}/officer", f"name {OFFICER}, password {state.officer}"),
        ("public", f"{central}/", "central's front page"),
        ("shop", f"{central}/m/{running.merchant}", "the merchant's page"),
        ("POS", f"{terminal}/pos/v1/sales", f"bearer token {state.pos_token}"),
    )
    width = max(len(address) for _, address, _ in rows)
    return [
        *(f"{who:<8}  {address:<{width}}  {what}" for who, address, what in rows),
        "",
        f"Everything is kept in {running.folder.path}; the next start goes on with it.",
        "Ctrl-C stops both programs.",
    ]


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
