"""Finding a prompt and what became of it, inside the transaction that will change it."""

from __future__ import annotations

from enum import StrEnum

from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.fields import Place
from merchant_agent.store.lookup import Lookup
from merchant_agent.store.store import Reader
from merchant_agent.terminal.collect.board import read_questions
from merchant_agent.terminal.collect.kept import with_kept
from merchant_agent.terminal.collect.screen import Question, is_waiting
from merchant_agent.terminal.store.models import Draft, Prompt

_PROMPT = Lookup(Prompt, "prompt_id = ?")
_DRAFT = Lookup(Draft, "prompt_id = ?")


class PromptState(StrEnum):
    """How a prompt stands; the last five are its end, and the last four the reasons of its lapse.

    `NEXT_SALE` alone is told before it is signed: a tap that was on its way still makes it `ANSWERING`.
    """

    ASKED = "asked"
    WAITING = "waiting"
    ANSWERING = "answering"
    NOT_ASKED = "not_asked"
    RATED = "rated"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    NEXT_SALE = "next_sale"
    WITHDRAWN = "withdrawn"


def find_prompt(reader: Reader, prompt_id: str) -> Prompt:
    """The prompt of that id, signed or kept, as what is kept leaves it.

    Raises:
        NotFoundError: "prompt".
    """
    row = with_kept(reader, _PROMPT.first(reader, prompt_id), prompt_id)
    if row is None:
        raise NotFoundError("prompt", "there is no such prompt")
    return row


def find_draft(reader: Reader, prompt_id: str) -> Draft | None:
    """What somebody tapped on a tablet about the prompt and nobody signed yet."""
    return _DRAFT.first(reader, prompt_id)


def state_of(reader: Reader, prompt: Prompt) -> PromptState:
    """How the prompt stands in the reader's view."""
    if prompt.outcome is not None:
        return PromptState(prompt.reason or prompt.outcome)
    if not prompt.asks:
        return PromptState.NOT_ASKED
    questions = read_questions(reader)
    for question in questions:
        if question.prompt_id == prompt.prompt_id:
            if question.touched:
                return PromptState.ANSWERING
            if question.replaced:
                return PromptState.NEXT_SALE
            return PromptState.WAITING if is_waiting(questions, question) else PromptState.ASKED
    return PromptState.NOT_ASKED


def place_of(prompt: Prompt | Question, issuer: str) -> Place:
    """Where the prompt, which is signed, stands in this terminal's chain."""
    return Place(issuer=issuer, epoch=prompt.epoch, seq=prompt.seq)
