"""What the manager's form of a way into the terminal says, and what is wrong with it."""

from __future__ import annotations

from typing import Literal

from flask import request
from flask_babel import gettext

from merchant_agent.errors import InvalidError, NotFoundError
from merchant_agent.terminal.pos.ways import (
    Details,
    FolderDetails,
    OdooDetails,
    PrinterDetails,
)
from merchant_agent.web.reading import read_field

_FIELD_CHARS = 400
_SHOWN_AGAIN = ("kind", "name", "till", "address", "host", "port", "lang", "path", "url", "database", "login")


def read_details(before: Details | None = None) -> Details:
    """What the form says of a way of its kind; what it leaves out stays as it was `before`.

    Raises:
        InvalidError: as the details of that kind.
        NotFoundError: "way", there is no such kind.
    """

    def field(name: str) -> str:
        return read_field(name, max_chars=_FIELD_CHARS)

    match request.form.get("kind", ""):
        case "printer":
            lang: Literal["zh", "en"] = "en" if field("lang") == "en" else "zh"
            images = isinstance(before, PrinterDetails) and before.images
            port = field("port")
            return PrinterDetails(
                address=_printer_address(field("address")),
                host=field("host"),
                port=int(port) if port.isdecimal() else -1,
                lang=lang,
                images=images,
            )
        case "folder":
            return FolderDetails(path=field("path"))
        case "odoo":
            key = field("api_key") or (before.api_key if isinstance(before, OdooDetails) else "")
            return OdooDetails(
                url=field("url"), database=field("database"), login=field("login"), api_key=key
            )
        case _:
            raise NotFoundError("way", "there is no such way")


def typed_fields() -> dict[str, str]:
    """What was typed of a way that was refused, for the form's next showing; never a key."""
    return {name: request.form.get(name, "")[:_FIELD_CHARS] for name in _SHOWN_AGAIN}


def _printer_address(text: str) -> str:
    """People write `192.168.1.50` or `/dev/usb/lp0`."""
    if "://" in text:
        return text
    return f"file://{text}" if text.startswith("/") else f"tcp://{text}"


def wrong_words(error: InvalidError) -> str:
    """What is wrong with what was typed."""
    words: dict[str, str] = {
        "way-name": gettext("The name has at most 40 characters."),
        "till": gettext("The till's name has at most 32 characters."),
        "ways": gettext("There are 16 ways already; remove one first."),
        "printer-address": gettext(
            "This is no printer's address. Examples: 192.168.1.50, 192.168.1.50:9100, /dev/usb/lp0 or spool://XP-80C (Windows). It must not be the address at which the POS prints."
        ),
        "printer-host": gettext("Choose who may print here."),
        "printer-port": gettext("The port is a number up to 65535, usually 9100."),
        "printer-off": gettext("The printer is off here: turn it on first."),
        "folder": gettext("Enter the folder's whole path."),
        "odoo-url": gettext("Enter Odoo's address as in the browser, with http:// or https://."),
        "odoo-database": gettext("Enter the name of Odoo's database."),
        "odoo-login": gettext("Enter the user's sign-in name."),
        "odoo-key": gettext("Enter the user's key."),
        "pattern": gettext("A word has 1 to 24 characters, and there are at most 16 of a sort."),
    }
    return words.get(error.code, error.code)
