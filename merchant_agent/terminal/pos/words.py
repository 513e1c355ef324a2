"""The words by which a shop's receipts are read: those that it adds, signed since they can leave customers out, and its names."""

from __future__ import annotations

from typing import cast, get_args

from merchant_agent.domain.text import check_line
from merchant_agent.errors import InvalidError
from merchant_agent.evidence.bodies import PaperSort
from merchant_agent.evidence.bodies import ReceiptWord as SignedWord
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.pos.printer.patterns import MOST_WORDS, WORD_MAX_CHARS, JobKind, Patterns
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.models import ReceiptWord

SORTS: tuple[PaperSort, ...] = get_args(PaperSort)


def load_words(reader: Reader) -> tuple[SignedWord, ...]:
    """The shop's words in the order of their sorts, as they are signed."""
    rows = reader.all(ReceiptWord.select().order_by(ReceiptWord.sort, ReceiptWord.word))
    return tuple(SignedWord(sort=cast("PaperSort", row.sort), word=row.word) for row in rows)


def load_patterns(reader: Reader) -> Patterns:
    """What the shop's receipts are read by."""
    words = load_words(reader)
    titles = {kind: _of(words, kind.value) for kind in JobKind if kind.value in SORTS}
    return Patterns(order=_of(words, "order"), total=_of(words, "total"), titles=titles)


def own_names(terminal: Terminal) -> tuple[str, ...]:
    """The shop's names, which say nothing of what a paper is; none before the enrolment."""
    journal = terminal.journal
    if not journal.enrolled:
        return ()
    merchant = journal.identity.merchant
    return (merchant.shop_name, merchant.name)


def add_word(writer: Writer, sort: str, word: str) -> None:
    """Adds a word, once; in the caller's transaction, which signs it.

    Raises:
        InvalidError: "pattern", for a sort that does not exist, a word without characters or with too
            many, and a seventeenth of its sort.
    """
    checked = check_line(word, code="pattern", min_chars=1, max_chars=WORD_MAX_CHARS).lower()
    same = [known.word for known in load_words(writer) if known.sort == sort]
    if sort not in SORTS or (len(same) >= MOST_WORDS and checked not in same):
        raise InvalidError("pattern", f"at most {MOST_WORDS} words of a sort")
    writer.execute(ReceiptWord.insert(sort=sort, word=checked).on_conflict_ignore())


def remove_word(writer: Writer, sort: str, word: str) -> None:
    """Takes a word away again; in the caller's transaction, which signs it."""
    row = ReceiptWord
    writer.execute(row.delete().where((row.sort == sort) & (row.word == word)))


def _of(words: tuple[SignedWord, ...], sort: str) -> tuple[str, ...]:
    return tuple(word.word for word in words if word.sort == sort)
