"""What `/metrics` tells of central: what came in, how the log fares, what is open; no shop's name.

All figures are read from the database, so that each of several workers tells the same, and none of
them needs a look at every record: heads of chains, queues and open slips are few.
"""

from __future__ import annotations

from collections.abc import Mapping

import peewee

from merchant_agent import __version__
from merchant_agent.central.intake.standing import REVOKED
from merchant_agent.central.log.checkpoints import newest_checkpoint
from merchant_agent.central.log.trouble import find_trouble
from merchant_agent.central.promises import Promise
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import ChainHead, LogWaiting, MerchantEntry, Slip
from merchant_agent.central.store.opening import DATABASE_NAME
from merchant_agent.store.store import Reader
from merchant_agent.web.metrics import Metric, Value

_P = "merchant_agent_central_"
_TERMINAL = "terminal"

METRICS: tuple[Metric, ...] = (
    Metric(name=f"{_P}info", kind="gauge", doc="The program's version.", label="version"),
    Metric(name=f"{_P}merchants", kind="gauge", doc="Registered merchants."),
    Metric(
        name=f"{_P}chains",
        kind="gauge",
        doc="Chains of terminals, one for each epoch granted.",
        label="state",
    ),
    Metric(
        name=f"{_P}intake_outcomes",
        kind="gauge",
        doc="Chains by what their last upload was answered; empty before the first.",
        label="outcome",
    ),
    Metric(name=f"{_P}records_total", kind="counter", doc="Records of terminals that were taken up."),
    Metric(
        name=f"{_P}missing_records", kind="gauge", doc="Records that terminals committed to and did not send."
    ),
    Metric(name=f"{_P}last_intake_age_seconds", kind="gauge", doc="Since the last upload was accepted."),
    Metric(name=f"{_P}log_size", kind="gauge", doc="Entries of the log's newest checkpoint."),
    Metric(
        name=f"{_P}log_checkpoint_age_seconds", kind="gauge", doc="Since the newest checkpoint was signed."
    ),
    Metric(name=f"{_P}log_waiting", kind="gauge", doc="What is to be logged and is not yet."),
    Metric(
        name=f"{_P}log_trouble", kind="gauge", doc="1 while the log does not go on, and why.", label="reason"
    ),
    Metric(
        name=f"{_P}open_findings",
        kind="gauge",
        doc="Slips whose promise was broken or contradicted and stands so.",
        label="state",
    ),
    Metric(name=f"{_P}database_bytes", kind="gauge", doc="Size of a SQLite database, its log included."),
)


def metric_values(central: Central) -> Mapping[str, Value]:
    """Each figure that there is at this moment, by its metric's name.

    Raises:
        StoreError: the database cannot be read.
    """
    trouble = find_trouble(central)
    with central.store.read() as reader:
        values = _of_chains(central, reader) | _of_log(central, reader)
        values["merchants"] = reader.scalar(MerchantEntry.select(peewee.fn.COUNT(MerchantEntry.id)))
        values["open_findings"] = {
            state.value: _count(
                reader, Slip.select(peewee.fn.COUNT(Slip.seq)).where(Slip.state == state.value)
            )
            for state in (Promise.BROKEN, Promise.CONFLICT)
        }
    values["info"] = {__version__: 1}
    values["log_trouble"] = {} if trouble is None else {trouble.value: 1}
    if central.store.is_file:
        files = central.folder.path.glob(f"{DATABASE_NAME}*")
        values["database_bytes"] = sum(file.stat().st_size for file in files)
    return {f"{_P}{name}": value for name, value in values.items()}


def _of_chains(central: Central, reader: Reader) -> dict[str, Value]:
    row, count, total = ChainHead, peewee.fn.COUNT, peewee.fn.SUM
    mine = row.role == _TERMINAL
    # What is behind a revocation need not come.
    behind = (row.claimed_seq > row.seq) & (row.state != REVOKED)
    states = row.select(row.state, count(row.issuer)).where(mine).group_by(row.state).order_by(row.state)
    outcomes = (
        row.select(row.outcome, count(row.issuer)).where(mine).group_by(row.outcome).order_by(row.outcome)
    )
    newest = row.select(row.accepted_at).where(mine & row.accepted_at.is_null(is_null=False))
    last = reader.scalar(newest.order_by(row.accepted_at.desc()).limit(1))
    return {
        "chains": dict(reader.all(states.tuples())),
        "intake_outcomes": dict(reader.all(outcomes.tuples())),
        "records_total": _count(reader, row.select(total(row.seq + 1)).where(mine)),
        "missing_records": _count(reader, row.select(total(row.claimed_seq - row.seq)).where(mine & behind)),
        "last_intake_age_seconds": None if last is None else (central.clock.now() - last).total_seconds(),
    }


def _of_log(central: Central, reader: Reader) -> dict[str, Value]:
    newest = newest_checkpoint(reader)
    waiting = _count(reader, LogWaiting.select(peewee.fn.COUNT(LogWaiting.seq)))
    if newest is None:
        return {"log_waiting": waiting}
    age = central.clock.now().timestamp() - newest.time
    return {"log_waiting": waiting, "log_size": newest.size, "log_checkpoint_age_seconds": age}


def _count(reader: Reader, query: peewee.Query) -> int:
    """A sum of nothing is 0."""
    return int(reader.scalar(query) or 0)
