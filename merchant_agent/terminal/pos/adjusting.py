"""Adjusting how receipts are read, with the shop's own last ones: what could be picked, and signing the choice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from merchant_agent.terminal.administration import sign_settings
from merchant_agent.terminal.pos.printer.jobs import Job, understand
from merchant_agent.terminal.pos.printer.patterns import WORD_MAX_CHARS, Patterns
from merchant_agent.terminal.pos.words import add_word, own_names, remove_word
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.appending import JournalWriter

_LABELLED: Final = re.compile(
    r"(?P<label>[^\W\d][^:#]{0,23}?)\s*[:#]?\s*(?P<value>[¥￥$€£]?\s*[A-Za-z]{0,6}[-_/]?\d[\w./,-]*)"
)
_AMOUNT: Final = re.compile(r"[¥￥$€£]?\s*[0-9][0-9,]*(?:\.[0-9]{1,2})?")
_DECORATION: Final = " \t*#=+~-_·.:<>[]()【】《》「」『』|!、,"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """Something on a receipt that can be chosen: the `word` that is kept, and the `value` behind it."""

    word: str
    value: str


def order_picks(lines: Sequence[str]) -> tuple[Pick, ...]:
    """What may be an order number: a word and a number behind it, on a line."""
    return _once(pick for line in lines for pick in _picks(line))


def total_picks(lines: Sequence[str]) -> tuple[Pick, ...]:
    """What may be a sum: a word and an amount behind it, on a line."""
    amounts = tuple(pick for pick in order_picks(lines) if _AMOUNT.fullmatch(pick.value))
    return tuple(pick for pick in amounts if "." in pick.value) or amounts


def title_picks(lines: Sequence[str]) -> tuple[str, ...]:
    """What may be a title: short lines that are no numbers."""
    titles = (line.strip(_DECORATION) for line in lines)
    return tuple(
        dict.fromkeys(
            title for title in titles if 1 < len(title) <= WORD_MAX_CHARS and not re.search(r"\d", title)
        )
    )


def understand_now(terminal: Terminal, lines: Sequence[str], patterns: Patterns) -> Job:
    """What a paper of those lines is by the words as they are now."""
    return understand(lines, has_image=False, patterns=patterns, own_names=own_names(terminal))


def adjust(terminal: Terminal, sort: str, word: str, *, adds: bool) -> None:
    """Adds a word or takes it away, and signs how receipts are read from now on.

    Raises:
        InvalidError: "pattern".
        OnHoldError: nothing can be signed at the moment; nothing was changed.
        StoreError: it could not be written.
    """
    with terminal.journal.write() as writer:
        _change(writer, sort, word, adds=adds)
        if terminal.journal.enrolled:
            sign_settings(terminal, writer)


def _change(writer: JournalWriter, sort: str, word: str, *, adds: bool) -> None:
    if adds:
        add_word(writer, sort, word)
    else:
        remove_word(writer, sort, word)


def _picks(line: str) -> list[Pick]:
    found = _LABELLED.finditer(line)
    return [
        Pick(word=match["label"].strip(_DECORATION).lower(), value=match["value"].strip()) for match in found
    ]


def _once(picks: Iterable[Pick]) -> tuple[Pick, ...]:
    return tuple(dict.fromkeys(pick for pick in picks if pick.word))
