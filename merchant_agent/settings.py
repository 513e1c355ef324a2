"""Typed settings of both programs, from defaults, a TOML file, the environment and flags.

One table for each program: the dataclass. Its fields drive the defaults, the checks,
`merchant-agent settings`, the commented file in `config/` and README's list; tests compare them.

Later sources win: default, file, environment (`MERCHANT_AGENT_` and the name), flag.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from merchant_agent.domain.opening import parse_closures, parse_opening
from merchant_agent.errors import InvalidError, SettingsError

ENVIRONMENT_PREFIX = "MERCHANT_AGENT_"
Program = Literal["terminal", "central"]
Value = str | int
_S = TypeVar("_S", "TerminalSettings", "CentralSettings")


def _text(default: str, doc: str, check: Callable[[str], str] | None = None, *, secret: bool = False) -> Any:  # noqa: ANN401 - dataclasses.field
    return field(default=default, metadata={"doc": doc, "check": check, "secret": secret})


def _number(default: int, doc: str, low: int, high: int) -> Any:  # noqa: ANN401 - dataclasses.field
    return field(default=default, metadata={"doc": doc, "low": low, "high": high})


def _time_of_day(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError("must be a time of day such as 04:00")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as Asia/Shanghai") from None
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if text and (
        parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment
    ):
        raise ValueError("must be an address such as https://central.example.gov.cn")
    return text.rstrip("/")


def _printer(text: str) -> str:
    parts = urlsplit(text)
    where = {"tcp": parts.hostname, "file": parts.path, "spool": parts.netloc}.get(parts.scheme)
    if text and not where:
        raise ValueError(
            "must be empty or an address such as tcp://192.168.1.50:9100, file:///dev/usb/lp0 or spool://XP-80C"
        )
    return text


def _database(text: str) -> str:
    if text and urlsplit(text).scheme not in {"postgresql", "postgres"}:
        raise ValueError("must be empty or begin with postgresql://")
    return text


def _origin(text: str) -> str:
    if text and not re.fullmatch(r"[!-*,-~]{1,120}", text):
        raise ValueError("must be one word without +, such as central.example.gov.cn/log")
    return text


def _opening_hours(text: str) -> str:
    try:
        parse_opening(text)
    except InvalidError:
        raise ValueError("must be hours such as 1-5 08:00-22:00, 6-7 10:00-02:00") from None
    return text


def _closed_days(text: str) -> str:
    try:
        parse_closures(text)
    except InvalidError:
        raise ValueError("must be days such as 2027-02-10..2027-02-17, 2027-05-01") from None
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSettings:
    """What a shop's terminal can be told. `data` is the folder of everything it keeps."""

    data: Path
    host: str = _text(
        "", "Address to listen on; empty: this machine only until a staff PIN is set, then all."
    )
    port: int = _number(8700, "Port of the pages and of the POS interface; 0 picks a free one.", 0, 65535)
    central_url: str = _text(
        "", "Address of central; empty: the one that the terminal was enrolled at.", _url, secret=True
    )
    central_ca: str = _text(
        "", "File with the certificate authority of central's HTTPS; empty: the system's."
    )
    proxy: str = _text("", "HTTP proxy on the way to central; empty: none.", _url, secret=True)
    zone: str = _text("Asia/Shanghai", "Time zone of the shop.", _zone)
    business_day_starts: str = _text("04:00", "Time of day at which a new business day begins.", _time_of_day)
    opening_hours: str = _text(
        "",
        "Opening hours by weekday from 1 (Monday) to 7, such as 1-5 08:00-22:00, 6-7 10:00-02:00; they are "
        "signed, and silence outside of them is no finding. Empty: none are stated.",
        _opening_hours,
    )
    closures: str = _text(
        "",
        "Days on which the shop is closed, such as 2027-02-10..2027-02-17, 2027-05-01; signed likewise.",
        _closed_days,
    )
    idle_rating_s: int = _number(
        20, "Seconds without a touch after which a rating is signed as it stands.", 5, 600
    )
    idle_complaint_s: int = _number(
        75, "The same for a complaint or suggestion; its text is cleared.", 15, 600
    )
    prompt_timeout_s: int = _number(
        90, "Seconds after which a question that nobody touched goes away.", 10, 600
    )
    thanks_rating_s: int = _number(15, "Seconds that the thanks for a rating stay on the tablet.", 3, 120)
    thanks_complaint_s: int = _number(
        75, "Seconds that the thanks for a complaint stay on the tablet.", 5, 300
    )
    slip_printer: str = _text(
        "",
        "Receipt printer that prints customers' slips on request, tcp://192.168.1.50:9100, file:///dev/usb/lp0 or "
        "spool://XP-80C, where none is connected on the manager's page; it needs the extra print. Empty: none.",
        _printer,
    )
    backlog_after_s: int = _number(
        120, "A sale this much older than the till's usual delay does not wake the tablet.", 10, 86400
    )
    upload_every_s: int = _number(
        300, "Seconds between scheduled uploads; new answers are sent at once.", 5, 86400
    )
    upload_batch_bytes: int = _number(262144, "Largest upload in bytes before compression.", 20480, 4194304)
    upload_batch_records: int = _number(200, "Most records in one upload.", 1, 1000)
    upload_gather_ms: int = _number(1000, "Milliseconds for which new questions are gathered.", 0, 10000)
    invitation_days: int = _number(14, "Days for which a customer may rate on the phone.", 1, 90)
    retention_days: int = _number(
        400, "Days after which customers' words and contacts are erased; signatures stay.", 1, 400
    )
    backup_at: str = _text("03:30", "Time of day of the nightly backup.", _time_of_day)
    backup_keep: int = _number(7, "Nightly backups that are kept.", 1, 60)
    quarantine_days: int = _number(
        90, "Days for which a damaged database that was set aside stays in the folder quarantine.", 1, 400
    )
    mark_file: str = _text(
        "",
        "File that remembers how far the records came, so that data copied back to an earlier state are found out; "
        "empty: data.mark beside the folder data. It helps most on another disk; it does not help against somebody "
        "who copies it back too.",
    )
    rotate_days: int = _number(
        0, "Days after which a new signing key is asked for by itself; 0: only when told to.", 0, 3650
    )
    ballast_bytes: int = _number(
        16777216, "Reserve on the disk that is released when it is full.", 0, 1073741824
    )
    log_bytes: int = _number(
        5242880, "Size at which the log file is rotated; three are kept.", 65536, 104857600
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralSettings:
    """What the bureau's server can be told. `data` holds its keys, and its database unless `database` says."""

    data: Path
    host: str = _text("127.0.0.1", "Address to listen on.")
    port: int = _number(8800, "Port to listen on; 0 picks a free one.", 0, 65535)
    database: str = _text(
        "", "PostgreSQL address, postgresql://user@host/name; empty: SQLite in data.", _database, secret=True
    )
    public_url: str = _text("", "Address under which customers reach central; empty: http://host:port.", _url)
    authority: str = _text("", "Name of the bureau as the pages show it; empty: a general one.")
    zone: str = _text("Asia/Shanghai", "Time zone of the county.", _zone)
    deadline_hours: int = _number(24, "Hours within which a shop's records must arrive.", 1, 255)
    code_minutes: int = _number(15, "Minutes for which an enrolment code shown on screen is valid.", 1, 1440)
    sheet_days: int = _number(14, "Days for which a printed enrolment sheet is valid.", 1, 90)
    release_at: str = _text(
        "06:00", "Time of day at which the public figures of the day before appear.", _time_of_day
    )
    retention_days: int = _number(
        400, "Days after which customers' words and contacts are erased; signatures stay.", 1, 400
    )
    backup_at: str = _text("03:30", "Time of day of the nightly backup of a SQLite database.", _time_of_day)
    backup_keep: int = _number(7, "Nightly backups that are kept.", 1, 60)
    checkpoint_lock: str = _text(
        "",
        "File that remembers the log's newest checkpoint, apart from database and backups; a relative name "
        "is taken from data. Made by central init-log alone; empty: there is no log.",
    )
    log_origin: str = _text(
        "",
        "Name of the log, such as central.example.gov.cn/log; empty: one made of the root key's id. "
        "Never changed once central has its keys.",
        _origin,
    )
    max_upload_bytes: int = _number(1048576, "Largest upload taken, compressed.", 65536, 16777216)
    max_inflated_bytes: int = _number(8388608, "Largest upload taken, after decompression.", 65536, 67108864)
    session_hours: int = _number(12, "Hours after which an officer must sign in again.", 1, 168)
    proxies: int = _number(
        0, "Reverse proxies in front whose word on a client's address is taken, such as 1 for nginx.", 0, 4
    )
    log_bytes: int = _number(
        5242880, "Size at which the log file is rotated; three are kept.", 65536, 104857600
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Generic[_S]):
    """Settings, where each came from, and what the operator should hear about."""

    settings: _S
    origins: Mapping[str, str]
    warnings: tuple[str, ...]


def file_name(kind: type[TerminalSettings | CentralSettings]) -> str:
    """Name of the settings file inside the data folder."""
    return f"{_program(kind)}.toml"


def documented(kind: type[TerminalSettings | CentralSettings]) -> list[tuple[str, Value, str]]:
    """Name, default and one sentence for each setting but `data`, in order."""
    return [(f.name, f.default, f.metadata["doc"]) for f in fields(kind) if f.name != "data"]  # type: ignore[misc]


def shown(settings: TerminalSettings | CentralSettings, name: str) -> str:
    """The value for people's eyes: passwords inside addresses are masked."""
    value = str(getattr(settings, name))
    secret = next(f for f in fields(settings) if f.name == name).metadata.get("secret", False)
    return without_password(value) if secret else value


def load(
    kind: type[_S],
    data: Path,
    *,
    flags: Mapping[str, Value | None] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded[_S]:
    """The settings of one program for one data folder.

    `flags` are the command line's, None where not given; `environ` is the process's unless given.
    A settings file that is empty or broken gives way to its last good copy, with a warning.

    Raises:
        SettingsError: an unknown name, a value out of range, or a broken file without a good copy.
    """
    data = data.expanduser().absolute()
    values: dict[str, Value] = {}
    origins = {f.name: "default" for f in fields(kind)} | {"data": "flag"}
    warnings: list[str] = []
    from_file, source = _file_values(data / file_name(kind), warnings)
    sources: tuple[tuple[str, Mapping[str, object]], ...] = (
        (str(source), from_file),
        ("environment", _environment_values(kind, environ)),
        ("flag", {name: value for name, value in (flags or {}).items() if value is not None}),
    )
    for origin, found in sources:
        for name, raw in found.items():
            values[name] = _checked(kind, name, raw, origin)
            origins[name] = origin
    return Loaded(settings=kind(data=data, **values), origins=origins, warnings=tuple(warnings))  # type: ignore[arg-type]


def keep_good_copy(kind: type[TerminalSettings | CentralSettings], data: Path) -> None:
    """Keeps the settings file that was just loaded beside itself, for a day when it is broken.

    To be called once the program has started with it. The copy is complete or absent at any time.
    """
    path = data / file_name(kind)
    try:
        good = path.read_bytes()
    except FileNotFoundError:
        return
    if not good.strip():
        return
    copy = _good_copy(path)
    if copy.exists() and copy.read_bytes() == good:
        return
    partial = copy.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(good)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(copy)


def _good_copy(path: Path) -> Path:
    return path.with_name(path.name + ".last-good")


def _file_values(path: Path, warnings: list[str]) -> tuple[dict[str, Any], Path]:
    """What the file says, and which file that was; nothing where there is none."""
    copy = _good_copy(path)
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return {}, path
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error.strerror}.") from error
    if not octets.strip() and not copy.exists():
        return {}, path
    try:
        if not octets.strip():
            raise ValueError("it is empty")  # noqa: TRY301 - same way out as a broken one
        return tomllib.loads(octets.decode("utf-8")), path
    except ValueError as error:
        if not copy.exists():
            raise SettingsError(f"The settings file {path} cannot be understood: {error}.") from error
        warnings.append(f"The settings file {path} cannot be used ({error}); its last good copy is in force.")
        return tomllib.loads(copy.read_text("utf-8")), copy


def _environment_values(kind: type[Any], environ: Mapping[str, str] | None) -> dict[str, str]:
    """Settings from the environment; a name that neither program knows is refused."""
    own = {f.name for f in fields(kind)} - {"data"}
    every = {f.name for both in (TerminalSettings, CentralSettings) for f in fields(both)}
    found: dict[str, str] = {}
    for variable, text in (os.environ if environ is None else environ).items():
        if not variable.startswith(ENVIRONMENT_PREFIX):
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        if name in own:
            found[name] = text
        elif name not in every:
            raise SettingsError(_unknown(f"environment variable {variable}", name, every))
    return found


def _checked(kind: type[Any], name: str, raw: object, origin: str) -> Value:
    known = {f.name: f for f in fields(kind) if f.name != "data"}
    if name not in known:
        raise SettingsError(_unknown(f"setting {name} in {origin}", name, known))
    default, meta = known[name].default, known[name].metadata
    try:
        if isinstance(default, int):
            return _whole_number(raw, meta["low"], meta["high"])
        if not isinstance(raw, str):
            raise ValueError("must be text in quotes")  # noqa: TRY004, TRY301 - one way out
        return meta["check"](raw) if meta["check"] else raw
    except ValueError as error:
        raise SettingsError(f"The setting {name} ({origin}) {error}.") from None


def _whole_number(raw: object, low: int, high: int) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int | str) or not re.fullmatch(r"-?\d{1,12}", str(raw)):
        raise ValueError("must be a whole number")
    if not low <= int(raw) <= high:
        raise ValueError(f"must lie between {low} and {high}")
    return int(raw)


def _unknown(what: str, name: str, known: Mapping[str, object] | set[str]) -> str:
    nearest = difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)
    return f"There is no {what}; did you mean {nearest[0]}?"


def _program(kind: type[TerminalSettings | CentralSettings]) -> Program:
    return "terminal" if kind is TerminalSettings else "central"


def without_password(url: str) -> str:
    """The address for people's eyes."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":***@")))
