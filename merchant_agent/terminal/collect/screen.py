"""Which question each tablet shows: pure rules over the questions that are open.

A question is *touched* once somebody tapped on a tablet: that tablet owns it until it
ends, whatever is sold meanwhile. Of untouched ones a till has at most one that is asked
now and one manual sale that waits behind it; those that the next sale *replaced* are shown
by no tablet, but may still be touched by a tap that was on its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Tablet:
    """A paired tablet; `till` is empty where it asks for the sales of every till."""

    id: str
    till: str

    def hears(self, till: str) -> bool:
        """Whether sales of that till wake this tablet."""
        return self.till in {"", till}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What somebody tapped so far on the tablet `device`, not signed yet.

    `level` is None before the first face and after a choice was taken back; then
    `answer_id` may be empty.
    """

    device: str
    answer_id: str
    level: int | None
    aspects: tuple[tuple[str, int], ...]
    tags: tuple[str, ...]
    comment: str
    lang: str
    started_at: datetime
    touched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An open prompt that a tablet asks; `order` is the number that the customer knows.

    `amount` is text such as `64.00`, None where the till told none; `at` is when the sale
    reached us; `invitation` are the octets of the pass to answer on a phone.
    """

    prompt_id: str
    epoch: int
    seq: int
    till: str
    order: str
    sale: str
    manual: bool
    amount: str | None
    at: datetime
    invitation: bytes
    replaced: bool
    held: Held | None

    @property
    def position(self) -> tuple[int, int]:
        """Where it stands among all prompts."""
        return self.epoch, self.seq

    @property
    def touched(self) -> bool:
        """Whether some tablet owns it."""
        return self.held is not None


class ScreenKind(StrEnum):
    """What a tablet shows: nothing to answer, or one question."""

    REST = "rest"
    ASK = "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What one tablet shows; `question` is None exactly when `kind` is rest.

    `version` changes with every other question, or none, and never comes back. What a customer
    types on this tablet leaves it: `held` serves a page that was loaded anew.
    """

    version: str
    kind: ScreenKind
    question: Question | None


def choose_question(questions: Sequence[Question], tablet: Tablet) -> Question | None:
    """The question that a tablet shows, of all open ones in the order of their sales.

    Its own first. Else the newest that it hears, one of each till's line; but a sale that
    staff typed in never takes the place of another question.
    """
    for question in questions:
        if question.held is not None and question.held.device == tablet.id:
            return question
    heads = [question for question in _heads(questions) if tablet.hears(question.till)]
    from_tills = [question for question in heads if not question.manual]
    if from_tills:
        return from_tills[-1]
    return heads[0] if heads else None


def is_waiting(questions: Sequence[Question], question: Question) -> bool:
    """Whether an untouched question has another of its till before it."""
    return _stands_in_line(question) and any(
        other.till == question.till
        and (other.touched or (_stands_in_line(other) and other.position < question.position))
        for other in questions
        if other is not question
    )


def replaced_by(questions: Sequence[Question], till: str, *, manual: bool) -> list[Question]:
    """The untouched questions of a till that its next sale takes the place of.

    A sale from the till replaces them all. One that staff typed in leaves the question that is
    first in line and replaces only those that wait.
    """
    line = [question for question in questions if question.till == till and _stands_in_line(question)]
    return line[1:] if manual else line


def _heads(questions: Sequence[Question]) -> list[Question]:
    heads: dict[str, Question] = {}
    for question in questions:
        if _stands_in_line(question):
            heads.setdefault(question.till, question)
    return sorted(heads.values(), key=lambda question: question.position)


def _stands_in_line(question: Question) -> bool:
    return not question.touched and not question.replaced
