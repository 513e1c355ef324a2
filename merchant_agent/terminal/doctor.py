"""`merchant-agent doctor` for a terminal: looks at what commonly goes wrong, whether it runs or not.

Reads only. The terminal need not be asked: the database can be read beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from merchant_agent.clock import SystemClock
from merchant_agent.diagnosis import Check, Diagnosis, attention, broken, healthy, told_age
from merchant_agent.errors import (
    FormatError,
    MerchantAgentError,
    SettingsError,
    StartError,
    VerificationError,
)
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.record import decode_record
from merchant_agent.settings import TerminalSettings, without_password
from merchant_agent.store.diagnosis import check_backup, check_disk, check_sqlite
from merchant_agent.store.store import Reader
from merchant_agent.store.whereabouts import Whereabouts, read_whereabouts
from merchant_agent.terminal.alarms import DAMAGED_ALARM, open_alarms
from merchant_agent.terminal.devices import list_tablets
from merchant_agent.terminal.marking import MARK_ALARM
from merchant_agent.terminal.pos.diagnosis import check_ways, last_sale_at
from merchant_agent.terminal.pos.ways import list_ways
from merchant_agent.terminal.store.holds import load_hold
from merchant_agent.terminal.store.identity import Identity, load_identity, load_identity_key
from merchant_agent.terminal.store.ledger import newest_record, read_ledger
from merchant_agent.terminal.store.opening import BALLAST_NAME, DATABASE_NAME, open_existing
from merchant_agent.terminal.upload.client import Client, NoAnswer
from merchant_agent.terminal.upload.status import read_status
from merchant_agent.web.diagnosis import check_clock, check_running

NEWEST_RECORDS = 500

_READY = frozenset({"ready"})
_BACKLOG_AGE = timedelta(hours=1)
_TABLET_AGE = timedelta(hours=24)
_LOOPBACK = "127.0.0.1"


def examine(settings: TerminalSettings) -> Diagnosis:
    """Everything that was looked at; what cannot be looked at is broken."""
    data, now = settings.data, SystemClock(ZoneInfo(settings.zone)).now()
    told = read_whereabouts(data)
    running, health = check_running(told, settings.host or _LOOPBACK, settings.port)
    checks = [
        running,
        check_disk(data, data / BALLAST_NAME, settings.ballast_bytes),
        check_sqlite(),
        *_check_database(settings, now, None if health is None else told),
        check_backup(data / "backups", Path(DATABASE_NAME).stem, data / DATABASE_NAME, now),
    ]
    return Diagnosis(program="terminal", checks=checks)


def _check_database(settings: TerminalSettings, now: datetime, told: Whereabouts | None) -> Iterator[Check]:
    try:
        store = open_existing(settings.data, read_only=True)
    except MerchantAgentError as error:
        yield broken("database", _sentence(error))
        return
    try:
        with store.read() as reader:
            yield healthy("database", "It can be read.")
            identity = load_identity(reader)
            if identity is None:
                yield attention("enrolment", "The terminal is not enrolled at central yet.")
            else:
                yield _check_key(settings.data / "keys", identity)
                yield _check_chain(reader, identity)
                yield _check_upload(reader, now)
                yield _check_hold(reader)
            yield _check_mark(reader)
            yield _check_alarms(reader)
            yield _check_tablets(reader, now)
            ways = list_ways(reader)
            last_sales = {way.number: last_sale_at(reader, way) for way in ways}
        yield from check_ways(ways, last_sales, now)
        if identity is not None:
            address = (told.central if told else "") or settings.central_url or identity.central_url
            yield from _check_central(settings, address, now)
    except MerchantAgentError as error:
        yield broken("database", _sentence(error))
    finally:
        store.close()


def _check_key(keys: Path, identity: Identity) -> Check:
    try:
        load_identity_key(keys, identity)
    except StartError as error:
        return broken("key", _sentence(error))
    return healthy("key", f"The key of {identity.issuer}.{identity.epoch} can be used.")


def _check_chain(reader: Reader, identity: Identity) -> Check:
    """Whether the newest records are signed and linked as they should be."""
    newest = newest_record(reader, identity.epoch)
    if newest is None:
        return healthy("chain", "There is no record of this epoch yet.")
    first = max(0, newest.seq + 1 - NEWEST_RECORDS)
    chain = Chain.begin(identity.grant_octets, identity.grant)
    count = 0
    try:
        for entry in read_ledger(reader, epoch=identity.epoch, first_seq=first):
            if not count and first:
                # What its neighbours before it say of it is not looked at.
                chain.leap(decode_record(chain.open(entry.octets).payload), entry.octets)
            else:
                chain.accept(entry.octets, entry.disclosures)
            count += 1
    except (FormatError, VerificationError) as error:
        return broken("chain", f"A record behind seq {chain.seq} does not verify: {error}.")
    return healthy("chain", f"The newest {count} records verify, up to seq {chain.seq}.")


def _check_upload(reader: Reader, now: datetime) -> Check:
    status = read_status(reader, retry_in_s=None)
    last = status.last_success_at
    since = "has confirmed none yet" if last is None else f"last confirmed some {told_age(now - last)} ago"
    told = f"Records that wait: {status.waiting}; central {since}"
    if status.split_views:
        return broken(
            "upload", "Central's log contradicts itself: tell the bureau, and keep the data folder."
        )
    if status.rejected:
        return attention("upload", f"Central refused {status.rejected} records. {told}.")
    if status.state not in _READY:
        return attention("upload", f"It does not go on ({status.state}). {told}.")
    if status.oldest_at is not None and now - status.oldest_at > _BACKLOG_AGE:
        return attention("upload", f"The oldest waits for more than an hour. {told}.")
    return healthy("upload", f"{told}.")


def _check_hold(reader: Reader) -> Check:
    hold = load_hold(reader)
    if hold is None:
        return healthy("signing", "Nothing holds it up.")
    return broken("signing", f"Nothing is signed since {hold.at:%Y-%m-%d %H:%M} ({hold.reason}).")


def _check_mark(reader: Reader) -> Check:
    """By what the program saw that last ran: it may have another user and environment than this one."""
    if MARK_ALARM in {alarm.code for alarm in open_alarms(reader)}:
        return attention("mark", "It cannot be written: mark_file names a file that the terminal may write.")
    return healthy("mark", "It can be written.")


def _check_alarms(reader: Reader) -> Check:
    codes = sorted({alarm.code for alarm in open_alarms(reader)})
    if DAMAGED_ALARM in codes:
        return broken("alarms", "The database was found damaged.")
    if codes:
        return attention("alarms", f"Open on the counter's page: {', '.join(codes)}.")
    return healthy("alarms", "None is open.")


def _check_tablets(reader: Reader, now: datetime) -> Check:
    tablets = list_tablets(reader)
    if not tablets:
        return healthy("tablets", "None is paired.")
    seen = [tablet.seen_at for tablet in tablets if tablet.seen_at is not None]
    if seen and now - max(seen) > _TABLET_AGE:
        return attention("tablets", f"None of {len(tablets)} was seen for a day.")
    return healthy("tablets", f"{len(tablets)} paired, {len(seen)} of them seen.")


def _check_central(settings: TerminalSettings, address: str, now: datetime) -> Iterator[Check]:
    try:
        client = Client(proxy=settings.proxy, ca_file=settings.central_ca)
    except SettingsError as error:
        yield broken("central", _sentence(error))
        return
    answer = client.get(f"{address.rstrip('/')}/healthz")
    client.release()
    shown = without_password(address)
    if isinstance(answer, NoAnswer):
        yield attention("central", f"{shown} does not answer: {answer.detail}.")
        return
    yield healthy("central", f"{shown} answers.")
    yield check_clock(now, answer.headers.get("date"), "central")


def _sentence(error: MerchantAgentError) -> str:
    text = str(error)
    return text if text.endswith(".") else f"{text[:1].upper()}{text[1:]}."
