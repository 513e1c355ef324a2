"""Where central stands with a chain, as far as an upload touches it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import peewee

from merchant_agent.central.intake.upload import Upload
from merchant_agent.central.log.checkpoints import checkpoint_of
from merchant_agent.central.store.models import Batch, ChainHead, Grant, Quarantine, Record
from merchant_agent.errors import StoreCorruptError
from merchant_agent.evidence.exchange import Outcome
from merchant_agent.evidence.fields import Anchor, Head
from merchant_agent.evidence.grant import decode_grant
from merchant_agent.evidence.jws import Jws, Typ, decode_jws, link_of
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import Totals, decode_record
from merchant_agent.store.store import Reader

ACTIVE = "active"
FROZEN = "frozen"
REVOKED = "revoked"
_DAMAGED = "damaged"

# The head, once for each link that an earlier batch named for a place that this one adds or names.
_STANDING = (
    "SELECT DISTINCT h.seq, h.link, h.totals, h.nonce, h.claimed_seq, h.state, h.closed_seq,"
    " b.newest_seq, b.newest_link,"
    " (SELECT r.octets FROM record r WHERE r.merchant = h.merchant AND r.issuer = h.issuer"
    " AND r.epoch = h.epoch AND r.seq <= h.seq ORDER BY r.seq DESC LIMIT 1)"
    " FROM chain_head h LEFT JOIN batch b ON b.merchant = h.merchant AND b.issuer = h.issuer"
    " AND b.epoch = h.epoch AND b.newest_seq > h.seq AND (b.newest_seq BETWEEN ? AND ? OR b.newest_seq = ?)"
    " AND b.outcome <> 'refused'"
    " WHERE h.merchant = ? AND h.issuer = ? AND h.epoch = ?"
)
_ASKED = (
    "SELECT newest_seq, newest_link, reason FROM epoch_request WHERE merchant = ? AND issuer = ? AND epoch = ?"
    " AND outcome = 'granted'"
)
# What a record that can be read states is found by this; what cannot be read has no anchor.
_ANCHOR = re.compile(rb',"anchor":\{"size":([1-9][0-9]{0,15}),')
_TOTALS: msgspec.json.Decoder[Totals] = msgspec.json.Decoder(Totals)
_Chained = type[Batch] | type[Grant] | type[Record] | type[Quarantine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What an upload was answered: the acknowledgement's octets, and its outcome.

    `checkpoint` is the newest one's note, told beside it; None before the first.
    """

    outcome: Outcome
    ack: bytes
    checkpoint: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What central has for a place: an accepted record (`rule` is None), a stub, or a line that it rejected.

    `link` is what the next record names, where the issuer `vouched` for it.
    """

    octets: bytes
    link: str
    rule: str | None
    vouched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A chain's state when it was read.

    `state` and `closed_seq` are as in the model `ChainHead`. `last_seq` is the last record of an epoch that is over, as the
    issuer said when it asked for the next one, or in a batch before; None where it did not. `held` has the known places that the upload speaks of and the
    one before, `claims` the links that earlier batches, or the request for the next epoch, named for
    places that it adds or names. `anchor` is that of the newest accepted
    record; `published` has the roots of those sizes of the log that other anchors of the upload name,
    where there are any. `begins` are the grant's totals, where the upload repeats seq 0. `is_signed` says that
    the key of the batch counts: that of a later epoch may have been revoked meanwhile.
    """

    head: Head
    totals: Totals | None
    nonce: str
    claimed_seq: int
    state: str
    closed_seq: int | None
    last_seq: int | None
    held: Mapping[int, Held]
    claims: Mapping[int, Sequence[str]]
    anchor: Anchor | None
    published: Mapping[int, str]
    begins: Totals | None
    is_signed: bool

    def knows(self, anchor: Anchor | None) -> bool:
        """Whether central published what the anchor of a record says."""
        if anchor is None or anchor == self.anchor:
            return True
        return self.published.get(anchor.size) == anchor.root


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
    seq, link, totals, nonce, claimed_seq, state, closed_seq, *_, newest = rows[0]
    claims: dict[int, list[str]] = defaultdict(list)
    last_seq = None
    if closed_seq is not None:
        for asked_seq, asked_link, reason in reader.rows(
            _ASKED, granted.merchant, granted.issuer, granted.epoch
        ):
            claims[asked_seq].append(asked_link)
            # Whose database was damaged may not know what it had signed.
            last_seq = None if reason == _DAMAGED else max(asked_seq, closed_seq, claimed_seq)
    for *_, claimed, claimed_link, _ in rows:
        if claimed is not None:
            claims[claimed].append(claimed_link)
    return Standing(
        head=Head(epoch=granted.epoch, seq=seq, link=link),
        totals=None if totals is None else _TOTALS.decode(totals),
        nonce=nonce,
        claimed_seq=claimed_seq,
        state=state,
        closed_seq=closed_seq,
        last_seq=last_seq,
        held=_held(reader, upload, seq) if upload.flaw is None else {},
        claims=claims,
        anchor=None if newest is None else _anchor_of(bytes(newest)),
        published=_published(reader, upload),
        begins=_begins(reader, upload) if upload.batch.from_ == 0 and seq >= 0 else None,
        is_signed=upload.signer == granted.epoch or _counts(reader, upload),
    )


def find_answer(reader: Reader, upload: Upload) -> Answered | None:
    """The answer that this very batch got before."""
    query = _of(Batch.select(Batch.outcome, Batch.ack), Batch, upload)
    row = reader.first(query.where(Batch.digest == upload.digest).tuples())
    return None if row is None else Answered(outcome=row[0], ack=bytes(row[1]))


def _begins(reader: Reader, upload: Upload) -> Totals:
    """What the chain goes on from before its first record."""
    octets = reader.scalar(_of(Grant.select(Grant.octets), Grant, upload))
    if octets is None:
        raise StoreCorruptError(f"the grant of {upload.granted.issuer}.{upload.granted.epoch} is missing")
    return decode_grant(decode_jws(bytes(octets), Typ.GRANT).payload).totals


def _counts(reader: Reader, upload: Upload) -> bool:
    """Whether the key of the signer's epoch, a later one than the records', was not revoked."""
    granted = upload.granted
    signer = (
        (ChainHead.merchant == granted.merchant)
        & (ChainHead.issuer == granted.issuer)
        & (ChainHead.epoch == upload.signer)
    )
    return bool(reader.scalar(ChainHead.select(ChainHead.state).where(signer)) != REVOKED)


def _anchor_of(octets: bytes) -> Anchor | None:
    """The anchor of a record that was accepted."""
    return decode_record(decode_jws(octets, Typ.RECORD).payload).anchor


def _published(reader: Reader, upload: Upload) -> dict[int, str]:
    """The roots of the sizes that the upload's records name and the log had."""
    found: dict[int, str] = {}
    for size in _sizes(upload):
        published = checkpoint_of(reader, size)
        if published is not None:
            found[size] = encode_b64u(published.root)
    return found


def _sizes(upload: Upload) -> list[int]:
    """Of the log, as the records' anchors state them; each once."""
    sizes: dict[int, None] = {}
    for line in upload.lines:
        if isinstance(line.signed, Jws):
            match = _ANCHOR.search(line.signed.payload)
            if match is not None:
                sizes[int(match[1])] = None
    return list(sizes)


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
