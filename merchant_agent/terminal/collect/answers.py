"""Answers to a prompt: a tap is a durable draft at once, and is signed once.

A prompt that somebody touched is theirs: it ends in a rating, or after they took their
choice back, never by the next sale.

Raises of every function that writes: `StoreError` where nothing could be stored,
`OutOfServiceError` once the terminal has ended.
"""

from __future__ import annotations

from typing import Literal

from merchant_agent.errors import ConflictError, InvalidError, NotFoundError, TransitionError
from merchant_agent.evidence.bodies import AspectLevel, Ended, Kind, RatingBody
from merchant_agent.store.fields import json_text, to_ms
from merchant_agent.store.lookup import Lookup
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.collect.kept import body_of, find_kept
from merchant_agent.terminal.collect.lookup import (
    PromptState,
    find_draft,
    find_prompt,
    state_of,
)
from merchant_agent.terminal.collect.said import Answer, Thanks, check_answer, check_id
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.collect.signing import (
    find_or_lost,
    lapse,
    require_in_service,
    sign_or_keep,
    writing,
)
from merchant_agent.terminal.collect.thanks import kept_again, thanks_again, thanks_for
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.appending import Appended, JournalWriter
from merchant_agent.terminal.store.models import Draft, Kept, Prompt, Rating

LONGEST_DWELL_MS = 3_600_000

EndedByTablet = Literal["done", "left", "idle"]

_RATING = Lookup(Rating, "rating_id = ?")
_ELSEWHERE = Lookup(Draft, "answer_id = ? AND prompt_id <> ?")
_KEEP = (
    "INSERT INTO draft"
    " (prompt_id, answer_id, device, level, aspects, tags, comment, lang, claim, started_at, touched_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (prompt_id) DO UPDATE SET answer_id = excluded.answer_id,"
    " level = excluded.level, aspects = excluded.aspects, tags = excluded.tags, comment = excluded.comment,"
    " lang = excluded.lang, claim = excluded.claim, touched_at = excluded.touched_at"
)
_FORGET = "DELETE FROM draft WHERE prompt_id = ?"


def keep_draft(terminal: Terminal, tablet: Tablet, answer_id: str, answer: Answer) -> None:
    """Keeps what was tapped so far; the prompt belongs to the tablet from the first time on.

    Each call replaces the one before. Without a level the choice was taken back, and the
    prompt stays theirs.

    Raises:
        InvalidError: "id", or as `check_answer`.
        NotFoundError: "prompt", when the tablet's till has none of that id.
        ConflictError: "answered-elsewhere", when another tablet was first; "answer-id", when
            the id is another answer's.
        TransitionError: the prompt has ended, or no tablet asks it.
    """
    check_id(answer_id)
    checked = check_answer(terminal.catalogue, answer)
    with writing(terminal) as writer:
        _require_answerable(terminal, writer, tablet, answer_id, checked.prompt_id)
        # Before the commit: nobody may take the draft for an idle one in between.
        terminal.touches.touch(answer_id)
        _store_draft(terminal, writer, tablet, answer_id, checked)


def finish(  # noqa: PLR0913 -- an answer's end has these parts
    terminal: Terminal,
    tablet: Tablet,
    answer_id: str,
    answer: Answer,
    *,
    ended: EndedByTablet,
    dwell_ms: int,
) -> Thanks:
    """The signed rating, or the kept one where nothing can be signed; sent again, the same one.

    Either is durable: the tablet may thank for it.

    `dwell_ms` is the tablet's claim, cut to an hour.

    Raises:
        InvalidError: "level", when there is none; else as `keep_draft`.
        NotFoundError: as `keep_draft`.
        ConflictError: as `keep_draft`; "answered", when the prompt has another rating.
        TransitionError: as `keep_draft`. A lapse is never followed by a rating.
    """
    check_id(answer_id)
    checked = check_answer(terminal.catalogue, answer)
    if checked.level is None:
        raise InvalidError("level", "a rating needs a level")
    with writing(terminal) as writer:
        signed = _RATING.first(writer, answer_id)
        if signed is not None:
            return _thanks_again(terminal, writer, signed, checked)
        kept = find_kept(writer, answer_id)
        if kept is not None:
            return kept_again(terminal, as_sent=_as_kept(kept, checked))
        prompt = _require_answerable(terminal, writer, tablet, answer_id, checked.prompt_id)
        appended = sign_rating(terminal, writer, prompt, answer_id, checked, ended=ended, dwell_ms=dwell_ms)
        return thanks_for(terminal, appended)


def decline(terminal: Terminal, tablet: Tablet, prompt_id: str) -> None:
    """Ends a prompt that the customer does not want to answer; once it is declined, the same again.

    Raises:
        NotFoundError: "prompt", when the tablet's till has none of that id.
        ConflictError: "answered-elsewhere", when another tablet holds it.
        TransitionError: a level stands there and was not taken back, or the prompt has ended
            in another way, or no tablet asks it.
    """
    with writing(terminal) as writer:
        prompt = _find_heard(terminal, writer, tablet, prompt_id)
        if prompt.reason == PromptState.DECLINED:
            return
        _require_open(writer, prompt)
        draft = _own_draft(writer, tablet, prompt_id)
        if draft is not None and draft.level is not None:
            raise TransitionError(PromptState.ANSWERING, "decline")
        lapse(terminal, writer, prompt, "declined")
        writer.rows(_FORGET, prompt_id)


def sign_rating(  # noqa: PLR0913 -- a rating has these parts
    terminal: Terminal,
    writer: JournalWriter,
    prompt: Prompt,
    answer_id: str,
    answer: Answer,
    *,
    ended: Ended,
    dwell_ms: int,
) -> Appended | None:
    """Signs the one rating of an open prompt, or keeps it, and removes its draft, in the writer's transaction.

    Raises:
        InvalidError: "level", when there is none.
        StoreError: it could not be written.
    """
    if answer.level is None:
        raise InvalidError("level", "a rating needs a level")
    body = RatingBody(
        level=answer.level,
        aspects=tuple(AspectLevel(aspect=aspect, level=level) for aspect, level in answer.aspects),
        tags=answer.tags,
        channel="tablet",
        ended=ended,
        dwell_ms=min(max(dwell_ms, 0), LONGEST_DWELL_MS),
        lang=answer.lang,
        catalogue=terminal.catalogue.version,
        claim=answer.claim,
    )
    words = {"comment": answer.comment}
    appended = sign_or_keep(
        terminal, writer, Kind.RATING, body, item_id=answer_id, prompt=prompt, words=words
    )
    writer.rows(_FORGET, prompt.prompt_id)
    return appended


def answer_of(draft: Draft) -> Answer:
    """The answer as the draft has it."""
    return Answer(
        prompt_id=draft.prompt_id,
        level=draft.level,
        aspects=tuple((aspect, level) for aspect, level in draft.aspects),
        tags=tuple(draft.tags),
        comment=draft.comment,
        lang=draft.lang,
        claim=draft.claim,
    )


def _require_answerable(
    terminal: Terminal, reader: Reader, tablet: Tablet, answer_id: str, prompt_id: str
) -> Prompt:
    """The prompt, when it is open, asked by tablets, and held by no other tablet or answer."""
    require_in_service(terminal, reader)
    prompt = _find_heard(terminal, reader, tablet, prompt_id)
    if prompt.outcome == PromptState.RATED:
        raise ConflictError("answered", "the prompt has a rating already")
    _require_open(reader, prompt)
    _own_draft(reader, tablet, prompt_id)
    if _RATING.first(reader, answer_id) or _ELSEWHERE.first(reader, answer_id, prompt_id):
        raise ConflictError("answer-id", "the id is another answer's")
    return prompt


def _find_heard(terminal: Terminal, reader: Reader, tablet: Tablet, prompt_id: str) -> Prompt:
    prompt = find_or_lost(terminal, reader, prompt_id, tablet.till)
    if not tablet.hears(prompt.till):
        raise NotFoundError("prompt", "there is no such prompt for this tablet")
    return prompt


def _require_open(reader: Reader, prompt: Prompt) -> None:
    if prompt.outcome is not None or not prompt.asks:
        raise TransitionError(state_of(reader, prompt), "answer")


def _own_draft(reader: Reader, tablet: Tablet, prompt_id: str) -> Draft | None:
    draft = find_draft(reader, prompt_id)
    if draft is not None and draft.device != tablet.id:
        raise ConflictError("answered-elsewhere", "another tablet was first")
    return draft


def _store_draft(terminal: Terminal, writer: Writer, tablet: Tablet, answer_id: str, answer: Answer) -> None:
    now = to_ms(terminal.clock.now())
    lists = (json_text(answer.aspects), json_text(answer.tags))
    row = (
        answer.prompt_id,
        answer_id,
        tablet.id,
        answer.level,
        *lists,
        answer.comment,
        answer.lang,
        answer.claim,
        now,
        now,
    )
    writer.rows(_KEEP, *row)


def _thanks_again(terminal: Terminal, reader: Reader, signed: Rating, answer: Answer) -> Thanks:
    """For a rating that was signed before: by the same request, or for the tablet when it was silent."""
    # One that was kept for a prompt which got lost is about none.
    if signed.prompt_epoch is not None:
        prompt = find_prompt(reader, answer.prompt_id)
        if (signed.prompt_epoch, signed.prompt_seq) != (prompt.epoch, prompt.seq):
            raise ConflictError("answer-id", "the id is another answer's")
    aspects = tuple((aspect, level) for aspect, level in signed.aspects)
    stands = (signed.level, aspects, tuple(signed.tags), signed.comment or "")
    return thanks_again(terminal, reader, signed.epoch, signed.seq, as_sent=stands == _sent(answer))


def _as_kept(kept: Kept, answer: Answer) -> bool:
    """Whether the kept rating says what the answer says."""
    body = body_of(kept)
    if not isinstance(body, RatingBody) or kept.prompt_id != answer.prompt_id:
        raise ConflictError("answer-id", "the id is another answer's")
    aspects = tuple((given.aspect, given.level) for given in body.aspects)
    return (body.level, aspects, body.tags, kept.words.get("comment", "")) == _sent(answer)


def _sent(answer: Answer) -> tuple[object, ...]:
    return answer.level, answer.aspects, answer.tags, answer.comment
