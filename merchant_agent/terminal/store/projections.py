"""Writing what `domain.projections` says a record changes into the terminal's tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import assert_never

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
from merchant_agent.store.fields import json_text, to_ms
from merchant_agent.store.store import Writer
from merchant_agent.terminal.store.models import Complaint, Erasure, Prompt, Rating, Reply, Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The models that changes go to: the live ones, or copies while rebuilding."""

    prompt: type[Prompt] = Prompt
    rating: type[Rating] = Rating
    suggestion: type[Suggestion] = Suggestion
    complaint: type[Complaint] = Complaint
    erasure: type[Erasure] = Erasure
    reply: type[Reply] = Reply


LIVE = Tables()

_PROMPT = ("prompt_id", "epoch", "seq", "till", "source", "sale", "asks", "tag", "at")
_ANSWER = ("epoch", "seq", "prompt_epoch", "prompt_seq", "channel", "lang", "catalogue", "at", "comment")
_RATING = (*_ANSWER, "rating_id", "level", "aspects", "tags", "ended", "dwell_ms")
_SUGGESTION = (*_ANSWER, "suggestion_id")
_COMPLAINT = (*_ANSWER, "case_id", "categories", "remedies", "order_no", "occurred_at", "amount", "first")
_REPLY = ("epoch", "seq", "to_issuer", "to_epoch", "to_seq", "comment", "at")
_ERASURE = ("epoch", "seq", "told_epoch", "told_seq", "members", "reason", "at")


def apply(writer: Writer, changes: Iterable[Change], tables: Tables = LIVE) -> None:
    """Carries the changes out in their order, in the writer's transaction.

    Raises:
        StoreConflictError: a record with this id or place was applied before.
    """
    for change in changes:
        match change:
            case PromptOpened():
                writer.copy_rows(tables.prompt, _PROMPT, [_prompt_row(change)])
            case PromptEnded():
                _end_prompt(writer, change, tables.prompt)
            case RatingGiven():
                writer.copy_rows(tables.rating, _RATING, [_rating_row(change)])
            case SuggestionMade():
                writer.copy_rows(tables.suggestion, _SUGGESTION, [(*_answer_row(change), change.id)])
            case ComplaintOpened():
                writer.copy_rows(tables.complaint, _COMPLAINT, [_complaint_row(change)])
            case Remarked() | Added() | HoursStated():
                # Central's word alone, in no record of a terminal's own chain; or what the settings say here.
                pass
            case Erased():
                writer.copy_rows(tables.erasure, _ERASURE, [_erasure_row(change)])
                _clear(writer, change, tables)
            case Replied():
                writer.copy_rows(tables.reply, _REPLY, [_reply_row(change)])
            case _:
                assert_never(change)


def _end_prompt(writer: Writer, change: PromptEnded, prompt: type[Prompt]) -> None:
    """A rating outranks a lapse; of two of a kind the first stays."""
    outcome = change.outcome.value
    place = (change.prompt.epoch, change.prompt.seq)
    writer.rows(_end_statement(prompt), outcome, change.reason, to_ms(change.at), *place, outcome)


@cache
def _end_statement(prompt: type[Prompt]) -> str:
    table = prompt._meta.table_name  # noqa: SLF001  # peewee's name for it
    open_to = f"outcome IS NULL OR (outcome = '{PromptOutcome.LAPSED}' AND ? = '{PromptOutcome.RATED}')"
    ended = "outcome = ?, reason = ?, ended_at = ?"
    return f'UPDATE "{table}" SET {ended} WHERE epoch = ? AND seq = ? AND ({open_to})'  # noqa: S608  # our own names


def _clear(writer: Writer, change: Erased, tables: Tables) -> None:
    """What was erased goes from the pages' tables too; a contact never stood there."""
    about = change.told_of
    for table in (tables.rating, tables.suggestion, tables.complaint, tables.reply):
        columns = {"comment": table.comment}
        if issubclass(table, Complaint):
            more = {"order": table.order_no, "occurred_at": table.occurred_at, "amount": table.amount}
            columns = columns | more
        erased = {columns[name]: None for name in change.members if name in columns}
        if erased:
            here = (table.epoch == about.epoch) & (table.seq == about.seq)
            writer.execute(table.update(erased).where(here))


def _erasure_row(change: Erased) -> tuple[object, ...]:
    places = (change.place.epoch, change.place.seq, change.told_of.epoch, change.told_of.seq)
    return (*places, json_text(change.members), change.reason, to_ms(change.at))


def _reply_row(change: Replied) -> tuple[object, ...]:
    to = (change.to.issuer, change.to.epoch, change.to.seq)
    return (change.place.epoch, change.place.seq, *to, change.comment, to_ms(change.at))


def _prompt_row(change: PromptOpened) -> tuple[object, ...]:
    place = (change.place.epoch, change.place.seq)
    sale = (change.till, change.source, change.sale, change.asks, change.tag)
    return (change.id, *place, *sale, to_ms(change.at))


def _rating_row(change: RatingGiven) -> tuple[object, ...]:
    lists = (json_text(change.aspects), json_text(change.tags))
    return (*_answer_row(change), change.id, change.level, *lists, change.ended, change.dwell_ms)


def _complaint_row(change: ComplaintOpened) -> tuple[object, ...]:
    lists = (json_text(change.categories), json_text(change.remedies))
    told = (change.order, change.occurred_at, change.amount, change.first)
    return (*_answer_row(change), change.case, *lists, *told)


def _answer_row(change: RatingGiven | SuggestionMade | ComplaintOpened) -> tuple[object, ...]:
    """The columns that every answer has."""
    about = _place_or_none(change.prompt)
    said = (change.channel, change.lang, change.catalogue, to_ms(change.at), change.comment)
    return (change.place.epoch, change.place.seq, *about, *said)


def _place_or_none(place: Place | None) -> tuple[int | None, int | None]:
    return (None, None) if place is None else (place.epoch, place.seq)
