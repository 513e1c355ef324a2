"""The register of merchants: one by one from a form, or many from a CSV file.

A file is taken as a whole or not at all; every line that does not fit is named with what
is wrong in it. A merchant is known by its credit code: a line about a known one changes it.
What a merchant promises is entered in the form alone; a file leaves it as it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime

from merchant_agent.central.services import Central
from merchant_agent.central.store.models import MerchantEntry
from merchant_agent.domain.catalogue import Catalogue
from merchant_agent.domain.merchants import Merchant, Programme
from merchant_agent.domain.promises import Promise, PromiseKind, PromiseKinds
from merchant_agent.domain.text import half_width
from merchant_agent.errors import ConflictError, InvalidError, NotFoundError, StoreConflictError
from merchant_agent.evidence.grant import new_issuer_id
from merchant_agent.store.credentials import audit
from merchant_agent.store.store import Reader, Writer

MAX_FILE_BYTES = 4 << 20
MAX_LINES = 20_000

_MAX_DAYS_DIGITS = 4

_NAMES = tuple(field.name for field in fields(Merchant) if field.name != "promises")
_TOLD = ("id", "name", "shop_name", "credit_code", "address", "trade", "phone", "promises")
_REQUIRED = ("name", "credit_code", "address", "trade")
_HEADINGS = {
    "name": ("名称", "企业名称", "主体名称"),
    "shop_name": ("店名", "店招", "门店名称"),
    "credit_code": ("统一社会信用代码", "信用代码"),
    "address": ("地址", "经营地址", "住所"),
    "trade": ("行业", "业态"),
    "phone": ("contact", "联系电话", "电话", "联系方式"),
    "programme": ("programme_status", "创建状态", "放心消费创建"),
}
_PROGRAMMES = {
    "": Programme.NONE,
    "无": Programme.NONE,
    "创建点位": Programme.SITE,
    "示范单位": Programme.MODEL,
}
# A form or line is checked field by field, in a merchant that is otherwise in order.
_IN_ORDER = Merchant(name="-", credit_code="00000000000000000" + "0", address="-", trade="other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with one field: `code` is the error's, `field` the form's name for it."""

    field: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineProblem:
    """What is wrong in a line of a file; the heading is line 1."""

    line: int
    problem: Problem


class MerchantInvalidError(InvalidError):
    """A merchant as it was entered is not acceptable; `problems` names each field at fault."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("merchant", ", ".join(f"{problem.field}: {problem.detail}" for problem in problems))
        self.problems = problems


class ImportRefusedError(InvalidError):
    """A file was not taken; `problems` names each line at fault, none where the file itself is."""

    def __init__(self, code: str, detail: str, problems: tuple[LineProblem, ...] = ()) -> None:
        super().__init__(code, detail)
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """How many merchants a file added, changed, and left as they were."""

    added: int
    changed: int
    unchanged: int


def read_merchant(
    entered: Mapping[str, str], catalogue: Catalogue, kinds: PromiseKinds | None = None
) -> Merchant:
    """The merchant that a form states, by the names of `Merchant`'s fields; absent ones are empty.

    A trade may be written as its code or its name, the programme likewise. With `kinds` it also states the
    promises, by the names that `promise_field` gives.

    Raises:
        MerchantInvalidError: some fields do not fit; all of them are named.
    """
    values: dict[str, object] = {}
    problems: list[Problem] = []
    for name in _NAMES:
        try:
            value = _read_field(name, entered.get(name, ""), catalogue)
            values[name] = getattr(Merchant(**{**asdict(_IN_ORDER), name: value}), name)
        except InvalidError as error:
            problems.append(Problem(field=name, code=error.code, detail=error.detail))
    values["promises"] = _read_promises(entered, kinds, problems) if kinds else ()
    if problems:
        raise MerchantInvalidError(tuple(problems))
    return Merchant(**values)  # type: ignore[arg-type]  # each was checked by its own field


def promise_field(code: str, detail: str = "") -> str:
    """The form's name for a promise's box, not empty where the shop promises that, or for a detail of it."""
    return f"promise-{code}-{detail}" if detail else f"promise-{code}"


def promises_of(entry: MerchantEntry) -> tuple[Promise, ...]:
    """What a registered merchant promises."""
    return tuple(Promise(**promise) for promise in entry.promises)


def told_of(entry: MerchantEntry) -> dict[str, object]:
    """What a merchant's terminals are told of it; see PROTOCOL.md, "The merchant"."""
    return {name: getattr(entry, name) for name in _TOLD}


def find_merchant(reader: Reader, merchant: str) -> MerchantEntry:
    """The registered merchant of that id.

    Raises:
        NotFoundError: "merchant".
    """
    entry: MerchantEntry | None = reader.first(MerchantEntry.select().where(MerchantEntry.id == merchant))
    if entry is None:
        raise NotFoundError("merchant", "there is no such merchant")
    return entry


def add_merchant(central: Central, merchant: Merchant, *, who: str) -> str:
    """Registers a merchant; its new id.

    Raises:
        ConflictError: "credit-code", when one with that code is registered.
    """
    now = central.clock.now()
    try:
        with central.store.write() as tx:
            merchant_id = _insert(tx, merchant, now)
            audit(tx, at=now, who=who, what="merchant-added", detail=merchant_id)
    except StoreConflictError as error:
        raise _code_taken() from error
    return merchant_id


def change_merchant(central: Central, merchant_id: str, merchant: Merchant, *, who: str) -> None:
    """Changes what is registered of a merchant; its id and its records stay.

    Raises:
        NotFoundError: "merchant".
        ConflictError: "credit-code", when another one has that code.
    """
    now = central.clock.now()
    try:
        with central.store.write() as tx:
            find_merchant(tx, merchant_id)
            _update(tx, merchant_id, merchant, now)
            audit(tx, at=now, who=who, what="merchant-changed", detail=merchant_id)
    except StoreConflictError as error:
        raise _code_taken() from error


def import_merchants(central: Central, octets: bytes, *, who: str) -> Imported:
    """Registers or changes every merchant of a CSV file, in one transaction.

    UTF-8 with or without BOM, or GB18030, as spreadsheets write it. The first line has the
    headings, in any order: the names of `Merchant`'s fields or their Chinese names.

    Raises:
        ImportRefusedError: "import-too-large", "import-encoding", "import-headings" or
            "import-empty" about the file; "import-lines" with each line at fault. Nothing was
            registered.
    """
    merchants = _read_file(octets, central.catalogue)
    now = central.clock.now()
    added = changed = 0
    with central.store.write() as tx:
        known = {entry.credit_code: entry for entry in tx.all(MerchantEntry.select())}
        for merchant in merchants:
            entry = known.get(merchant.credit_code)
            if entry is None:
                _insert(tx, merchant, now)
                added += 1
            elif any(getattr(entry, name) != getattr(merchant, name) for name in _NAMES):
                _update(tx, entry.id, replace(merchant, promises=promises_of(entry)), now)
                changed += 1
        audit(tx, at=now, who=who, what="merchants-imported", detail=f"{added} added, {changed} changed")
    return Imported(added=added, changed=changed, unchanged=len(merchants) - added - changed)


def _read_field(name: str, text: str, catalogue: Catalogue) -> str | Programme:
    text = text.strip()
    if name == "trade":
        return _read_trade(text, catalogue)
    if name == "programme":
        return _read_programme(text)
    return text


def _read_trade(text: str, catalogue: Catalogue) -> str:
    for trade in catalogue.trades:
        if text in {trade.code, trade.zh, trade.en}:
            return trade.code
    raise InvalidError("trade", "the catalogue has no such trade")


def _read_programme(text: str) -> Programme:
    if text in _PROGRAMMES:
        return _PROGRAMMES[text]
    try:
        return Programme(text)
    except ValueError as error:
        raise InvalidError("programme", "none, site or model is expected") from error


def _read_promises(
    entered: Mapping[str, str], kinds: PromiseKinds, problems: list[Problem]
) -> tuple[Promise, ...]:
    """Every promise whose box is ticked; what is wrong in one is added to the problems."""
    promises = []
    for kind in kinds.kinds:
        if entered.get(promise_field(kind.code)):
            try:
                promise = _read_promise(entered, kind)
                kinds.check(promise)
            except InvalidError as error:
                field = promise_field(kind.code, error.code.removeprefix("promise-"))
                problems.append(Problem(field=field, code=error.code, detail=error.detail))
            else:
                promises.append(promise)
    return tuple(promises)


def _read_promise(entered: Mapping[str, str], kind: PromiseKind) -> Promise:
    texts = {detail: entered.get(promise_field(kind.code, detail), "").strip() for detail in kind.takes}
    days = half_width(texts.get("days", ""))
    if days and not (days.isascii() and days.isdigit() and len(days) <= _MAX_DAYS_DIGITS):
        raise InvalidError("promise-days", "a number of days is expected")
    return Promise(
        code=kind.code,
        days=int(days) if days else None,
        goods=texts.get("goods", ""),
        terms=texts.get("terms", ""),
    )


def _read_file(octets: bytes, catalogue: Catalogue) -> list[Merchant]:
    """Every merchant of the file, in its order."""
    merchants: list[Merchant] = []
    problems: list[LineProblem] = []
    first_lines: dict[str, int] = {}
    for line, entered in _rows(octets):
        try:
            merchant = read_merchant(entered, catalogue)
        except MerchantInvalidError as error:
            problems.extend(LineProblem(line=line, problem=problem) for problem in error.problems)
            continue
        first = first_lines.setdefault(merchant.credit_code, line)
        if first != line:
            twice = Problem(field="credit_code", code="twice", detail=f"the same code as in line {first}")
            problems.append(LineProblem(line=line, problem=twice))
        merchants.append(merchant)
    if problems:
        raise ImportRefusedError("import-lines", f"{len(problems)} problems", tuple(problems))
    if not merchants:
        raise ImportRefusedError("import-empty", "the file holds no merchant")
    return merchants


def _rows(octets: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line's number and its fields by name; blank lines are passed over."""
    reader = csv.reader(io.StringIO(_decode(octets), newline=""), strict=True)
    line = 1
    try:
        names = _read_headings(next(reader, []))
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                _require_cells(cells, names, line)
                yield line, dict(zip(names, cells, strict=True))
            line = reader.line_num + 1
            if line > MAX_LINES:
                raise ImportRefusedError("import-too-large", f"more than {MAX_LINES} lines")
    except csv.Error as error:
        raise ImportRefusedError("import-lines", "no CSV", (_line_problem(line, str(error)),)) from error


def _require_cells(cells: list[str], names: list[str], line: int) -> None:
    if len(cells) != len(names):
        detail = f"{len(cells)} fields under {len(names)} headings"
        raise ImportRefusedError("import-lines", detail, (_line_problem(line, detail),))


def _line_problem(line: int, detail: str) -> LineProblem:
    return LineProblem(line=line, problem=Problem(field="", code="line", detail=detail))


def _decode(octets: bytes) -> str:
    if len(octets) > MAX_FILE_BYTES:
        raise ImportRefusedError("import-too-large", f"more than {MAX_FILE_BYTES} bytes")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return octets.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ImportRefusedError("import-encoding", "neither UTF-8 nor GB18030")


def _read_headings(cells: list[str]) -> list[str]:
    known = {heading: name for name, others in _HEADINGS.items() for heading in (name, *others)}
    headings = [cell.strip() for cell in cells]
    names = [known.get(heading, "") for heading in headings]
    unknown = [heading for heading, name in zip(headings, names, strict=True) if not name]
    missing = [name for name in _REQUIRED if name not in names]
    if unknown or missing or len(set(names)) != len(names):
        detail = f"unknown: {unknown}; missing: {missing}; each once"
        raise ImportRefusedError("import-headings", detail)
    return names


def _insert(tx: Writer, merchant: Merchant, now: datetime) -> str:
    merchant_id = new_issuer_id()
    tx.execute(MerchantEntry.insert(id=merchant_id, created_at=now, changed_at=now, **asdict(merchant)))
    return merchant_id


def _update(tx: Writer, merchant_id: str, merchant: Merchant, now: datetime) -> None:
    changed = {**asdict(merchant), "changed_at": now}
    tx.execute(MerchantEntry.update(changed).where(MerchantEntry.id == merchant_id))


def _code_taken() -> ConflictError:
    return ConflictError("credit-code", "a merchant with that credit code is registered")
