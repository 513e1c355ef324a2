"""What `domain.projections` says a record changes, as rows of central's tables; of many records at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import assert_never

import msgspec

from merchant_agent.central.store.models import (
    Addition,
    Complaint,
    Erasure,
    Hours,
    Lapse,
    Prompt,
    Rating,
    Remark,
    Reply,
    Suggestion,
)
from merchant_agent.domain.projections import (
    Added,
    Change,
    ComplaintOpened,
    Erased,
    HoursStated,
    PromptEnded,
    PromptOpened,
    PromptOutcome,
    RatingGiven,
    Remarked,
    Replied,
    SuggestionMade,
)
from merchant_agent.evidence.fields import Place
from merchant_agent.store.fields import to_ms
from merchant_agent.store.rows import Rows
from merchant_agent.store.table import Table

_KEY = ("merchant", "issuer", "epoch", "seq", "received_at", "at")
_PROMPT = ("prompt_issuer", "prompt_epoch", "prompt_seq")
_SAID = ("comment", "channel", "lang", "catalogue", "undisclosed")
_COLUMNS: dict[type[Table], tuple[str, ...]] = {
    Prompt: (*_KEY, "id", "till", "source", "sale", "asks", "tag"),
    Lapse: (*_KEY, *_PROMPT, "reason"),
    Rating: (*_KEY, "id", *_PROMPT, *_SAID, "level", "aspects", "tags", "ended", "dwell_ms"),
    Suggestion: (*_KEY, "id", *_PROMPT, *_SAID),
    Complaint: (
        *(*_KEY, "id", *_PROMPT, *_SAID),
        *("categories", "remedies", "order_no", "occurred_at", "amount", "first"),
    ),
    Remark: (*_KEY, "told_issuer", "told_epoch", "told_seq", "kind", "code", "level", "leaf", "due_at"),
    Erasure: (*_KEY, "told_issuer", "told_epoch", "told_seq", "members", "reason"),
    Reply: (*_KEY, "to_issuer", "to_epoch", "to_seq", "comment", "undisclosed"),
    Addition: (*_KEY, "to_issuer", "to_epoch", "to_seq", "comment", "undisclosed"),
    Hours: (*_KEY, "opening", "closures"),
}
# A day within what any zone can show: what the terminal's clock says is a claim.
_FIRST_MS = to_ms(datetime(1, 1, 2, tzinfo=UTC))
_LAST_MS = to_ms(datetime(9999, 12, 30, tzinfo=UTC))

_ENCODER = msgspec.json.Encoder()

_Row = tuple[object, ...]


class ProjectionRows:
    """Rows of one transaction, gathered by table."""

    def __init__(self) -> None:
        self._rows: defaultdict[type[Table], list[_Row]] = defaultdict(list)

    def add(self, merchant: str, received_ms: int, changes: Iterable[Change]) -> None:  # noqa: C901, PLR0912 -- one case for each
        """Gathers the rows of one record's changes; central took it up at `received_ms` since 1970."""
        for change in changes:
            match change:
                case PromptOpened():
                    self._rows[Prompt].append(_prompt_row(merchant, received_ms, change))
                case PromptEnded(outcome=PromptOutcome.LAPSED):
                    self._rows[Lapse].append(_lapse_row(merchant, received_ms, change))
                case PromptEnded():
                    # A rating names its prompt itself: one prompt may have several.
                    pass
                case RatingGiven():
                    self._rows[Rating].append(_rating_row(merchant, received_ms, change))
                case SuggestionMade():
                    self._rows[Suggestion].append(_answer_row(merchant, received_ms, change.id, change))
                case ComplaintOpened():
                    self._rows[Complaint].append(_complaint_row(merchant, received_ms, change))
                case Remarked():
                    self._rows[Remark].append(_remark_row(merchant, received_ms, change))
                case Erased():
                    self._rows[Erasure].append(_erasure_row(merchant, received_ms, change))
                case Replied():
                    self._rows[Reply].append(_reply_row(merchant, received_ms, change))
                case Added():
                    self._rows[Addition].append(_reply_row(merchant, received_ms, change))
                case HoursStated():
                    self._rows[Hours].append(_hours_row(merchant, received_ms, change))
                case _:
                    assert_never(change)

    def take(self, tables: Mapping[type[Table], type[Table]] | None = None) -> list[Rows]:
        """All that was gathered, once; for other tables of the same columns where `tables` names them."""
        taken = [
            Rows(model=table if tables is None else tables[table], columns=_COLUMNS[table], rows=rows)
            for table, rows in self._rows.items()
        ]
        self._rows.clear()
        return taken


def clean_text(text: str) -> str:
    """Text that both databases take: PostgreSQL knows no NUL, which records may hold."""
    return text.replace("\0", "\ufffd")


def _prompt_row(merchant: str, received_ms: int, change: PromptOpened) -> _Row:
    sale = (clean_text(change.till), change.source, change.sale, change.asks, change.tag)
    return (*_key(merchant, received_ms, change.place, change.at), change.id, *sale)


def _lapse_row(merchant: str, received_ms: int, change: PromptEnded) -> _Row:
    key = _key(merchant, received_ms, change.place, change.at)
    return (*key, *_prompt_place(change.prompt), change.reason)


def _rating_row(merchant: str, received_ms: int, change: RatingGiven) -> _Row:
    lists = (_list_text(change.aspects), _list_text(change.tags))
    said = _answer_row(merchant, received_ms, change.id, change)
    return (*said, change.level, *lists, change.ended, change.dwell_ms)


def _complaint_row(merchant: str, received_ms: int, change: ComplaintOpened) -> _Row:
    lists = (_list_text(change.categories), _list_text(change.remedies))
    told = (_clean(change.order), _clean(change.occurred_at), change.amount, change.first)
    return (*_answer_row(merchant, received_ms, change.case, change), *lists, *told)


def _remark_row(merchant: str, received_ms: int, change: Remarked) -> _Row:
    key = _key(merchant, received_ms, change.place, change.at)
    due_ms = None if change.due_at is None else _kept_ms(change.due_at)
    said = (change.kind, change.code, change.level, change.leaf, due_ms)
    return (*key, *_prompt_place(change.told_of), *said)


def _erasure_row(merchant: str, received_ms: int, change: Erased) -> _Row:
    key = _key(merchant, received_ms, change.place, change.at)
    return (*key, *_prompt_place(change.told_of), _list_text(change.members), change.reason)


def _reply_row(merchant: str, received_ms: int, change: Replied | Added) -> _Row:
    key = _key(merchant, received_ms, change.place, change.at)
    return (*key, *_prompt_place(change.to), _clean(change.comment), change.undisclosed)


def _hours_row(merchant: str, received_ms: int, change: HoursStated) -> _Row:
    key = _key(merchant, received_ms, change.place, change.at)
    return (*key, _list_text(change.opening), _list_text(change.closures))


def _answer_row(
    merchant: str,
    received_ms: int,
    id: str,  # noqa: A002 -- the column's name
    change: RatingGiven | SuggestionMade | ComplaintOpened,
) -> _Row:
    """The columns that every answer has."""
    key = _key(merchant, received_ms, change.place, change.at)
    said = (_clean(change.comment), change.channel, change.lang, change.catalogue, change.undisclosed)
    return (*key, id, *_prompt_place(change.prompt), *said)


def _key(merchant: str, received_ms: int, place: Place, at: datetime) -> _Row:
    return (merchant, place.issuer, place.epoch, place.seq, received_ms, _kept_ms(at))


def _kept_ms(at: datetime) -> int:
    return min(max(to_ms(at), _FIRST_MS), _LAST_MS)


def _prompt_place(place: Place | None) -> _Row:
    return (None, None, None) if place is None else (place.issuer, place.epoch, place.seq)


def _list_text(items: tuple[object, ...]) -> str:
    """A list as `JsonField` reads it; an encoder that is made once is five times as fast as `json.dumps`."""
    return _ENCODER.encode(items).decode()


def _clean(text: str | None) -> str | None:
    return None if text is None else clean_text(text)
