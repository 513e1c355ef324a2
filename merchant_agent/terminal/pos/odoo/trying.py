"""Whether an Odoo's orders can be read by the user that is set up."""

from __future__ import annotations

from merchant_agent.terminal.pos.odoo.client import OdooClient, OdooError
from merchant_agent.terminal.pos.odoo.orders import MODEL, NEEDED, PAID
from merchant_agent.terminal.pos.states import State, StateCode
from merchant_agent.terminal.pos.ways import OdooDetails


def try_odoo(details: OdooDetails) -> State:
    """How it stands; waits for Odoo."""
    client = OdooClient(details)
    try:
        client.read(MODEL, "search_count", [["state", "in", list(PAID)]])
        known = client.read(MODEL, "fields_get", [], attributes=["type"])
    except OdooError as error:
        return error.state
    finally:
        client.close()
    is_known = isinstance(known, dict) and known.keys() >= NEEDED
    return State(code=StateCode.CONNECTED if is_known else StateCode.FOREIGN)
