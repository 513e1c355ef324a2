"""The open questions as everybody sees them, and which of them each tablet shows."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Collection, Mapping
from typing import Any

from merchant_agent.store.fields import from_ms
from merchant_agent.store.store import Reader, Store
from merchant_agent.terminal.collect.bell import Bell
from merchant_agent.terminal.collect.kept import ENDED, KEPT_EPOCH
from merchant_agent.terminal.collect.screen import (
    Held,
    Question,
    Screen,
    ScreenKind,
    Tablet,
    choose_question,
)

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
    *("p.prompt_id", "p.epoch", "p.seq", "p.till", "p.source", "p.sale", "p.at"),
    *("s.order_no", "s.amount", "s.invitation", "s.replaced_at"),
    *("d.device", "d.answer_id", "d.level", "d.aspects", "d.tags", "d.comment", "d.lang"),
    *("d.started_at", "d.touched_at"),
)
_NAMES = tuple(column[2:] for column in _COLUMNS)
_OPEN = (
    f"SELECT {', '.join(_COLUMNS)} FROM prompt p JOIN sale s ON s.prompt_id = p.prompt_id"  # noqa: S608 -- our own names
    " LEFT JOIN draft d ON d.prompt_id = p.prompt_id"
    f" WHERE p.outcome IS NULL AND p.asks AND NOT {ENDED.format('p.prompt_id')} ORDER BY p.epoch, p.seq"
)
_KEPT = (
    f"SELECT k.item_id, {KEPT_EPOCH}, k.number, s.till, json_extract(k.body, '$.source'),"  # noqa: S608 -- likewise
    f" json_extract(k.body, '$.sale'), k.at, {', '.join(_COLUMNS[7:])}"
    " FROM kept k JOIN sale s ON s.prompt_id = k.item_id LEFT JOIN draft d ON d.prompt_id = k.item_id"
    f" WHERE k.kind = 'prompt' AND json_extract(k.body, '$.asks') AND NOT {ENDED.format('k.item_id')}"
    " ORDER BY k.number"
)


def read_questions(reader: Reader) -> tuple[Question, ...]:
    """The open questions that tablets ask, in the order of their sales, signed or kept."""
    rows = [*reader.rows(_OPEN), *reader.rows(_KEPT)]
    return tuple(_question(dict(zip(_NAMES, row, strict=True))) for row in rows)


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
        at=from_ms(row["at"]),
        invitation=row["invitation"],
        replaced=row["replaced_at"] is not None,
        held=None if row["device"] is None else _held(row),
    )


def _held(row: Mapping[str, Any]) -> Held:
    return Held(
        device=row["device"],
        answer_id=row["answer_id"],
        level=row["level"],
        aspects=tuple((aspect, level) for aspect, level in json.loads(row["aspects"])),
        tags=tuple(json.loads(row["tags"])),
        comment=row["comment"],
        lang=row["lang"],
        started_at=from_ms(row["started_at"]),
        touched_at=from_ms(row["touched_at"]),
    )
