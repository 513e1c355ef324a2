"""Finds the commands in a stream of ESC/POS as it comes, in pieces of any size and in flat memory.

Source: `commands`, for how long each is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from merchant_agent.terminal.pos.printer.commands import Skip, Steps, UntilNul, find_command

_INTRODUCER: Final = re.compile(rb"[\x10\x1b\x1c\x1d]")
# What anybody looks at stands in the first bytes of a command; the rest of a long one is not kept.
_HEAD_BYTES: Final = 64
_PREFIX_BYTES: Final = 2


class Sort(Enum):
    """What a piece of the stream is."""

    TEXT = "text"
    COMMAND = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Text, or a command that is complete; it ends before the stream's byte `end`.

    `octets` are all of a text, and the first 64 bytes of a command without its bulk data.
    """

    sort: Sort
    octets: bytes
    end: int


class Scanner:
    """Reads one stream. `feed` raises nothing, whatever comes."""

    def __init__(self) -> None:
        self.read = 0  # bytes of the stream
        self._head = bytearray()  # of the command that is not complete
        self._steps: Steps | None = None
        self._wanted = 0  # bytes to look at before the next step
        self._seen = bytearray()  # of these
        self._skip = 0  # bytes of data to pass over
        self._to_nul = False

    @property
    def unfinished(self) -> bytes:
        """The first bytes of a command that has not come whole; empty between commands."""
        return bytes(self._head)

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The pieces that end in this data; a text ends with it at the latest."""
        at, start = 0, self.read
        self.read += len(data)
        while at < len(data):
            if self._head:
                at = self._go_on(data, at)
                if not self._is_open():
                    yield Piece(sort=Sort.COMMAND, octets=bytes(self._head), end=start + at)
                    self._head.clear()
                continue
            found = _INTRODUCER.search(data, at)
            stop = len(data) if found is None else found.start()
            if stop > at:
                yield Piece(sort=Sort.TEXT, octets=data[at:stop], end=start + stop)
            at = stop
            if found is not None:
                self._head.append(data[at])
                at += 1

    def _is_open(self) -> bool:
        """Whether the command waits for more."""
        return len(self._head) < _PREFIX_BYTES or self._steps is not None

    def _go_on(self, data: bytes, at: int) -> int:
        """Takes what the unfinished command can have of the data; where the rest begins."""
        if self._skip:
            passed = min(self._skip, len(data) - at)
            self._skip -= passed
            at += passed
        elif self._to_nul:
            nul = data.find(0, at)
            at = len(data) if nul < 0 else nul + 1
            self._to_nul = nul < 0
        elif len(self._head) < _PREFIX_BYTES:
            return self._begin(data, at)
        else:
            part = data[at : at + self._wanted - len(self._seen)]
            self._seen += part
            self._head += part[: max(0, _HEAD_BYTES - len(self._head))]
            at += len(part)
        if self._steps is not None and not self._skip and not self._to_nul:
            self._step()
        return at

    def _begin(self, data: bytes, at: int) -> int:
        """The second byte says which command it is."""
        code = data[at]
        self._head.append(code)
        self._steps = find_command(self._head[0], code)()
        self._wanted = 0
        self._step()
        return at + 1

    def _step(self) -> None:
        """Tells the command what it asked for, and learns what it wants next."""
        while self._steps is not None and len(self._seen) >= self._wanted:
            seen = bytes(self._seen)
            self._seen.clear()
            try:
                wanted = next(self._steps) if self._wanted == 0 and not seen else self._steps.send(seen)
            except StopIteration:
                self._steps, self._wanted = None, 0
                return
            match wanted:
                case Skip(count=count):
                    self._wanted, self._skip = 0, count
                    if count:
                        return
                case UntilNul():
                    self._wanted, self._to_nul = 0, True
                    return
                case _:
                    self._wanted = wanted
