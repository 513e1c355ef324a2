"""What central tells a shop's terminals: records of its own chain that are about them.

Findings, disputes, confirmations and what was erased are told at once. Of everything in between only
the link is handed over: the chain can be checked, and levels reach the shop with the daily
release alone. With every answer comes what is registered of the shop, so that its terminals show
a corrected name or a new promise.

Source: PROTOCOL.md, "Inbox".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import peewee

from merchant_agent.central.intake.asking import find_asker, find_heads, require_in_force, require_signed
from merchant_agent.central.merchants import find_merchant, told_of
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import ChainHead, Erasure, Grant, Record, Remark
from merchant_agent.evidence.jws import link_of
from merchant_agent.store.store import Reader

_TOLD = ("finding", "dispute", "confirm")
_MOST_ENTRIES = 600
_MOST_BYTES = 49_152


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """The next entries of central's chain in order, from the asked place on, the last of all being told.

    `grant` is the chain's, None before central has said anything. Each entry is a record that is told, or
    the link of one that is not. `next` is the seq to ask after then, `last` that of the newest record
    that is told, -1 where none is. `merchant` is what is registered of the shop, as at an enrolment.
    """

    merchant: Mapping[str, object]
    grant: bytes | None
    entries: tuple[bytes, ...]
    next: int
    last: int


def read_inbox(central: Central, issuer: str, header: str, after: int) -> Inbox:
    """What central said after its own seq `after`, for the terminal that signed the request.

    Raises:
        NotFoundError: "issuer" or "merchant".
        SignInError: "request-signature", when it is not signed by the terminal over its present nonce.
        ForbiddenError: "revoked".
    """
    granted = find_asker(central, issuer, header)
    with central.store.read() as reader:
        row, _ = find_heads(reader, granted)
        require_signed(header, granted, "inbox", row.nonce, str(after))
        require_in_force(row)
        return _read(reader, granted.merchant, after)


def _read(reader: Reader, merchant: str, after: int) -> Inbox:
    own = (ChainHead.merchant == merchant) & (ChainHead.role == "central")
    issuer = reader.scalar(ChainHead.select(ChainHead.issuer).where(own))
    shop = told_of(find_merchant(reader, merchant))
    if issuer is None:
        return Inbox(merchant=shop, grant=None, entries=(), next=after, last=-1)
    granted = (Grant.merchant == merchant) & (Grant.issuer == issuer)
    grant = reader.scalar(Grant.select(Grant.octets).where(granted))
    told = _told_after(reader, merchant, issuer, after)
    query = (
        Record.select(Record.seq, Record.octets)
        .where((Record.merchant == merchant) & (Record.issuer == issuer))
        .where((Record.seq > after) & (Record.seq <= max(told, default=-1)))
        .order_by(Record.seq)
        .limit(_MOST_ENTRIES)
    )
    entries = _entries(reader.all(query.tuples()), told)
    return Inbox(
        merchant=shop,
        grant=None if grant is None else bytes(grant),
        entries=entries,
        next=after + len(entries),
        last=_last_told(reader, merchant, issuer),
    )


def _entries(rows: Iterable[tuple[int, bytes]], told: frozenset[int]) -> tuple[bytes, ...]:
    """As many as one answer holds, and one at least."""
    entries: list[bytes] = []
    size = 0
    for seq, octets in rows:
        entry = bytes(octets) if seq in told else link_of(bytes(octets)).encode("ascii")
        size += len(entry)
        if entries and size > _MOST_BYTES:
            break
        entries.append(entry)
    return tuple(entries)


def _told_after(reader: Reader, merchant: str, issuer: str, after: int) -> frozenset[int]:
    """The next seqs of records that are told, at most as many as one answer can hold."""
    seqs: set[int] = set()
    for table, where in _tables(merchant, issuer):
        query = table.select(table.seq).where(where & (table.seq > after)).order_by(table.seq)
        seqs.update(seq for (seq,) in reader.all(query.limit(_MOST_ENTRIES).tuples()))
    return frozenset(sorted(seqs)[:_MOST_ENTRIES])


def _last_told(reader: Reader, merchant: str, issuer: str) -> int:
    newest = [
        reader.scalar(table.select(peewee.fn.MAX(table.seq)).where(where))
        for table, where in _tables(merchant, issuer)
    ]
    return max((seq for seq in newest if seq is not None), default=-1)


def _tables(merchant: str, issuer: str) -> tuple[tuple[type[Remark | Erasure], peewee.Expression], ...]:
    """The tables that tell which records are about terminals, each with its condition."""
    remark = (Remark.merchant == merchant) & (Remark.issuer == issuer) & Remark.kind.in_(_TOLD)
    erasure = (Erasure.merchant == merchant) & (Erasure.issuer == issuer) & (Erasure.told_issuer != issuer)
    return (Remark, remark), (Erasure, erasure)
