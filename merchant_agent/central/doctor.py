"""`merchant-agent doctor` for central: looks at what commonly goes wrong, whether it runs or not.

Reads only, also beside the running workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import peewee

from merchant_agent.central.identity import load_identity
from merchant_agent.central.intake.standing import ACTIVE
from merchant_agent.central.log.checkpoints import newest_checkpoint
from merchant_agent.central.log.trouble import Trouble, find_trouble
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import ChainHead, LogWaiting, Slip
from merchant_agent.central.store.opening import DATABASE_NAME, open_existing
from merchant_agent.clock import SystemClock
from merchant_agent.diagnosis import Check, Diagnosis, attention, broken, healthy
from merchant_agent.domain.catalogue import load_catalogue
from merchant_agent.domain.promises import load_promise_kinds
from merchant_agent.errors import MerchantAgentError
from merchant_agent.resources import directory
from merchant_agent.settings import CentralSettings
from merchant_agent.store.diagnosis import check_backup, check_disk, check_sqlite
from merchant_agent.store.folder import DataFolder
from merchant_agent.store.store import Reader, Store
from merchant_agent.store.whereabouts import read_whereabouts
from merchant_agent.web.diagnosis import check_running
from merchant_agent.web.server import local_url

_LAG = timedelta(minutes=1)
_SILENT = timedelta(days=2)

_TROUBLE = {
    Trouble.NOT_SET: "There is no log: no checkpoint_lock is set.",
    Trouble.MISSING: "The file checkpoint_lock is missing: was central init-log called, is its disk mounted?",
    Trouble.UNUSABLE: "The file checkpoint_lock cannot be used.",
    Trouble.BEHIND: "The database is older than what was published: it was restored. See central/README.md.",
    Trouble.SPLIT: "The database contradicts what was published. See central/README.md.",
    Trouble.MOVED: "Another process moved the log.",
    Trouble.SILENT: "Nothing was published for five minutes.",
}


def examine(settings: CentralSettings) -> Diagnosis:
    """Everything that was looked at; what cannot be looked at is broken."""
    data, clock = settings.data, SystemClock(ZoneInfo(settings.zone))
    # Workers of gunicorn leave no word in the folder.
    also = settings.public_url or (local_url(settings.host, settings.port) if settings.database else "")
    running, health = check_running(read_whereabouts(data), settings.host, settings.port, also=also)
    checks = [running, check_disk(data), *_check_keys(settings)]
    if checks[-1].name == "keys":
        checks += _check_database(settings, clock, None if health is None else health.get("log"))
    if not settings.database:
        checks.append(check_sqlite())
        database = data / DATABASE_NAME
        checks.append(check_backup(data / "backups", Path(DATABASE_NAME).stem, database, clock.now()))
    return Diagnosis(program="central", checks=checks)


def _check_keys(settings: CentralSettings) -> Iterator[Check]:
    """Only where there are some: else loading would make them."""
    keys = settings.data / "keys"
    names = ("identity.json", "root.pem", "acknowledging.pem", "sealing.pem", "log.pem", "chains.seed")
    missing = [name for name in names if not (keys / name).is_file()]
    if missing:
        yield broken("missing keys", f"{keys} has no {', '.join(missing)}: restore them from the safe.")
        return
    try:
        load_identity(keys, origin=settings.log_origin)
    except MerchantAgentError as error:
        yield broken("damaged keys", str(error))
        return
    yield healthy("keys", "They can be used; keep a copy of the folder keys in a safe.")


def _check_database(settings: CentralSettings, clock: SystemClock, log: str | None) -> Iterator[Check]:
    """`log` is what the running central says of it: where the file is may stand in its environment alone."""
    try:
        store = open_existing(settings.data, url=settings.database)
    except MerchantAgentError as error:
        yield broken("database", str(error))
        return
    try:
        central = _as_it_is(settings, store, clock)
        with store.read() as reader:
            yield healthy("database", "It answers.")
            yield _check_chains(reader, clock.now())
            yield _check_promises(reader)
            lag = _check_lag(reader, clock.now())
        trouble = find_trouble(central) if log is None else _trouble(log)
        yield lag if trouble is None else _told(trouble)
    except MerchantAgentError as error:
        yield broken("database", str(error))
    finally:
        store.close()


def _as_it_is(settings: CentralSettings, store: Store, clock: SystemClock) -> Central:
    folder = DataFolder(settings.data)
    return Central(
        settings=settings,
        folder=folder,
        clock=clock,
        store=store,
        identity=load_identity(folder.keys, origin=settings.log_origin),
        catalogue=load_catalogue(directory("config") / "catalogue"),
        promise_kinds=load_promise_kinds(directory("config") / "promises"),
    )


def _trouble(log: str) -> Trouble | None:
    return Trouble(log) if log in set(Trouble) else None


def _told(trouble: Trouble) -> Check:
    text = _TROUBLE[trouble]
    return attention("log", text) if trouble in {Trouble.NOT_SET, Trouble.SILENT} else broken("log", text)


def _check_lag(reader: Reader, now: datetime) -> Check:
    """How long the oldest leaf has waited for the sequencer."""
    oldest = reader.scalar(LogWaiting.select(LogWaiting.at).order_by(LogWaiting.at).limit(1))
    newest = newest_checkpoint(reader)
    told = (
        "nothing is published yet" if newest is None else f"its newest checkpoint has {newest.size} entries"
    )
    if oldest is not None and now - oldest > _LAG:
        return attention("log", f"What is to be logged has waited for more than a minute; {told}.")
    return healthy("log", f"It goes on; {told}.")


def _check_chains(reader: Reader, now: datetime) -> Check:
    row, count = ChainHead, peewee.fn.COUNT
    mine = row.role == "terminal"
    states = dict(
        reader.all(row.select(row.state, count(row.issuer)).where(mine).group_by(row.state).tuples())
    )
    in_force = mine & (row.state == ACTIVE) & row.closed_seq.is_null()
    silent = reader.scalar(row.select(count(row.issuer)).where(in_force & (row.seen_at < now - _SILENT)))
    if states.get("frozen"):
        return attention("terminals", f"{states['frozen']} are frozen: an officer must decide.")
    if silent:
        return attention("terminals", f"{silent} were not heard of for two days.")
    return healthy("terminals", f"{sum(states.values())} chains, none frozen.")


def _check_promises(reader: Reader) -> Check:
    broken_ones = reader.scalar(Slip.select(peewee.fn.COUNT(Slip.seq)).where(Slip.state == "broken")) or 0
    if broken_ones:
        return attention("promises", f"{broken_ones} slips were not kept.")
    return healthy("promises", "None is broken.")
