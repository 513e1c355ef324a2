"""Terminals that fell silent while their shops were open: a signed finding, once for each silence.

A shop is held to the hours and closures that it last signed. A terminal is silent once nothing that it
signed has come for as long as its records may take, and its shop was open meanwhile for longer than a
terminal may say nothing. A time in which the log published nothing counts for nobody.

Source: PROTOCOL.md, "Silence".
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import peewee

from merchant_agent.central.intake.standing import ACTIVE
from merchant_agent.central.log.silence import LogTime, read_log_time
from merchant_agent.central.own_chain import append_own, own_issuer
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import ChainHead, Hours, Remark
from merchant_agent.central.visits import find_record
from merchant_agent.evidence.audit_presence import is_silent
from merchant_agent.evidence.bodies import Closure, FindingBody, FindingCode, Kind, Opening, SettingsBody
from merchant_agent.evidence.fields import Place
from merchant_agent.store.fields import from_ms, to_ms
from merchant_agent.store.store import Reader

_log = logging.getLogger(__name__)

_CODE: FindingCode = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quiet:
    """A terminal by its newest record here; `seen_at` is when it last showed itself."""

    merchant: str
    newest: Place
    seen_at: datetime


def sweep_silences(central: Central) -> int:
    """Signs a finding for each terminal that is silent; how many there were.

    Several processes may do this at once.

    Raises:
        StoreError: the rest is left for the next time.
    """
    with central.store.read() as reader:
        log_time = read_log_time(reader)
        quiet = [each for each in _find_quiet(central, reader) if _owes(central, reader, each, log_time)]
    return sum(_sign_finding(central, each) for each in quiet)


def _find_quiet(central: Central, reader: Reader, merchant: str | None = None) -> list[_Quiet]:
    """Terminals that stated their hours and of which nothing came for so long, but those told of before."""
    stated = Hours.select(Hours.seq).where(
        (Hours.merchant == ChainHead.merchant) & (Hours.issuer == ChainHead.issuer)
    )
    told = Remark.select(Remark.seq).where(
        (Remark.merchant == ChainHead.merchant)
        & (Remark.told_issuer == ChainHead.issuer)
        & (Remark.told_epoch == ChainHead.epoch)
        & (Remark.told_seq == ChainHead.seq)
        & (Remark.code == _CODE)
        & (Remark.received_at >= ChainHead.seen_at)
    )
    before = central.clock.now() - timedelta(hours=central.settings.deadline_hours)
    in_force = (ChainHead.role == "terminal") & (ChainHead.state == ACTIVE) & ChainHead.closed_seq.is_null()
    query = ChainHead.select().where(
        in_force
        & (ChainHead.seq >= 0)
        & (ChainHead.seen_at <= before)
        & peewee.fn.EXISTS(stated)
        & ~peewee.fn.EXISTS(told)
    )
    if merchant is not None:
        query = query.where(ChainHead.merchant == merchant)
    return [
        _Quiet(
            merchant=row.merchant,
            newest=Place(issuer=row.issuer, epoch=row.epoch, seq=row.seq),
            seen_at=row.seen_at,
        )
        for row in reader.all(query)
    ]


def _owes(central: Central, reader: Reader, quiet: _Quiet, log_time: LogTime) -> bool:
    """Whether it should have shown itself: it is in service, and its shop was open."""
    now, seen_ms = central.clock.now(), to_ms(quiet.seen_at)
    due = log_time.after(seen_ms, central.settings.deadline_hours)
    if due is None or due > to_ms(now) or log_time.stands_still(due, to_ms(now)):
        return False
    # It need not have shown itself while nobody listened.
    since = from_ms(max([seen_ms, *(until for _, until in log_time.silences)]))
    begin = since.astimezone(ZoneInfo(central.settings.zone))
    if not is_silent(begin, now - since, _newest_hours(reader, quiet)):
        return False
    said = find_record(reader, quiet.merchant, quiet.newest)
    return said is None or said.record.kind is not Kind.END


def _newest_hours(reader: Reader, quiet: _Quiet) -> SettingsBody:
    here = (Hours.merchant == quiet.merchant) & (Hours.issuer == quiet.newest.issuer)
    newest: Hours | None = reader.first(
        Hours.select().where(here).order_by(Hours.epoch.desc(), Hours.seq.desc())
    )
    if newest is None:
        return SettingsBody(opening=(), closures=(), words=())
    return SettingsBody(
        opening=msgspec.convert(newest.opening, tuple[Opening, ...]),
        closures=msgspec.convert(newest.closures, tuple[Closure, ...]),
        words=(),
    )


def _sign_finding(central: Central, quiet: _Quiet) -> bool:
    """False where it showed itself, or another process told of it, a moment before."""
    with central.store.write() as tx:
        own_issuer(central, tx, quiet.merchant)  # processes that find it at once stand in line here
        if quiet not in _find_quiet(central, tx, quiet.merchant):
            return False
        body = FindingBody(code=_CODE, place=quiet.newest, leaf=None, due_at=None)
        append_own(central, tx, quiet.merchant, Kind.FINDING, body)
    _log.warning("%s: %s.%d behind seq %d", _CODE, quiet.newest.issuer, quiet.newest.epoch, quiet.newest.seq)
    return True
