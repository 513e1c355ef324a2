"""Where central stands with a chain, as far as an upload touches it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import peewee

from merchant_agent.central.intake.upload import Upload
from merchant_agent.central.store.models import Batch, Quarantine, Record
from merchant_agent.central.store.statements import Statement
from merchant_agent.errors import StoreCorruptError
from merchant_agent.evidence.exchange import Outcome
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.record import Totals
from merchant_agent.store.store import Reader

ACTIVE = "active"
FROZEN = "frozen"

_HEAD = Statement(
    "SELECT seq, link, totals, nonce, claimed_seq, state FROM chain_head"
    " WHERE merchant = ? AND issuer = ? AND epoch = ?"
)
_CLAIMS = Statement(
    "SELECT DISTINCT newest_seq, newest_link FROM batch"
    " WHERE merchant = ? AND issuer = ? AND epoch = ? AND newest_seq BETWEEN ? AND ?"
    " AND outcome <> 'refused'"
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

    `held` has the known places that the upload speaks of, `claims` the links that earlier batches
    named for places that it adds.
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
    rows = reader.all(_HEAD(granted.merchant, granted.issuer, granted.epoch))
    if not rows:
        raise StoreCorruptError(f"the head of {granted.issuer} is missing")
    seq, link, totals, nonce, claimed_seq, state = rows[0]
    is_plain = upload.flaw is None
    return Standing(
        head=Head(epoch=granted.epoch, seq=seq, link=link),
        totals=None if totals is None else _TOTALS.decode(totals),
        nonce=nonce,
        claimed_seq=claimed_seq,
        frozen=state == FROZEN,
        held=_held(reader, upload, seq) if is_plain else {},
        claims=_claims(reader, upload, seq) if is_plain and claimed_seq > seq else {},
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
    """What stands at the known places that the lines repeat, and at the batch's newest."""
    batch = upload.batch
    held: dict[int, Held] = {}
    if batch.from_ <= head_seq:
        held.update(_places(reader, upload, batch.from_, min(batch.to, head_seq)))
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


def _claims(reader: Reader, upload: Upload, head_seq: int) -> dict[int, list[str]]:
    granted = upload.granted
    places = (head_seq + 1, upload.batch.to)
    claims: dict[int, list[str]] = defaultdict(list)
    for seq, link in reader.all(_CLAIMS(granted.merchant, granted.issuer, granted.epoch, *places)):
        claims[seq].append(link)
    return claims
