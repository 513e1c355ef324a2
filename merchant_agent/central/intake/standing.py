"""Where central stands with a chain, as far as an upload touches it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import peewee

from merchant_agent.central.intake.upload import Upload
from merchant_agent.central.store.models import Batch, Quarantine, Record
from merchant_agent.errors import StoreCorruptError
from merchant_agent.evidence.exchange import Outcome
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.record import Totals
from merchant_agent.store.store import Reader

ACTIVE = "active"
FROZEN = "frozen"

# The head, once for each link that an earlier batch named for a place that this one adds or names.
_STANDING = (
    "SELECT DISTINCT h.seq, h.link, h.totals, h.nonce, h.claimed_seq, h.state, b.newest_seq, b.newest_link"
    " FROM chain_head h LEFT JOIN batch b ON b.merchant = h.merchant AND b.issuer = h.issuer"
    " AND b.epoch = h.epoch AND b.newest_seq > h.seq AND (b.newest_seq BETWEEN ? AND ? OR b.newest_seq = ?)"
    " AND b.outcome <> 'refused'"
    " WHERE h.merchant = ? AND h.issuer = ? AND h.epoch = ?"
)
_TOTALS: msgspec.json.Decoder[Totals] = msgspec.json.Decoder(Totals)
_Chained = type[Batch] | type[Record] | type[Quarantine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What an upload was answered: the acknowledgement's octets, and its outcome."""

    outcome: Outcome
    ack: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What central has for a place: an accepted record (`rule` is None), or a line that it rejected.

    `link` is what the next record names, where the issuer `vouched` for it.
    """

    octets: bytes
    link: str
    rule: str | None
    vouched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A chain's state when it was read.

    `held` has the known places that the upload speaks of and the one before, `claims` the links that earlier batches
    named for places that it adds or names.
    """

    head: Head
    totals: Totals | None
    nonce: str
    claimed_seq: int
    frozen: bool
    held: Mapping[int, Held]
    claims: Mapping[int, Sequence[str]]


def find_standing(reader: Reader, upload: Upload) -> Standing:
    """The standing of the upload's chain.

    Raises:
        StoreCorruptError: the chain was granted and has no head.
    """
    granted = upload.granted
    places = (upload.batch.from_, upload.batch.to, upload.batch.newest.seq)
    rows = reader.rows(_STANDING, *places, granted.merchant, granted.issuer, granted.epoch)
    if not rows:
        raise StoreCorruptError(f"the head of {granted.issuer} is missing")
    seq, link, totals, nonce, claimed_seq, state, *_ = rows[0]
    claims: dict[int, list[str]] = defaultdict(list)
    for *_, claimed, claimed_link in rows:
        if claimed is not None:
            claims[claimed].append(claimed_link)
    return Standing(
        head=Head(epoch=granted.epoch, seq=seq, link=link),
        totals=None if totals is None else _TOTALS.decode(totals),
        nonce=nonce,
        claimed_seq=claimed_seq,
        frozen=state == FROZEN,
        held=_held(reader, upload, seq) if upload.flaw is None else {},
        claims=claims,
    )


def find_answer(reader: Reader, upload: Upload) -> Answered | None:
    """The answer that this very batch got before."""
    query = _of(Batch.select(Batch.outcome, Batch.ack), Batch, upload)
    row = reader.first(query.where(Batch.digest == upload.digest).tuples())
    return None if row is None else Answered(outcome=row[0], ack=bytes(row[1]))


def _of(query: peewee.Query, table: _Chained, upload: Upload) -> peewee.Query:
    """The rows of the upload's chain."""
    granted = upload.granted
    return query.where(
        (table.merchant == granted.merchant)
        & (table.issuer == granted.issuer)
        & (table.epoch == granted.epoch)
    )


def _held(reader: Reader, upload: Upload, head_seq: int) -> dict[int, Held]:
    """What stands at the known places that the lines repeat, before them, and at the batch's newest."""
    batch = upload.batch
    held: dict[int, Held] = {}
    if batch.from_ <= head_seq:
        held.update(_places(reader, upload, max(batch.from_ - 1, 0), min(batch.to, head_seq)))
    if batch.newest.seq <= head_seq and batch.newest.seq not in held:
        held.update(_places(reader, upload, batch.newest.seq, batch.newest.seq))
    return held


def _places(reader: Reader, upload: Upload, first: int, last: int) -> dict[int, Held]:
    columns = (Quarantine.seq, Quarantine.line, Quarantine.link, Quarantine.rule, Quarantine.vouched)
    rejected = _of(Quarantine.select(*columns), Quarantine, upload).where(
        Quarantine.seq.between(first, last) & (Quarantine.placed == 1)
    )
    records = _of(Record.select(Record.seq, Record.octets), Record, upload).where(
        Record.seq.between(first, last)
    )
    held = {
        seq: Held(octets=bytes(line), link=link, rule=rule, vouched=bool(vouched))
        for seq, line, link, rule, vouched in reader.all(rejected.tuples())
    }
    for seq, octets in reader.all(records.tuples()):
        held[seq] = Held(octets=bytes(octets), link=link_of(bytes(octets)), rule=None, vouched=True)
    return held
