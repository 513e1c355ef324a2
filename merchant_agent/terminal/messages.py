"""What the manager reads of central's word, and the shop's explanation of it, once for each finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from merchant_agent.domain.findings import MAX_EXPLANATION_CHARS, public_at
from merchant_agent.domain.text import check_paragraphs
from merchant_agent.errors import ConflictError, NotFoundError
from merchant_agent.evidence.bodies import DisputeBody, FindingBody, Kind, ReplyBody
from merchant_agent.evidence.fields import Place, parse_at
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.query_code import query_code
from merchant_agent.store.credentials import audit
from merchant_agent.store.store import Reader
from merchant_agent.terminal.alarms import clear_alarms
from merchant_agent.terminal.inbox import FINDING_ALARM, finding_name
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.inbox import Told, find_told, newest_told
from merchant_agent.terminal.store.models import LedgerRecord, Reply, UploadState

MESSAGES_SHOWN = 50

_KINDS = (Kind.FINDING, Kind.DISPUTE)
_NOT_EXPLAINED = frozenset({"late", "customer"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What the shop said, None once erased; `received` tells that central has acknowledged it."""

    text: str | None
    at: datetime
    received: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A finding or a dispute; `code` is a finding's, or `customer` for a dispute.

    `query_code` is of the record that it is about, empty where that is none of this shop's known ones.
    `public_at` is when the public may know of it, None where it never does; `arrived_at` when a late record
    came after all.
    """

    seq: int
    code: str
    query_code: str
    told_at: datetime
    due_at: datetime | None
    public_at: datetime | None
    arrived_at: datetime | None
    explanation: Explanation | None

    @property
    def is_open(self) -> bool:
        """Whether the shop may still explain it."""
        return self.code not in _NOT_EXPLAINED and self.explanation is None


def list_messages(terminal: Terminal, reader: Reader) -> list[Message]:
    """The newest 50 of what there is to know, the newest first; that something came late is told with its finding."""
    told = newest_told(reader, _KINDS, most=2 * MESSAGES_SHOWN)
    late = _late(told)
    broken = {_body_of(one).leaf for one in told if _code(one) == "broken_promise"}
    shown = [one for one in told if _code(one) != "late" or _body_of(one).leaf not in broken]
    explanations = _explanations(reader)
    zone = ZoneInfo(terminal.settings.zone)
    return [_message(reader, one, late, explanations, zone) for one in shown[:MESSAGES_SHOWN]]


def count_open(terminal: Terminal, reader: Reader) -> int:
    """How many findings wait for an explanation."""
    return sum(message.is_open for message in list_messages(terminal, reader))


def explain(terminal: Terminal, seq: int, text: str, *, who: str) -> None:
    """Signs the shop's explanation of the finding at this seq of central's chain.

    Raises:
        ConflictError: "explained", when it was explained before.
        InvalidError: "explanation", when it is empty, longer than 500 characters or cannot be shown safely.
        NotFoundError: "finding".
        OnHoldError: nothing may be signed at the moment.
        StoreError: nothing was signed.
    """
    words = check_paragraphs(text, code="explanation", min_chars=1, max_chars=MAX_EXPLANATION_CHARS)
    with terminal.journal.write() as writer:
        told = find_told(writer, seq)
        if told is None or not isinstance(told.record.body, FindingBody):
            raise NotFoundError("finding", "there is no such finding")
        if told.record.place in _explanations(writer):
            raise ConflictError("explained", "it was explained before")
        writer.append(Kind.REPLY, ReplyBody(to=told.record.place), disclosures={"comment": words})
        now, name = terminal.clock.now(), finding_name(told.record.body, seq)
        clear_alarms(writer, at=now, code=FINDING_ALARM, detail=name)
        audit(writer, at=now, who=who, what="explained", detail=name)


def _message(
    reader: Reader,
    told: Told,
    late: Mapping[str | None, datetime],
    explanations: Mapping[Place, Explanation],
    zone: ZoneInfo,
) -> Message:
    record, body = told.record, told.record.body
    told_at = parse_at(record.at)
    if isinstance(body, DisputeBody):
        return Message(
            seq=record.seq,
            code="customer",
            query_code=_code_at(reader, body.place),
            told_at=told_at,
            due_at=None,
            public_at=None,
            arrived_at=None,
            explanation=None,
        )
    finding = _body_of(told)
    return Message(
        seq=record.seq,
        code=finding.code,
        query_code="" if finding.leaf is None else query_code(decode_b64u(finding.leaf, length=32)),
        told_at=told_at,
        due_at=None if finding.due_at is None else parse_at(finding.due_at),
        public_at=public_at(told_at, zone) if finding.code == "broken_promise" else None,
        arrived_at=None if finding.leaf is None else late.get(finding.leaf),
        explanation=explanations.get(record.place),
    )


def _explanations(reader: Reader) -> dict[Place, Explanation]:
    """The first one of each finding, by the finding's place."""
    acked = {row.epoch: row.acked_seq for row in reader.all(UploadState.select())}
    found: dict[Place, Explanation] = {}
    for row in reader.all(Reply.select().order_by(Reply.epoch, Reply.seq)):
        to = Place(issuer=row.to_issuer, epoch=row.to_epoch, seq=row.to_seq)
        received = row.seq <= acked.get(row.epoch, -1)
        found.setdefault(to, Explanation(text=row.comment, at=row.at, received=received))
    return found


def _late(told: Sequence[Told]) -> dict[str | None, datetime]:
    return {_body_of(one).leaf: parse_at(one.record.at) for one in told if _code(one) == "late"}


def _code(told: Told) -> str:
    body = told.record.body
    return body.code if isinstance(body, FindingBody) else "customer"


def _body_of(told: Told) -> FindingBody:
    body = told.record.body
    if not isinstance(body, FindingBody):
        raise TypeError(f"a {told.record.kind} is no finding")
    return body


def _code_at(reader: Reader, place: Place) -> str:
    """The query code of this terminal's record there; empty where there is none."""
    here = (LedgerRecord.epoch == place.epoch) & (LedgerRecord.seq == place.seq)
    octets = reader.scalar(LedgerRecord.select(LedgerRecord.octets).where(here))
    return "" if octets is None else query_code(leaf_hash(bytes(octets)))
