"""What pages of central show: merchants and their terminals, the newest answers, public figures.

Only projections and heads are read, and of a record's octets those of a terminal's newest alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import peewee

from merchant_agent.central.intake.standing import FROZEN, REVOKED
from merchant_agent.central.intake.verdicts import STUB
from merchant_agent.central.merchants import find_merchant
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import (
    ChainHead,
    Complaint,
    Conflict,
    EpochAsked,
    MerchantEntry,
    Prompt,
    Quarantine,
    Rating,
    Record,
    Release,
    Suggestion,
)
from merchant_agent.domain.statistics import AnswerBand, Distribution
from merchant_agent.errors import FormatError, InvalidError
from merchant_agent.evidence.bodies import Kind
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.query_code import parse_query_code
from merchant_agent.evidence.record import decode_record
from merchant_agent.store.store import Reader

PAGE_ITEMS = 50

_MANUAL = "manual"

T = TypeVar("T")
_Answer = TypeVar("_Answer", type[Rating], type[Complaint], type[Suggestion])


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """At most 50 items of a list; `number` counts from 1, `more` says whether a next page exists."""

    items: tuple[T, ...]
    number: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalState:
    """Where central stands with one epoch of a terminal.

    `seq` is the newest record's, -1 before the first; `claimed_seq` the newest that a batch
    committed to, so `waiting` is what the terminal said it still holds. `clock_ms` is how far its
    clock was ahead of ours at `seen_at`. `quarantined` counts places of which a line was rejected, `stubs`
    those whose record was too large to come, `late` those that came after the next epoch was granted,
    `missing` those that were announced before that and have not come.
    `behind` says that it last showed less than central has, `refused` that its last upload was no true one. `reason` is why the key was asked for; None where
    it came with a code. `conflict` says why it is frozen: `fork`,
    `prev` or `newest`. `closed` tells that it signed its own end, after which nothing is due.
    """

    issuer: str
    epoch: int
    seq: int
    claimed_seq: int
    granted_at: datetime
    reason: str | None
    seen_at: datetime | None
    accepted_at: datetime | None
    software: str
    clock_ms: int
    quarantined: int
    stubs: int
    late: int
    missing: int
    behind: bool
    refused: bool
    frozen: bool
    revoked: bool
    conflict: str | None
    closed: bool

    @property
    def waiting(self) -> int:
        """Records that it announced and has not yet sent."""
        return max(0, self.claimed_seq - self.seq)


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantOverview:
    """A registered merchant and its terminals, the newest first."""

    entry: MerchantEntry
    terminals: tuple[TerminalState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown(Generic[T]):
    """An answer as its table has it (`Rating`, `Complaint` or `Suggestion`), and whose it is.

    `typed_in` tells that the sale behind it was typed in at the counter: no till reported it.
    """

    row: T
    shop_name: str
    typed_in: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFigures:
    """A merchant's last daily release: `day` is its local date, `until` up to when records counted.

    `fast` and `burst` are how many ratings were left out, by `domain.suspicion.Mark`.
    """

    day: str
    until: datetime
    distribution: Distribution
    answer_band: AnswerBand
    fast: int
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A record that central holds, as whoever has its query code may know it."""

    merchant: str
    shop_name: str
    received_at: datetime


def list_merchants(central: Central, *, page: int = 1, search: str = "") -> Page[MerchantOverview]:
    """Merchants with their terminals by shop name; `search` is part of a name, an address or a credit code."""
    query = MerchantEntry.select().order_by(MerchantEntry.shop_name, MerchantEntry.id)
    if search.strip():
        columns = (
            *(MerchantEntry.shop_name, MerchantEntry.name),
            *(MerchantEntry.address, MerchantEntry.credit_code),
        )
        found = [column.contains(search.strip()) for column in columns]
        query = query.where(found[0] | found[1] | found[2] | found[3])
    with central.store.read() as reader:
        entries: Page[MerchantEntry] = read_page(reader, query, page)
        terminals = _terminals(reader, [entry.id for entry in entries.items])
    items = tuple(MerchantOverview(entry=entry, terminals=terminals[entry.id]) for entry in entries.items)
    return Page(items=items, number=entries.number, more=entries.more)


def merchant_overview(central: Central, merchant: str) -> MerchantOverview:
    """One merchant with its terminals.

    Raises:
        NotFoundError: "merchant".
    """
    with central.store.read() as reader:
        entry = find_merchant(reader, merchant)
        return MerchantOverview(entry=entry, terminals=_terminals(reader, [merchant])[merchant])


def newest_ratings(
    central: Central, *, merchant: str | None = None, level: int | None = None, page: int = 1
) -> Page[Shown[Rating]]:
    """Ratings as they were received, the newest first; of one merchant or one level if given."""
    where = [] if level is None else [Rating.level == level]
    return _newest(central, Rating, merchant, where, page)


def newest_complaints(
    central: Central, *, merchant: str | None = None, page: int = 1
) -> Page[Shown[Complaint]]:
    """Complaints as they were received, the newest first."""
    return _newest(central, Complaint, merchant, [], page)


def newest_suggestions(
    central: Central, *, merchant: str | None = None, page: int = 1
) -> Page[Shown[Suggestion]]:
    """Suggestions as they were received, the newest first."""
    return _newest(central, Suggestion, merchant, [], page)


def public_figures(central: Central, merchant: str) -> PublicFigures | None:
    """The figures of the merchant's last daily release; None before the first.

    Raises:
        NotFoundError: "merchant".
    """
    with central.store.read() as reader:
        find_merchant(reader, merchant)
        query = Release.select().where(Release.merchant == merchant).order_by(Release.day.desc())
        row: Release | None = reader.first(query)
    if row is None:
        return None
    return PublicFigures(
        day=row.day,
        until=row.until,
        distribution=Distribution(counts=(row.level_1, row.level_2, row.level_3, row.level_4, row.level_5)),
        answer_band=AnswerBand(row.answer_band),
        fast=row.fast,
        burst=row.burst,
    )


def find_by_query_code(central: Central, text: str) -> tuple[Received, ...]:
    """What central holds under a query code as people type it; empty where nothing came yet.

    Two records can share a code, though hardly ever; both are told then.

    Raises:
        InvalidError: "query-code", when it is mistyped.
    """
    try:
        code = parse_query_code(text)
    except FormatError as error:
        raise InvalidError("query-code", str(error)) from error
    columns = (Record.merchant, MerchantEntry.shop_name, Record.received_at)
    query = (
        Record.select(*columns)
        .join(MerchantEntry, on=(MerchantEntry.id == Record.merchant))
        .where(Record.query_code == code)
        .order_by(Record.received_at)
    )
    with central.store.read() as reader:
        rows = reader.all(query.tuples())
    return tuple(
        Received(merchant=merchant, shop_name=shop_name, received_at=received_at)
        for merchant, shop_name, received_at in rows
    )


def _newest(
    central: Central,
    table: _Answer,
    merchant: str | None,
    where: Sequence[peewee.Expression],
    page: int,
) -> Page[Any]:
    query = table.select().order_by(table.received_at.desc(), table.issuer, table.epoch, table.seq.desc())
    for condition in where if merchant is None else (*where, table.merchant == merchant):
        query = query.where(condition)
    with central.store.read() as reader:
        rows: Page[Any] = read_page(reader, query, page)
        names = shop_names(reader, {row.merchant for row in rows.items})
        typed_in = _typed_in(reader, rows.items)
    items = tuple(
        Shown(row=row, shop_name=names.get(row.merchant, ""), typed_in=_prompt_of(row) in typed_in)
        for row in rows.items
    )
    return Page(items=items, number=rows.number, more=rows.more)


def read_page(reader: Reader, query: peewee.Query, number: int) -> Page[Any]:
    """The rows of one page of a list; one more is asked for, which tells whether there is a next page."""
    number = max(1, number)
    rows = reader.all(query.limit(PAGE_ITEMS + 1).offset((number - 1) * PAGE_ITEMS))
    return Page(items=tuple(rows[:PAGE_ITEMS]), number=number, more=len(rows) > PAGE_ITEMS)


def shop_names(reader: Reader, merchants: Iterable[str]) -> dict[str, str]:
    """What the shops of these merchants are called, by merchant."""
    columns = (MerchantEntry.id, MerchantEntry.shop_name)
    query = MerchantEntry.select(*columns).where(MerchantEntry.id.in_(list(merchants)))
    return dict(reader.all(query.tuples()))


def _prompt_of(row: Any) -> tuple[Any, ...]:  # noqa: ANN401 -- one of three tables
    """The key of the prompt that an answer is about; with nulls where it is about none."""
    return (row.merchant, row.prompt_issuer, row.prompt_epoch, row.prompt_seq)


def _typed_in(reader: Reader, answers: Sequence[Any]) -> set[tuple[Any, ...]]:
    """Those of the answers' prompts that staff typed in."""
    prompts = {_prompt_of(row) for row in answers if row.prompt_issuer is not None}
    if not prompts:
        return set()
    merchants, issuers, _epochs, seqs = (set(column) for column in zip(*prompts, strict=True))
    columns = (Prompt.merchant, Prompt.issuer, Prompt.epoch, Prompt.seq)
    near = Prompt.merchant.in_(merchants) & Prompt.issuer.in_(issuers) & Prompt.seq.in_(seqs)
    query = Prompt.select(*columns).where(near & (Prompt.source == _MANUAL))
    return {tuple(place) for place in reader.all(query.tuples())} & prompts


def _terminals(reader: Reader, merchants: Sequence[str]) -> dict[str, tuple[TerminalState, ...]]:
    """The states by merchant, the newest grant first; an empty tuple for one without a terminal."""
    quarantined = _aside(reader, merchants, Quarantine.rule != STUB)
    stubs = _aside(reader, merchants, (Quarantine.rule == STUB) & (Quarantine.placed == 1))
    conflicts = _conflicts(reader, merchants)
    reasons = _reasons(reader, merchants)
    closed = _closed(reader, merchants)
    states: dict[str, list[TerminalState]] = defaultdict(list)
    terminals = ChainHead.merchant.in_(merchants) & (ChainHead.role == "terminal")
    query = ChainHead.select().where(terminals).order_by(ChainHead.granted_at.desc())
    for head in reader.all(query):
        place = (head.issuer, head.epoch)
        states[head.merchant].append(
            TerminalState(
                issuer=head.issuer,
                epoch=head.epoch,
                seq=head.seq,
                claimed_seq=head.claimed_seq,
                granted_at=head.granted_at,
                reason=reasons.get(place),
                seen_at=head.seen_at,
                accepted_at=head.accepted_at,
                software=head.software,
                clock_ms=head.clock_ms,
                quarantined=quarantined.get(place, 0),
                stubs=stubs.get(place, 0),
                late=0 if head.closed_seq is None else head.seq - head.closed_seq,
                missing=_missing(head),
                behind=head.outcome == "behind",
                refused=head.outcome == "refused",
                frozen=head.state == FROZEN,
                revoked=head.state == REVOKED,
                conflict=conflicts.get(place),
                closed=place in closed,
            )
        )
    return {merchant: tuple(states[merchant]) for merchant in merchants}


def _missing(head: ChainHead) -> int:
    """What an epoch that is over still owes; behind a revocation it owes nothing."""
    is_owing = head.closed_seq is not None and head.state != REVOKED
    return max(0, head.claimed_seq - head.seq) if is_owing else 0


def _aside(reader: Reader, merchants: Sequence[str], where: peewee.Expression) -> dict[tuple[str, int], int]:
    columns = (Quarantine.issuer, Quarantine.epoch)
    query = (
        Quarantine.select(*columns, peewee.fn.COUNT(Quarantine.seq.distinct()))
        .where(Quarantine.merchant.in_(merchants) & where)
        .group_by(*columns)
    )
    return {(issuer, epoch): count for issuer, epoch, count in reader.all(query.tuples())}


def _reasons(reader: Reader, merchants: Sequence[str]) -> dict[tuple[str, int], str]:
    """Why each key was asked for that was granted to a request; the request came from the epoch before."""
    columns = (EpochAsked.issuer, EpochAsked.epoch, EpochAsked.reason)
    granted = EpochAsked.merchant.in_(merchants) & (EpochAsked.outcome == "granted")
    query = EpochAsked.select(*columns).where(granted)
    return {(issuer, epoch + 1): reason for issuer, epoch, reason in reader.all(query.tuples())}


def _closed(reader: Reader, merchants: Sequence[str]) -> set[tuple[str, int]]:
    """The epochs whose newest record is the terminal's own end."""
    at_head = (
        (Record.merchant == ChainHead.merchant)
        & (Record.issuer == ChainHead.issuer)
        & (Record.epoch == ChainHead.epoch)
        & (Record.seq == ChainHead.seq)
    )
    query = (
        ChainHead.select(ChainHead.issuer, ChainHead.epoch, Record.octets)
        .join(Record, on=at_head)
        .where(ChainHead.merchant.in_(merchants) & (ChainHead.role == "terminal"))
    )
    return {
        (issuer, epoch)
        for issuer, epoch, octets in reader.all(query.tuples())
        if decode_record(decode_jws(bytes(octets), Typ.RECORD).payload).kind is Kind.END
    }


def _conflicts(reader: Reader, merchants: Sequence[str]) -> dict[tuple[str, int], str]:
    """The kind of the last conflict of each frozen chain."""
    columns = (Conflict.issuer, Conflict.epoch, Conflict.kind)
    query = Conflict.select(*columns).where(Conflict.merchant.in_(merchants)).order_by(Conflict.received_at)
    return {(issuer, epoch): kind for issuer, epoch, kind in reader.all(query.tuples())}
