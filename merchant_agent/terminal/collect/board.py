"""The open questions as everybody sees them, and which of them each tablet shows."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection, Mapping
from typing import Any

import peewee

from merchant_agent.store.store import Reader, Store
from merchant_agent.terminal.collect.bell import Bell
from merchant_agent.terminal.collect.screen import (
    Held,
    Question,
    Screen,
    ScreenKind,
    Tablet,
    choose_question,
)
from merchant_agent.terminal.store.models import Draft, Prompt, Sale

_RUN_BYTES = 4


class Board:
    """The open questions, read once after each ring however many tablets ask; any thread may use it.

    Never inside a read or a write of the caller's: that view may be older than the bell.
    """

    def __init__(self, store: Store, bell: Bell) -> None:
        self._store = store
        self._bell = bell
        self._lock = threading.Lock()
        self._rings = -1  # of what stands below; under _lock
        self._questions: tuple[Question, ...] = ()  # under _lock
        self._shown: dict[str, tuple[str, int]] = {}  # by tablet: prompt or "", and its number; under _lock
        self._looks: dict[str, tuple[Tablet, float]] = {}  # when each tablet last asked; under _lock
        # A version of another run of this program is never mistaken for one of this run.
        self._run = secrets.token_hex(_RUN_BYTES)

    def questions(self) -> tuple[Question, ...]:
        """All open questions that tablets ask, in the order of their sales."""
        with self._lock:
            rings = self._bell.rings
            if rings != self._rings:
                with self._store.read() as reader:
                    self._questions = read_questions(reader)
                self._rings = rings
            return self._questions

    def note_look(self, tablet: Tablet, at_s: float) -> None:
        """Remembers that the tablet asked what to show, at that reading of the monotonic clock."""
        with self._lock:
            self._looks[tablet.id] = (tablet, at_s)

    def shown(self, tablets: Collection[str], since_s: float) -> frozenset[str]:
        """The prompts that those of the tablets show which asked what to show since then.

        Raises:
            StoreError: it could not be read.
        """
        questions = self.questions()
        with self._lock:
            there = [tablet for tablet, at_s in self._looks.values() if at_s >= since_s]
        chosen = [choose_question(questions, tablet) for tablet in there if tablet.id in tablets]
        return frozenset(question.prompt_id for question in chosen if question is not None)

    def screen(self, tablet: Tablet) -> Screen:
        """What the tablet shows now.

        Raises:
            StoreError: it could not be read.
        """
        question = choose_question(self.questions(), tablet)
        prompt_id = "" if question is None else question.prompt_id
        with self._lock:
            last, number = self._shown.get(tablet.id, (None, 0))
            if last != prompt_id:
                number += 1
                self._shown[tablet.id] = (prompt_id, number)
        return Screen(
            version=f"{self._run}-{number}",
            kind=ScreenKind.REST if question is None else ScreenKind.ASK,
            question=question,
        )


_COLUMNS = (
    *(Prompt.prompt_id, Prompt.epoch, Prompt.seq, Prompt.till, Prompt.source, Prompt.sale, Prompt.at),
    *(Sale.order_no, Sale.amount, Sale.invitation),
    *(Draft.device, Draft.answer_id, Draft.level, Draft.aspects, Draft.tags, Draft.comment, Draft.lang),
    *(Draft.started_at, Draft.touched_at),
)


def read_questions(reader: Reader) -> tuple[Question, ...]:
    """The open questions that tablets ask, in the order of their sales."""
    query = (
        Prompt.select(*_COLUMNS)
        .join(Sale, on=(Sale.prompt_id == Prompt.prompt_id))
        .join_from(Prompt, Draft, peewee.JOIN.LEFT_OUTER, on=(Draft.prompt_id == Prompt.prompt_id))
        .where(Prompt.outcome.is_null() & Prompt.asks)
        .order_by(Prompt.epoch, Prompt.seq)
    )
    return tuple(_question(row) for row in reader.all(query.dicts()))


def _question(row: Mapping[str, Any]) -> Question:
    return Question(
        prompt_id=row["prompt_id"],
        epoch=row["epoch"],
        seq=row["seq"],
        till=row["till"],
        order=row["order_no"],
        sale=row["sale"],
        manual=row["source"] == "manual",
        amount=row["amount"],
        at=row["at"],
        invitation=bytes(row["invitation"]),
        held=None if row["device"] is None else _held(row),
    )


def _held(row: Mapping[str, Any]) -> Held:
    return Held(
        device=row["device"],
        answer_id=row["answer_id"],
        level=row["level"],
        aspects=tuple((aspect, level) for aspect, level in row["aspects"]),
        tags=tuple(row["tags"]),
        comment=row["comment"],
        lang=row["lang"],
        started_at=row["started_at"],
        touched_at=row["touched_at"],
    )
