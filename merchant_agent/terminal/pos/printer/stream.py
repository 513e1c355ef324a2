"""What goes on to the printer: everything that came, unchanged and in its order, and at cuts what is added.

Pure: bytes in, bytes out, and what was read of them. At most the first three bytes of a command
that may become a cut are held back until it is known whether it is one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from merchant_agent.terminal.pos.printer.commands import CUT_ESC, RESET, is_cut, may_become_cut
from merchant_agent.terminal.pos.printer.paper import Paper
from merchant_agent.terminal.pos.printer.scanner import Scanner, Sort

_FEEDING_CUTS = frozenset({65, 66, 97, 98, 103, 104})
# Of Star's language, in which what cuts in ESC/POS does something else.
_STAR_CUT = b"\x1bd"
_STAR_CUTS = frozenset({0, 1, 2, 3, 48, 49, 50, 51})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A piece of paper that ends here, or may: not `final` is one that stands still without a cut.

    `feeds` says that the paper is not moved to the cutter by its cut; `digest` is SHA-256 of its
    octets without the cut.
    """

    paper: Paper
    digest: bytes
    feeds: bool
    final: bool


# What is to be printed at the end of that paper; empty for nothing, None where it is not understood (yet).
Adds = Callable[[Finished], bytes | None]


class Stream:
    """One connection's data on its way. `adds` is asked at the end of each paper, and may take its time."""

    def __init__(self, adds: Adds) -> None:
        self._adds = adds
        self._scanner = Scanner()
        self._paper = Paper()
        self._digest = hashlib.sha256()
        self._is_left = False  # stands still, and was not understood
        self.held = b""  # bytes that have come and are not on their way

    @property
    def is_between_papers(self) -> bool:
        """Whether nothing of a paper has come yet, and no command is half here."""
        return self._is_between_commands and self._paper.is_empty

    @property
    def is_left(self) -> bool:
        """Whether the paper stood still and was not understood; until more of it comes."""
        return self._is_left

    @property
    def _is_between_commands(self) -> bool:
        return not self._scanner.unfinished and not self.held

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What goes on now, in its order: the data but for what is held back, and what is added to it.

        What stands before a cut goes on before anybody is asked what is added there. Where this raises,
        `held` is what has come and did not go on.
        """
        whole = self.held + data
        start = self._scanner.read - len(self.held)  # of `whole` in the stream
        self.held = whole
        sent = seen = 0
        for piece in self._scanner.feed(data):
            if self._is_left and piece.sort is Sort.COMMAND and piece.octets == RESET:
                self.forget()
            self._is_left = False
            if piece.sort is Sort.COMMAND and self._cuts(piece.octets):
                cut_at = max(sent, piece.end - len(piece.octets) - start)
                self._digest.update(whole[seen : max(seen, cut_at)])
                seen = piece.end - start
                if cut_at > sent:
                    yield whole[sent:cut_at]
                    sent, self.held = cut_at, whole[cut_at:]
                if added := self._end(feeds=not _moves(piece.octets)):
                    yield added
            else:
                self._paper.take(piece)
        stop = len(whole)
        if may_become_cut(self._scanner.unfinished):
            stop -= len(self._scanner.unfinished)
        self.held = whole[stop:]
        self._digest.update(whole[seen:stop])
        if stop > sent:
            yield whole[sent:stop]

    def look(self) -> bytes:
        """What is added where the paper stands still without a cut; it stays where nobody understands it."""
        if not self._is_between_commands or self._paper.is_empty or self._paper.in_page_mode:
            return b""
        added = self._ask(self._finished(feeds=True, final=False))
        if added is None:
            self._is_left = True
            return b""
        self.forget()
        return added

    def end_paper(self) -> bytes:
        """What is added where the paper ends without a cut; empty within a command."""
        if not self._is_between_commands:
            return b""
        return self._end(feeds=True)

    def forget(self) -> None:
        """The next paper begins here."""
        self._paper, self._digest, self._is_left = self._paper.next(), hashlib.sha256(), False

    def close(self) -> bytes:
        """What is still to go on where nothing more comes: what was held back, or what is added."""
        held, self.held = self.held, b""
        return held or self.end_paper()

    def _cuts(self, command: bytes) -> bool:
        if self._paper.is_foreign:
            return command[:2] == _STAR_CUT and command[2] in _STAR_CUTS
        return is_cut(command)

    def _ask(self, finished: Finished) -> bytes | None:
        added = self._adds(finished)
        return b"" if finished.paper.is_foreign and added is not None else added

    def _end(self, *, feeds: bool) -> bytes:
        finished = self._finished(feeds=feeds, final=True)
        self.forget()
        if finished.paper.is_empty or finished.paper.in_page_mode:
            return b""
        return self._ask(finished) or b""

    def _finished(self, *, feeds: bool, final: bool) -> Finished:
        return Finished(paper=self._paper, digest=self._digest.digest(), feeds=feeds, final=final)


def _moves(cut: bytes) -> bool:
    """Whether the cut moves the paper to the cutter first."""
    return cut[:2] not in CUT_ESC and cut[2] in _FEEDING_CUTS
