"""What people read of ways, papers and outcomes: words for every code that the page about POSs shows."""

from __future__ import annotations

from flask_babel import gettext as _gettext

from merchant_agent.terminal.pos.sightings import Outcome, Sighting
from merchant_agent.terminal.pos.states import State, StateCode
from merchant_agent.terminal.pos.ways import WayKind


def gettext(text: str, **values: str) -> str:
    """The text in the page's language."""
    return str(_gettext(text, **values))


def kind_words(kind: WayKind) -> str:
    """How sales come."""
    match kind:
        case WayKind.PRINTER:
            return gettext("Receipt printer")
        case WayKind.FOLDER:
            return gettext("Folder")
        case WayKind.ODOO:
            return "Odoo"


def state_words(state: State) -> str:
    """How a way stands."""
    return {
        StateCode.OFF: gettext("Off"),
        StateCode.WAITING: gettext("Starting"),
        StateCode.CONNECTED: gettext("Ready"),
        StateCode.PORT_TAKEN: gettext("Port taken"),
        StateCode.UNREACHABLE: gettext("Not reachable"),
        StateCode.AWAY: gettext("Folder not there"),
        StateCode.RIGHTS: gettext("Rights missing"),
        StateCode.SIGN_IN: gettext("Sign-in refused"),
        StateCode.FOREIGN: gettext("Answer not understood"),
    }[state.code]


def advice_words(kind: WayKind, state: State) -> str:
    """What to do about it; empty where nothing is to be done."""
    if state.code is StateCode.UNREACHABLE:
        if kind is WayKind.PRINTER:
            return gettext(
                "Is the printer on, with paper, and in the network? Is its address still the same?"
            )
        return gettext("Is Odoo running, and is its address right? It is tried again every few seconds.")
    return {
        StateCode.PORT_TAKEN: gettext("Another program listens at this port. Choose another, such as 9101."),
        StateCode.AWAY: gettext(
            "Is the share connected, and may this program read it? It is looked for every few seconds."
        ),
        StateCode.RIGHTS: gettext(
            "In Odoo, give this user the right “Point of Sale / User”. Reading orders is all that it is used for."
        ),
        StateCode.SIGN_IN: gettext("Check the database's name, the user and the key."),
        StateCode.FOREIGN: gettext(
            "Is this address Odoo's? It must be the one that you open in the browser."
        ),
    }.get(state.code, "")


def outcome_words(seen: Sighting) -> str:
    """What came of a paper, file, request or order."""
    return {
        Outcome.ASKED: gettext("A sale"),
        Outcome.KNOWN: gettext("Known already"),
        Outcome.DRY_RUN: gettext("Dry run: would be a sale"),
        Outcome.NO_SALE: gettext("No sale"),
        Outcome.REFUSED: gettext("Not taken"),
    }[seen.outcome]


def paper_words(kind: str) -> str:
    """What was printed."""
    return {
        "receipt": gettext("customer's receipt"),
        "kitchen": gettext("kitchen ticket"),
        "pre_bill": gettext("bill before payment"),
        "reprint": gettext("reprint"),
        "refund": gettext("refund"),
        "shift": gettext("shift report"),
        "delivery": gettext("delivery slip"),
        "image": gettext("image alone"),
        "other": gettext("not understood"),
    }.get(kind, "")


def why_words(seen: Sighting) -> str:
    """Why something is no sale or was not taken; empty where nothing is to be said."""
    if seen.outcome is Outcome.REFUSED:
        return _refused(seen.why)
    if seen.outcome is not Outcome.NO_SALE:
        return ""
    if seen.kind == "other":
        return gettext("No total was found. If this is a receipt, look at it and choose its total.")
    if seen.kind == "image":
        return gettext("It holds no text. If your receipts are images, count images as sales on this page.")
    if seen.kind and seen.why:
        return gettext("because of “%(word)s”", word=seen.why)
    return ""


def _refused(code: str) -> str:
    words = {
        "order": gettext("The order number is empty or too long."),
        "till": gettext("The till's name is too long, or the token is another till's."),
        "amount": gettext(
            "The amount is none: digits with at most two decimals are expected, such as 64.00."
        ),
        "currency": gettext("The currency is none: three capital letters are expected, such as CNY."),
        "at": gettext("The time is none, or has no offset: 2026-05-20T12:00:00+08:00 is expected."),
        "request": gettext("A member is missing, unknown or of the wrong type."),
        "format": gettext("The body is no JSON."),
        "order-amount": gettext("This order was reported before with another amount."),
        "pos-token": gettext("The token is missing or not in force."),
        "pos-signature": gettext("The signature is missing, of another secret or of other bytes."),
        "pos-signature-time": gettext("The till's clock is more than five minutes off."),
        "pos-replay": gettext("The same request was sent twice."),
        "locked-out": gettext("Too many requests at once."),
        "file-empty": gettext("The file is empty."),
        "file-text": gettext("The file is neither UTF-8 nor GB18030."),
        "file-json": gettext("The file is no JSON as it is expected."),
        "file-csv": gettext("The file is no CSV with a column called order or %(name)s.", name="单号"),
        "file-many": gettext("The file holds more than 5,000 sales."),
        "file-large": gettext("The file is larger than 1 MB."),
        "file-unreadable": gettext(
            "The file cannot be read: another program holds it, or this one has no right to. It is tried again every few seconds."
        ),
        "odoo-order": gettext("The order is not as Odoo describes its orders."),
        "start": gettext("This terminal is not enrolled yet."),
        "on-hold": gettext("This terminal cannot sign at the moment."),
    }
    if code.startswith("store"):
        return gettext("It could not be saved; the counter's page says why.")
    return words.get(code, code)
