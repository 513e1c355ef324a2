"""The ways by which sales come, as the manager set them up: printers, folders and Odoo.

`details` are decoded strictly by their kind. What a way remembers of its own work is `progress`,
which its runner alone writes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from merchant_agent.domain.sales import TILL_MAX_CHARS
from merchant_agent.domain.text import check_line
from merchant_agent.errors import InvalidError, NotFoundError
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.pos.printer.targets import PORT, check_address
from merchant_agent.terminal.store.models import PosFile, PosWay

_log = logging.getLogger(__name__)

NAME_MAX_CHARS = 40
MOST_WAYS = 16
_PATH_MAX_CHARS = 400


class WayKind(StrEnum):
    """How sales come."""

    PRINTER = "printer"
    FOLDER = "folder"
    ODOO = "odoo"


class PrinterDetails(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where POSs print to, and the printer behind; `images` says that a mere image counts as a sale.

    Raises:
        InvalidError: "printer-address", "printer-host" or "printer-port".
    """

    address: str
    host: str = "127.0.0.1"
    port: int = PORT
    lang: Literal["zh", "en"] = "zh"
    images: bool = False

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "address", check_address(self.address))
        try:
            ip_address(self.host)
        except ValueError as error:
            raise InvalidError("printer-host", "an IP address is expected") from error
        if not 0 <= self.port <= 0xFFFF:  # noqa: PLR2004 -- of TCP
            raise InvalidError("printer-port", "a port is a number up to 65535")
        if _leads_back(self.address, self.port):
            raise InvalidError("printer-address", "this is the address at which the POS prints")


class FolderDetails(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a POS drops files.

    Raises:
        InvalidError: "folder".
    """

    path: str

    def __post_init__(self) -> None:
        path = check_line(self.path, code="folder", min_chars=2, max_chars=_PATH_MAX_CHARS)
        msgspec.structs.force_setattr(self, "path", path)


class OdooDetails(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An Odoo database and the user that reads its orders; `api_key` may be a password.

    Raises:
        InvalidError: "odoo-url", "odoo-database", "odoo-login" or "odoo-key".
    """

    url: str
    database: str
    login: str
    api_key: str

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url.strip())
        except ValueError as error:
            raise InvalidError("odoo-url", "the host is none") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidError("odoo-url", "http:// or https:// and a host are expected")
        msgspec.structs.force_setattr(self, "url", f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}")
        for name, value in (("database", self.database), ("login", self.login), ("key", self.api_key)):
            check_line(value, code=f"odoo-{name}", min_chars=1, max_chars=200)


Details = PrinterDetails | FolderDetails | OdooDetails
_DETAILS: dict[WayKind, type[Details]] = {
    WayKind.PRINTER: PrinterDetails,
    WayKind.FOLDER: FolderDetails,
    WayKind.ODOO: OdooDetails,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way. With `dry_run` it shows what it would do, and asks nobody."""

    number: int
    kind: WayKind
    name: str
    till: str
    enabled: bool
    dry_run: bool
    details: Details


def list_ways(reader: Reader) -> tuple[Way, ...]:
    """All of them, oldest first; one whose details are none is left out, since it must not take the others along."""
    rows = reader.all(PosWay.select().order_by(PosWay.number))
    return tuple(way for row in rows if (way := _way(row)) is not None)


def find_way(reader: Reader, number: int) -> Way:
    """The way of that number.

    Raises:
        NotFoundError: "way".
    """
    row: PosWay | None = reader.first(PosWay.select().where(PosWay.number == number))
    way = None if row is None else _way(row)
    if way is None:
        raise NotFoundError("way", "there is no such way")
    return way


def add_way(writer: Writer, *, name: str, till: str, details: Details) -> int:
    """A new way, on, as a dry run; its number.

    Raises:
        InvalidError: "way-name" or "till"; "ways", for a seventeenth.
    """
    if len(list_ways(writer)) >= MOST_WAYS:
        raise InvalidError("ways", f"at most {MOST_WAYS} ways")
    row = {**_named(name, till), "kind": _kind_of(details).value, "details": msgspec.to_builtins(details)}
    writer.execute(PosWay.insert(row | {"enabled": 1, "dry_run": 1}))
    return list_ways(writer)[-1].number


def change_way(writer: Writer, number: int, *, name: str, till: str, details: Details) -> None:
    """Gives the way other details of its kind; where it reads elsewhere from now on, what lies there is old.

    Raises:
        InvalidError: as `add_way`.
        NotFoundError: "way".
    """
    before = find_way(writer, number).details
    if type(details) is not type(before):
        raise NotFoundError("way", "there is no such way")
    row = {**_named(name, till), "details": msgspec.to_builtins(details)}
    if _place_of(details) != _place_of(before):
        row["progress"] = None
    writer.execute(PosWay.update(row).where(PosWay.number == number))


def switch_way(
    writer: Writer, number: int, *, enabled: bool | None = None, dry_run: bool | None = None
) -> None:
    """Turns the way on or off, or its dry run; None leaves it as it is.

    Raises:
        NotFoundError: "way".
    """
    way = find_way(writer, number)
    enabled = way.enabled if enabled is None else enabled
    dry_run = way.dry_run if dry_run is None else dry_run
    row = {"enabled": int(enabled), "dry_run": int(dry_run)}
    writer.execute(PosWay.update(row).where(PosWay.number == number))


def remove_way(writer: Writer, number: int) -> None:
    """Forgets the way and what it remembers.

    Raises:
        NotFoundError: "way".
    """
    find_way(writer, number)
    writer.execute(PosFile.delete().where(PosFile.way == number))
    writer.execute(PosWay.delete().where(PosWay.number == number))


def load_progress(reader: Reader, number: int) -> object:
    """What the way's runner kept last; None at first, and for one that is gone."""
    row: PosWay | None = reader.first(PosWay.select().where(PosWay.number == number))
    return None if row is None else row.progress


def save_progress(writer: Writer, way: Way, progress: object) -> None:
    """Keeps what the way's runner is to know after a restart, of plain JSON; nothing where the way was changed since."""
    unchanged = (PosWay.number == way.number) & (PosWay.details == msgspec.to_builtins(way.details))
    writer.execute(PosWay.update({PosWay.progress: progress}).where(unchanged))


def _named(name: str, till: str) -> dict[str, object]:
    return {
        "name": check_line(name, code="way-name", min_chars=1, max_chars=NAME_MAX_CHARS),
        "till": check_line(till, code="till", max_chars=TILL_MAX_CHARS),
    }


def _kind_of(details: Details) -> WayKind:
    return next(kind for kind, type_ in _DETAILS.items() if isinstance(details, type_))


def _place_of(details: Details) -> tuple[str, ...]:
    """What a runner's progress is about."""
    match details:
        case PrinterDetails():
            return ()
        case FolderDetails(path=path):
            return (path,)
        case OdooDetails(url=url, database=database):
            return (url, database)


def _leads_back(address: str, port: int) -> bool:
    parts = urlsplit(address)
    return (
        parts.scheme == "tcp" and parts.port == port and parts.hostname in {"127.0.0.1", "localhost", "::1"}
    )


def _way(row: PosWay) -> Way | None:
    try:
        kind = WayKind(row.kind)
        details = msgspec.convert(row.details, _DETAILS[kind])
    except (ValueError, InvalidError) as error:
        _log.error("the way %d cannot be used: %s", row.number, type(error).__name__)
        return None
    return Way(
        number=row.number,
        kind=kind,
        name=row.name,
        till=row.till,
        enabled=bool(row.enabled),
        dry_run=bool(row.dry_run),
        details=details,
    )
