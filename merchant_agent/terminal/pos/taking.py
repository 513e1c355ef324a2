"""A sale from whichever way becomes a prompt, or is only shown; what came of it is an outcome, no exception."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

from merchant_agent.domain.sales import Sale, SaleKind, format_amount
from merchant_agent.errors import MerchantAgentError, OnHoldError, StartError, StoreError
from merchant_agent.terminal.collect.prompts import SaleTaken, take_sale
from merchant_agent.terminal.pos.sightings import Outcome
from merchant_agent.terminal.services import Terminal

_log = logging.getLogger(__name__)

_OWN_CHARS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of a sale: `taken` where there is a prompt, `why` where it was refused.

    `again` says that the same may work later: the disk is full, or the terminal not enrolled yet.
    """

    outcome: Outcome
    taken: SaleTaken | None = None
    why: str = ""
    again: bool = False


def take(terminal: Terminal, sale: Sale, *, dry_run: bool) -> Came:
    """Makes the sale's prompt unless it is there, is a refund, or all is only tried."""
    if sale.kind is SaleKind.REFUND:
        return Came(outcome=Outcome.NO_SALE, why=SaleKind.REFUND.value)
    if dry_run:
        return Came(outcome=Outcome.DRY_RUN)
    try:
        taken = take_sale(terminal, sale)
    except MerchantAgentError as error:
        _log.warning("a sale of %s was not taken: %s", sale.source.value, error.code)
        again = isinstance(error, (StoreError, StartError, OnHoldError))
        return Came(outcome=Outcome.REFUSED, why=error.code, again=again)
    if taken is None:
        return Came(outcome=Outcome.NO_SALE)
    return Came(outcome=Outcome.ASKED if taken.created else Outcome.KNOWN, taken=taken)


def own_order(octets: bytes) -> str:
    """A number for a sale without one, the same for the same octets, as `R-1A2B3C4D`."""
    return f"R-{hashlib.sha256(octets).hexdigest()[:_OWN_CHARS].upper()}"


def amount_of(sale: Sale) -> str:
    """The amount as people read it; empty where none is known."""
    return "" if sale.amount is None else format_amount(sale.amount, sale.currency)
