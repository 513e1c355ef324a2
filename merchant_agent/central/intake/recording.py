"""Storing what an upload comes to: head, records, evidence and projections, in one transaction.

The head moves by compare-and-swap from the standing that the upload was judged against.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import peewee

from merchant_agent.central.intake.late_words import add_words
from merchant_agent.central.intake.standing import ACTIVE, FROZEN, Standing
from merchant_agent.central.intake.upload import Upload
from merchant_agent.central.intake.verdicts import Accepted, Contradiction, Judgement, Rejected
from merchant_agent.central.log.waiting import Waiting, enqueue, waiting_rows
from merchant_agent.central.store.erasures import forget_told
from merchant_agent.central.store.ledger import find_announcement, find_before
from merchant_agent.central.store.models import Batch, Conflict, Disclosure, Quarantine, Record
from merchant_agent.central.store.projections import ProjectionRows, clean_text
from merchant_agent.domain.projections import project
from merchant_agent.evidence.disclosure import open_disclosure
from merchant_agent.evidence.exchange import Ack
from merchant_agent.evidence.fields import parse_at
from merchant_agent.evidence.jws import leaf_hash, link_of
from merchant_agent.evidence.octets import encode_json
from merchant_agent.evidence.query_code import query_code
from merchant_agent.store.fields import to_ms
from merchant_agent.store.rows import Rows
from merchant_agent.store.store import Writer

_RECORD = ("merchant", "issuer", "epoch", "seq", "received_at", "query_code", "octets")
_DISCLOSURE = ("merchant", "issuer", "epoch", "seq", "name", "octets")
_BATCH = (
    *("merchant", "issuer", "epoch", "digest", "octets", "ack", "outcome", "from_seq", "to_seq"),
    *("newest_seq", "newest_link", "stale", "received_at"),
)
_MOVE_HEAD = (
    "UPDATE chain_head SET seq = ?, link = ?, totals = ?, nonce = ?, claimed_seq = ?, state = ?,"
    " outcome = ?, software = ?, clock_ms = ?, seen_at = ?, accepted_at = COALESCE(?, accepted_at)"
    " WHERE merchant = ? AND issuer = ? AND epoch = ?"
    " AND seq = ? AND nonce = ? AND claimed_seq = ? AND state = ? AND COALESCE(closed_seq, -2) = ? RETURNING seq"
)
# Of an epoch that no later one has closed: no seq, and not that of a grant.
_OPEN = -2
_ONLY_GROWING = (Quarantine.placed, Quarantine.vouched)
_MAX_KEPT_LINE_BYTES = 1 << 17
_MAX_DETAIL_CHARS = 200


def store_upload(  # noqa: PLR0913, PLR0917 -- the parts of one exchange
    tx: Writer,
    standing: Standing,
    upload: Upload,
    judged: Judgement,
    ack: Ack,
    ack_octets: bytes,
    now: datetime,
) -> bool:
    """Stores all of it; False, and nothing, when the chain moved on since it was judged.

    Raises:
        StoreConflictError: a record stands at one of its places although the head says otherwise.
    """
    received_ms = to_ms(now)
    if not _move_head(tx, standing, upload, judged, ack, received_ms):
        return False
    tx.copy_tables(
        [
            _batch_row(standing, upload, ack, ack_octets, received_ms),
            *record_rows(upload.granted.merchant, judged.accepted, received_ms),
        ]
    )
    granted = upload.granted
    if judged.repeated:
        add_words(tx, granted.merchant, judged.repeated)
    came = [item.record for item in (*judged.accepted, *judged.repeated)]
    forget_told(tx, granted.merchant, granted.issuer, granted.epoch, came)
    if judged.recovered:
        _forget_rejected(tx, upload, judged.recovered)
    if judged.rejected:
        _set_aside(tx, upload, judged.rejected, now)
    if judged.conflict is not None:
        _keep_conflict(tx, upload, judged.conflict, now)
    return True


def _move_head(  # noqa: PLR0913, PLR0917 -- as above
    tx: Writer, standing: Standing, upload: Upload, judged: Judgement, ack: Ack, now_ms: int
) -> bool:
    batch = upload.batch
    takes = judged.outcome in {"accepted", "resend"}
    after = (
        *(judged.head.seq, judged.head.link),
        None if judged.totals is None else encode_json(judged.totals).decode(),
        *(ack.nonce, max(standing.claimed_seq, batch.newest.seq) if takes else standing.claimed_seq),
        *(FROZEN if judged.conflict and standing.state == ACTIVE else standing.state, judged.outcome),
        *(clean_text(batch.software), to_ms(parse_at(batch.at)) - now_ms, now_ms),
        now_ms if judged.outcome == "accepted" else None,
    )
    closed = _OPEN if standing.closed_seq is None else standing.closed_seq
    before = (standing.head.seq, standing.nonce, standing.claimed_seq, standing.state, closed)
    granted = upload.granted
    moved = tx.rows(_MOVE_HEAD, *after, granted.merchant, granted.issuer, granted.epoch, *before)
    return bool(moved)


def _batch_row(standing: Standing, upload: Upload, ack: Ack, ack_octets: bytes, received_ms: int) -> Rows:
    batch, granted = upload.batch, upload.granted
    place = (granted.merchant, granted.issuer, granted.epoch)
    told = (batch.from_, batch.to, batch.newest.seq, batch.newest.link)
    stale = int(batch.nonce != standing.nonce)
    row = (*place, upload.digest, upload.octets, ack_octets, ack.outcome, *told, stale, received_ms)
    return Rows(model=Batch, columns=_BATCH, rows=[row])


def record_rows(merchant: str, accepted: Sequence[Accepted], received_ms: int) -> list[Rows]:
    """The ledger's rows, those of its projections, and the leaves that wait for the log."""
    projections = ProjectionRows()
    records: list[tuple[object, ...]] = []
    leaves: list[Waiting] = []
    disclosures: list[tuple[object, ...]] = []
    for item in accepted:
        record = item.record
        place = (merchant, record.issuer, record.epoch, record.seq)
        leaf = leaf_hash(item.octets)
        records.append((*place, received_ms, query_code(leaf), item.octets))
        leaves.append(_record_leaf(merchant, record.issuer, record.epoch, record.seq, leaf))
        disclosed: dict[str, str] = {}
        for text in item.disclosures:
            opened = open_disclosure(text)
            disclosed[opened.name] = opened.value
            disclosures.append((*place, opened.name, text))
        projections.add(merchant, received_ms, project(record, disclosed))
    return [
        Rows(model=Record, columns=_RECORD, rows=records),
        waiting_rows(leaves, received_ms),
        Rows(model=Disclosure, columns=_DISCLOSURE, rows=disclosures),
        *projections.take(),
    ]


def _set_aside(tx: Writer, upload: Upload, rejected: Sequence[Rejected], now: datetime) -> None:
    """A line that came before is not kept twice; the chain may have gone on past it since."""
    _enqueue_standing(tx, upload, rejected, to_ms(now))
    place = {
        "merchant": upload.granted.merchant,
        "issuer": upload.granted.issuer,
        "epoch": upload.granted.epoch,
    }
    rows = [
        {
            **place,
            "seq": item.seq,
            "link": item.link,
            "placed": int(item.placed),
            "vouched": int(item.vouched),
            "rule": item.rule,
            "detail": clean_text(item.detail)[:_MAX_DETAIL_CHARS],
            "line": item.line[:_MAX_KEPT_LINE_BYTES],
            "received_at": now,
        }
        for item in rejected
    ]
    key = [Quarantine.merchant, Quarantine.issuer, Quarantine.epoch, Quarantine.seq, Quarantine.link]
    tx.execute(
        Quarantine.insert_many(rows).on_conflict(
            conflict_target=key, update={column: _larger(column) for column in _ONLY_GROWING}
        )
    )


def _larger(column: peewee.Field[int]) -> peewee.Case:
    """A line that has its place keeps it, whatever comes again."""
    fresh = getattr(peewee.EXCLUDED, column.name)
    return peewee.Case(None, [(fresh > column, fresh)], column)


def _forget_rejected(tx: Writer, upload: Upload, recovered: Sequence[int]) -> None:
    """The true records stand now where these lines stood."""
    granted = upload.granted
    tx.execute(
        Quarantine.delete().where(
            (Quarantine.merchant == granted.merchant)
            & (Quarantine.issuer == granted.issuer)
            & (Quarantine.epoch == granted.epoch)
            & Quarantine.seq.in_(recovered)
        )
    )


def _enqueue_standing(tx: Writer, upload: Upload, rejected: Sequence[Rejected], now_ms: int) -> None:
    """Has those logged that now come to stand at their place by their own link: a slip may promise it."""
    standing = [
        item for item in rejected if item.placed and item.vouched and link_of(_signed(item)) == item.link
    ]
    if not standing:
        return
    granted = upload.granted
    chain = (
        (Quarantine.merchant == granted.merchant)
        & (Quarantine.issuer == granted.issuer)
        & (Quarantine.epoch == granted.epoch)
    )
    stood = (Quarantine.placed == 1) & (Quarantine.vouched == 1)
    seqs = [item.seq for item in standing]
    query = Quarantine.select(Quarantine.seq, Quarantine.link).where(chain & stood & Quarantine.seq.in_(seqs))
    before = set(tx.all(query.tuples()))
    enqueue(
        tx,
        [
            _record_leaf(granted.merchant, granted.issuer, granted.epoch, item.seq, leaf_hash(_signed(item)))
            for item in standing
            if (item.seq, item.link) not in before
        ],
        now_ms,
    )


def _signed(item: Rejected) -> bytes:
    """The record in a line that was set aside, without its disclosures."""
    return item.line.partition(b"~")[0]


def _record_leaf(merchant: str, issuer: str, epoch: int, seq: int, leaf: bytes) -> Waiting:
    return Waiting(merchant=merchant, issuer=issuer, epoch=epoch, seq=seq, leaf=leaf, kind="record")


def _keep_conflict(tx: Writer, upload: Upload, conflict: Contradiction, now: datetime) -> None:
    granted = upload.granted
    held = conflict.held
    if held is None and conflict.kind == "newest":
        held = find_announcement(tx, granted, conflict.seq, other_than=conflict.link)
    elif held is None:
        held = find_before(tx, granted, conflict.seq)
    tx.execute(
        Conflict.insert(
            merchant=granted.merchant,
            issuer=granted.issuer,
            epoch=granted.epoch,
            seq=conflict.seq,
            kind=conflict.kind,
            held=held,
            received=conflict.received,
            batch_digest=upload.digest,
            received_at=now,
        )
    )
