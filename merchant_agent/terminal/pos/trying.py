"""Whether sales could come by a way, tried now: by the manager's test and by the doctor, beside what is at work."""

from __future__ import annotations

from pathlib import Path

from merchant_agent.errors import InvalidError
from merchant_agent.terminal.pos.printer.targets import open_target
from merchant_agent.terminal.pos.states import State, StateCode
from merchant_agent.terminal.pos.ways import Details, FolderDetails, OdooDetails, PrinterDetails

_CONNECTED = State(code=StateCode.CONNECTED)


def try_way(details: Details) -> State:
    """How it stands; may take seconds, of Odoo half a minute. Nothing is printed, taken or changed."""
    match details:
        case PrinterDetails():
            return _try_printer(details)
        case FolderDetails():
            return _try_folder(details)
        case OdooDetails():
            # Most shops have none: what is not needed is not loaded.
            from merchant_agent.terminal.pos.odoo.trying import try_odoo  # noqa: PLC0415 -- as said

            return try_odoo(details)


def _try_printer(details: PrinterDetails) -> State:
    try:
        open_target(details.address).close()
    except OSError as error:
        return State(code=StateCode.UNREACHABLE, detail=error.strerror or str(error))
    except InvalidError as error:
        return State(code=StateCode.UNREACHABLE, detail=error.detail)
    return _CONNECTED


def _try_folder(details: FolderDetails) -> State:
    try:
        next(Path(details.path).iterdir(), None)
    except OSError as error:
        return State(code=StateCode.AWAY, detail=error.strerror or "")
    return _CONNECTED
