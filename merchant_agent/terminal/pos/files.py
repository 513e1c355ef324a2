"""Sales in a file that a POS dropped: JSON as over HTTP, CSV with a head line, or a receipt as text or ESC/POS.

Text is UTF-8, UTF-16 with its mark, or else GB18030.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from merchant_agent.domain.sales import Sale, SaleKind, SaleSource, parse_time, read_amount
from merchant_agent.errors import InvalidError
from merchant_agent.terminal.pos.http import SaleMessage
from merchant_agent.terminal.pos.printer.jobs import Job, understand
from merchant_agent.terminal.pos.printer.paper import Paper
from merchant_agent.terminal.pos.printer.patterns import JobKind, Patterns
from merchant_agent.terminal.pos.printer.scanner import Scanner
from merchant_agent.terminal.pos.taking import own_order

MOST_BYTES: Final = 1_048_576
MOST_SALES: Final = 5000
_ESCAPES: Final = (b"\x1b", b"\x1d")
_LOCAL_FORMS: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M")

# Head lines of CSV files, in lower case.
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "order": ("order", "order_no", "receipt", "receipt_no", "单号", "订单号", "小票号", "流水号", "取餐号"),
    "till": ("till", "register", "pos", "收银台", "款台", "机号"),
    "kind": ("kind", "type", "类型"),
    "amount": ("amount", "total", "金额", "合计", "总计", "应付", "实付", "实收"),
    "currency": ("currency", "币种"),
    "at": ("at", "time", "date", "datetime", "时间", "日期", "交易时间", "结账时间"),
}
_REFUNDS: Final = ("refund", "return", "void", "退款", "退货", "退单", "撤销")


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds: sales, and for one receipt how it was understood."""

    sales: tuple[Sale, ...]
    job: Job | None = None
    lines: tuple[str, ...] = ()


def read_file(  # noqa: PLR0913 -- what reading depends on
    name: str,
    octets: bytes,
    *,
    till: str,
    zone: ZoneInfo,
    patterns: Patterns,
    own_names: tuple[str, ...],
) -> Read:
    """The sales of a file with that name; `till` is that of sales which name none, `own_names` as for `understand`.

    Raises:
        InvalidError: "file-empty", "file-text", "file-json", "file-csv", "file-many", or as `Sale`.
    """
    if not octets.strip():
        raise InvalidError("file-empty", "the file is empty")
    suffix = name.rpartition(".")[2].lower()
    if suffix == "json":
        return Read(sales=_from_json(octets, till))
    if suffix == "csv":
        return Read(sales=_from_csv(_text(octets), till, zone))
    lines = _escaped(octets) if any(mark in octets for mark in _ESCAPES) else _lines(_text(octets))
    job = understand(lines, has_image=False, patterns=patterns, own_names=own_names)
    sales = (_from_receipt(job, lines, till, zone),) if job.kind is JobKind.RECEIPT else ()
    return Read(sales=sales, job=job, lines=lines)


def _text(octets: bytes) -> str:
    is_marked = octets[:2] in {b"\xff\xfe", b"\xfe\xff"}
    encodings = ("utf-16",) if is_marked else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return octets.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidError("file-text", "neither UTF-8 nor GB18030")


def _lines(text: str) -> tuple[str, ...]:
    paper = Paper()
    for piece in Scanner().feed(text.encode("gb18030", "replace") + b"\n"):
        paper.take(piece)
    return paper.lines


def _escaped(octets: bytes) -> tuple[str, ...]:
    paper = Paper()
    for piece in Scanner().feed(octets):
        paper.take(piece)
    return paper.lines


def _from_json(octets: bytes, till: str) -> tuple[Sale, ...]:
    try:
        told = json.loads(_text(octets))
    except (ValueError, RecursionError) as error:
        raise InvalidError("file-json", "no JSON") from error
    if isinstance(told, dict) and "sales" in told:
        told = told["sales"]
    items = told if isinstance(told, list) else [told]
    if len(items) > MOST_SALES:
        raise InvalidError("file-many", f"at most {MOST_SALES} sales in a file")
    try:
        messages = [
            msgspec.convert({"till": till} | item if isinstance(item, dict) else item, SaleMessage)
            for item in items
        ]
    except msgspec.ValidationError as error:
        raise InvalidError("file-json", str(error)) from error
    return tuple(message.sale(SaleSource.FOLDER) for message in messages)


def _from_csv(text: str, till: str, zone: ZoneInfo) -> tuple[Sale, ...]:
    head_line = text.lstrip().partition("\n")[0]
    mark = max(",;\t", key=head_line.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark) if any(row)]
    except csv.Error as error:
        raise InvalidError("file-csv", str(error)) from error
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    columns = {
        part: next((head.index(name) for name in names if name in head), None)
        for part, names in _COLUMNS.items()
    }
    if columns["order"] is None:
        raise InvalidError("file-csv", "no column is called order or 单号")
    if len(rows) > MOST_SALES:
        raise InvalidError("file-many", f"at most {MOST_SALES} sales in a file")
    return tuple(_from_row(row, columns, till, zone) for row in rows[1:])


def _from_row(row: list[str], columns: Mapping[str, int | None], till: str, zone: ZoneInfo) -> Sale:
    def cell(part: str) -> str:
        at = columns[part]
        return row[at].strip() if at is not None and at < len(row) else ""

    amount = cell("amount").lstrip("¥￥").replace(",", "")
    kind = cell("kind").lower()
    is_refund = amount.startswith("-") or any(word in kind for word in _REFUNDS)
    return Sale(
        order=cell("order"),
        till=cell("till") or till,
        kind=SaleKind.REFUND if is_refund else _kind(kind),
        amount=None if is_refund or not amount else read_amount(amount),
        currency=cell("currency") or "CNY",
        at=_time(cell("at"), zone),
        source=SaleSource.FOLDER,
    )


def _kind(text: str) -> SaleKind:
    return SaleKind(text) if text in set(SaleKind) else SaleKind.COUNTER


def _time(text: str, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    for form in _LOCAL_FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=zone)
        except ValueError:
            continue
    return parse_time(text)


def _from_receipt(job: Job, lines: tuple[str, ...], till: str, zone: ZoneInfo) -> Sale:
    return Sale(
        order=job.order or own_order("\n".join(lines).encode()),
        till=till,
        kind=SaleKind(job.form),
        amount=None if job.total is None else job.total.amount,
        currency="CNY" if job.total is None else job.total.currency,
        at=None if job.at is None else job.at.replace(tzinfo=zone),
        source=SaleSource.FOLDER,
    )
