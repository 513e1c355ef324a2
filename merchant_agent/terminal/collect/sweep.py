"""Ending what people left: idle answers are signed, questions that nobody touched go away.

The tablet ends an idle answer by itself, with its customer before it; what is done here is
for tablets that fell silent, so it waits twice as long, which is the tablet's own time in
large type. All of it rests on the monotonic clock: a wall clock that jumps ends nothing.

Answers that a crash left unfinished have the same time from the start on: their tablet comes
back within seconds and brings all that its customer said. Only what nobody comes back for is
signed as it was found.

A prompt whose answer was taken back, and left so, lapses as timed out: shown again, it would
be answered by the next customer, for a sale that was not theirs.

A question that the next sale replaced lapses a moment later. Whoever tapped on it before the
tablet heard of that sale has touched it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from merchant_agent.errors import FormatError, NotFoundError, VerificationError
from merchant_agent.evidence.bodies import Ended, LapseReason
from merchant_agent.store.store import Reader
from merchant_agent.terminal.collect.answers import answer_of, sign_rating
from merchant_agent.terminal.collect.board import read_questions
from merchant_agent.terminal.collect.kept import is_lost, lost_prompt, open_kept
from merchant_agent.terminal.collect.lookup import find_draft, find_prompt
from merchant_agent.terminal.collect.screen import Question, is_waiting
from merchant_agent.terminal.collect.signing import lapse, writing
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.models import Draft, Kept, Prompt

_log = logging.getLogger(__name__)

# A question behind one that is being answered waits; within the 10 minutes of rule V16.
LONGEST_WAITING_S = 540
# A tablet that tapped before it heard of the next sale, and had to try again, is heard by then.
REPLACED_LAPSES_AFTER_S = 5

_PATIENCE = 2
_AT_ONCE = 100
_MILLISECOND = timedelta(milliseconds=1)


def sweep(terminal: Terminal) -> int:
    """Ends what is over; how many prompts that were. Cheap when nothing is, to be called each second.

    An answer that no reader would take stays where it is, and is tried again after its time. Once the
    terminal has ended nothing does any more.

    Raises:
        StoreError: something could not be stored; what was ended before stays ended.
    """
    if terminal.journal.hold == "ended":
        return 0
    with terminal.store.read() as reader:
        drafts: list[Draft] = reader.all(Draft.select())
        untouched = _untouched(reader)
    known = {draft.answer_id for draft in drafts} | {prompt.prompt_id for prompt in untouched}
    terminal.touches.keep_only(known)
    _let_waiting_wait(terminal)
    ended = sum(_end_if_sound(terminal, draft) for draft in drafts if _is_idle(terminal, draft))
    if _over(terminal, untouched, terminal.board.questions()):
        ended += _end_untouched(terminal)
    return ended


def end_all(terminal: Terminal) -> None:
    """Signs every answer that was begun as it stands, and lets every other question lapse: nobody comes back.

    Raises:
        StoreError: something could not be stored; what was ended before stays ended.
    """
    with terminal.store.read() as reader:
        drafts: list[Draft] = reader.all(Draft.select())
    for draft in drafts:
        _end_if_sound(terminal, draft, is_last=True)
    while True:
        with writing(terminal) as writer:
            left = _untouched(writer)[:_AT_ONCE]
            for prompt in left:
                lapse(terminal, writer, prompt, "timed_out")
        if not left:
            return


def _tell_unsigned(draft: Draft, error: FormatError | VerificationError) -> None:
    """Without the error's words, which may be a customer's."""
    _log.error("the unfinished answer %s cannot be signed: %s", draft.answer_id, error.code)


def _untouched(reader: Reader) -> list[Prompt]:
    """The open prompts that no tablet holds, asked or not, oldest first, signed or kept."""
    held = Draft.select(Draft.prompt_id)
    ended = Kept.select(Kept.prompt_id).where(Kept.kind.in_(("rating", "lapse")))
    open_ones = Prompt.outcome.is_null() & Prompt.prompt_id.not_in(held) & Prompt.prompt_id.not_in(ended)
    found: list[Prompt] = reader.all(Prompt.select().where(open_ones).order_by(Prompt.epoch, Prompt.seq))
    return found + open_kept(reader)


def _let_waiting_wait(terminal: Terminal) -> None:
    """A question that stands behind another begins its time anew, but not for ever."""
    questions = terminal.board.questions()
    for question in questions:
        waits_yet = terminal.touches.age_s(question.prompt_id) < LONGEST_WAITING_S
        if waits_yet and is_waiting(questions, question):
            terminal.touches.touch(question.prompt_id)


def _is_idle(terminal: Terminal, draft: Draft) -> bool:
    return terminal.touches.idle_s(draft.answer_id) >= _PATIENCE * terminal.settings.idle_rating_s


def _over(
    terminal: Terminal, prompts: Iterable[Prompt], questions: Iterable[Question]
) -> list[tuple[Prompt, LapseReason]]:
    """Those of the untouched prompts whose time is over, and why."""
    replaced = {question.prompt_id for question in questions if question.replaced}
    over: list[tuple[Prompt, LapseReason]] = []
    for prompt in prompts:
        idle_s = terminal.touches.idle_s(prompt.prompt_id)
        if prompt.prompt_id in replaced and idle_s >= REPLACED_LAPSES_AFTER_S:
            over.append((prompt, "next_sale"))
        elif idle_s >= terminal.settings.prompt_timeout_s:
            over.append((prompt, "timed_out"))
    return over


def _end_if_sound(terminal: Terminal, draft: Draft, *, is_last: bool = False) -> bool:
    """Ends the draft; one that no reader would take is left alone until it has been idle once more."""
    try:
        return _end_idle(terminal, draft.prompt_id, is_last=is_last)
    except (FormatError, VerificationError) as error:
        _tell_unsigned(draft, error)
        terminal.touches.touch(draft.answer_id)
        return False


def _end_idle(terminal: Terminal, prompt_id: str, *, is_last: bool) -> bool:
    """Signs the draft, or lapses its prompt, unless somebody touched it in the meantime and may again."""
    with writing(terminal) as writer:
        draft = find_draft(writer, prompt_id)
        if draft is None or not (is_last or _is_idle(terminal, draft)):
            return False
        prompt = _prompt_of(terminal, writer, prompt_id)
        if draft.level is None:
            if not is_lost(prompt):
                lapse(terminal, writer, prompt, "timed_out")
            writer.execute(Draft.delete().where(Draft.prompt_id == prompt_id))
        else:
            ended, dwell_ms = _end_of(terminal, draft)
            sign_rating(
                terminal, writer, prompt, draft.answer_id, answer_of(draft), ended=ended, dwell_ms=dwell_ms
            )
    return True


def _prompt_of(terminal: Terminal, reader: Reader, prompt_id: str) -> Prompt:
    """Also one that got lost with the ledger's tail, while what was tapped about it did not."""
    try:
        return find_prompt(reader, prompt_id)
    except NotFoundError:
        return lost_prompt(prompt_id, "", terminal.clock.now())


def _end_of(terminal: Terminal, draft: Draft) -> tuple[Ended, int]:
    """How the draft ended and how long its customer took; by its own times where a crash lies between."""
    if terminal.touches.is_touched(draft.answer_id):
        return "idle", terminal.touches.span_ms(draft.answer_id)
    return "recovered", (draft.touched_at - draft.started_at) // _MILLISECOND


def _end_untouched(terminal: Terminal) -> int:
    """Lapses what is over and still untouched, in one transaction that others need not wait for long."""
    with writing(terminal) as writer:
        over = _over(terminal, _untouched(writer), read_questions(writer))[:_AT_ONCE]
        for prompt, reason in over:
            lapse(terminal, writer, prompt, reason)
    return len(over)
