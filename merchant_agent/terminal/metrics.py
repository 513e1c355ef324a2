"""What `/metrics` tells of a terminal: how far it is, how it fares, and nothing about anybody.

Ratings are counted together, without their levels: a level at a time of day would tell of one customer.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta

from merchant_agent import __version__
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.record import Totals, decode_record
from merchant_agent.store.store import Reader
from merchant_agent.terminal.alarms import open_alarms
from merchant_agent.terminal.devices import Paired, list_tablets
from merchant_agent.terminal.pos.connections import Connections
from merchant_agent.terminal.pos.figures import pos_values
from merchant_agent.terminal.pos.ways import list_ways
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.ledger import newest_record
from merchant_agent.terminal.store.opening import DATABASE_NAME
from merchant_agent.terminal.upload.status import UploadStatus
from merchant_agent.terminal.upload.uploader import Uploader
from merchant_agent.web.metrics import Metric, Value

_P = "merchant_agent_terminal_"

METRICS: tuple[Metric, ...] = (
    Metric(name=f"{_P}info", kind="gauge", doc="The program's version.", label="version"),
    Metric(name=f"{_P}enrolled", kind="gauge", doc="1 once enrolled at central."),
    Metric(name=f"{_P}head_epoch", kind="gauge", doc="Epoch of the newest record."),
    Metric(name=f"{_P}head_seq", kind="gauge", doc="Seq of the newest record."),
    Metric(
        name=f"{_P}acknowledged_epoch", kind="gauge", doc="Epoch of the newest record that central confirmed."
    ),
    Metric(name=f"{_P}acknowledged_seq", kind="gauge", doc="Its seq; -1 before the first."),
    Metric(name=f"{_P}waiting_records", kind="gauge", doc="Records that central has not confirmed."),
    Metric(name=f"{_P}rejected_records", kind="gauge", doc="Records that central refused."),
    Metric(
        name=f"{_P}uploads_total", kind="counter", doc="Attempts to upload since the start.", label="outcome"
    ),
    Metric(name=f"{_P}last_success_age_seconds", kind="gauge", doc="Since central last confirmed an upload."),
    Metric(name=f"{_P}prompts_total", kind="counter", doc="Questions, from the newest record's totals."),
    Metric(name=f"{_P}lapses_total", kind="counter", doc="Questions that nobody answered, likewise."),
    Metric(name=f"{_P}ratings_total", kind="counter", doc="Ratings of all levels, likewise."),
    Metric(name=f"{_P}suggestions_total", kind="counter", doc="Suggestions, likewise."),
    Metric(name=f"{_P}complaints_total", kind="counter", doc="Complaints, likewise."),
    Metric(
        name=f"{_P}tablets",
        kind="gauge",
        doc="Paired tablets: all, and those seen in 5 minutes.",
        label="state",
    ),
    Metric(name=f"{_P}alarms", kind="gauge", doc="Open alarms of the counter's page.", label="code"),
    Metric(name=f"{_P}hold", kind="gauge", doc="1 while nothing is signed, and why.", label="reason"),
    Metric(
        name=f"{_P}pos_ready",
        kind="gauge",
        doc="Printers, folders and Odoo that are on: 1 where sales can come, else 0.",
        label="way",
    ),
    Metric(
        name=f"{_P}pos_sales_total",
        kind="counter",
        doc="Sales seen since the start, dry runs and repeats too; http is all tokens.",
        label="way",
    ),
    Metric(
        name=f"{_P}pos_refused_total",
        kind="counter",
        doc="What came and could not be taken since the start, likewise.",
        label="way",
    ),
    Metric(
        name=f"{_P}pos_last_sale_age_seconds",
        kind="gauge",
        doc="Since the newest sale that was seen since the start.",
        label="way",
    ),
    Metric(name=f"{_P}log_size", kind="gauge", doc="Entries of central's log that were verified."),
    Metric(name=f"{_P}split_views", kind="gauge", doc="Checkpoints that contradict a verified one."),
    Metric(
        name=f"{_P}database_bytes", kind="gauge", doc="Size of the database, its write-ahead log included."
    ),
    Metric(name=f"{_P}free_bytes", kind="gauge", doc="Free space on the data folder's disk."),
)

SEEN = timedelta(minutes=5)


def metric_values(terminal: Terminal, uploader: Uploader, connections: Connections) -> Mapping[str, Value]:
    """Each figure that there is at this moment, by its metric's name.

    Raises:
        StoreError: the database cannot be read.
    """
    now = terminal.clock.now()
    status = uploader.status()
    with terminal.store.read() as reader:
        values = _of_upload(terminal, status, now) | _of_totals(terminal, reader)
        tablets = list_tablets(reader)
        alarms = [alarm.code for alarm in open_alarms(reader)]
        ways = list_ways(reader)
    values |= pos_values(ways, connections, now)
    values["uploads_total"] = {code.value: count for code, count in sorted(uploader.outcomes().items())}
    values["tablets"] = {"paired": len(tablets), "seen": count_seen(tablets, now)}
    values["alarms"] = {code: alarms.count(code) for code in sorted(set(alarms))}
    hold = terminal.journal.hold
    values["hold"] = {} if hold is None else {hold: 1}
    path = terminal.folder.path
    values["database_bytes"] = sum(file.stat().st_size for file in path.glob(f"{DATABASE_NAME}*"))
    values["free_bytes"] = shutil.disk_usage(path).free
    return {f"{_P}{name}": value for name, value in values.items()}


def count_seen(tablets: tuple[Paired, ...], now: datetime) -> int:
    """How many of them asked for something in the last five minutes."""
    return len([tablet for tablet in tablets if tablet.seen_at is not None and now - tablet.seen_at <= SEEN])


def _of_upload(terminal: Terminal, status: UploadStatus, now: datetime) -> dict[str, Value]:
    head, last = terminal.journal.head, status.last_success_at
    return {
        "info": {__version__: 1},
        "enrolled": int(terminal.journal.enrolled),
        "head_epoch": None if head is None else head.epoch,
        "head_seq": None if head is None else head.seq,
        "acknowledged_epoch": None if head is None else status.acked_epoch,
        "acknowledged_seq": None if head is None else status.acked_seq,
        "waiting_records": status.waiting,
        "rejected_records": status.rejected,
        "last_success_age_seconds": None if last is None else max(0.0, (now - last).total_seconds()),
        "log_size": status.log_size,
        "split_views": status.split_views,
    }


def _of_totals(terminal: Terminal, reader: Reader) -> dict[str, Value]:
    totals = _totals(terminal, reader)
    if totals is None:
        return {}
    return {
        "prompts_total": totals.prompts,
        "lapses_total": totals.lapses,
        "ratings_total": sum(totals.ratings),
        "suggestions_total": totals.suggestions,
        "complaints_total": totals.complaints,
    }


def _totals(terminal: Terminal, reader: Reader) -> Totals | None:
    head = terminal.journal.head
    newest = None if head is None else newest_record(reader, head.epoch)
    return None if newest is None else decode_record(decode_jws(newest.octets, Typ.RECORD).payload).totals
