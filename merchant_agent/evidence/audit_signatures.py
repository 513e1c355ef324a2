"""Opening the lines of an export, their signatures checked by several threads where that is asked for.

The library checks a signature without holding the interpreter's lock, so that two threads
on two cores check twice as many.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from merchant_agent.errors import VerificationError
from merchant_agent.evidence.jws import Jws, Typ, decode_jws, verify_jws
from merchant_agent.evidence.keys import VerifyingKey

_CHUNK_LINES = 128

FindKey = Callable[[Jws], VerifyingKey | None]


@dataclass(slots=True)
class Opened:
    """A line, its JWS unless it is none, and what is wrong with its form or its signature."""

    octets: bytes
    jws: Jws | None
    error: VerificationError | None


def open_lines(lines: Iterable[bytes], find_key: FindKey, threads: int) -> Iterator[Opened]:
    """The lines in their order; without a key for it a signature is left out.

    With 0 threads no signature is checked, with 1 the caller's own checks them.
    """
    if threads == 0:
        yield from map(_open, lines)
    elif threads == 1:
        for octets in lines:
            opened = _open(octets)
            _check([opened], find_key)
            yield opened
    else:
        yield from _open_ahead(lines, find_key, threads)


def _open_ahead(lines: Iterable[bytes], find_key: FindKey, threads: int) -> Iterator[Opened]:
    """Keeps a few chunks under way, so that memory stays flat."""
    lines = iter(lines)
    with ThreadPoolExecutor(threads, "signatures") as pool:
        under_way: deque[Future[list[Opened]]] = deque()
        while chunk := [_open(octets) for octets in islice(lines, _CHUNK_LINES)]:
            under_way.append(pool.submit(_check, chunk, find_key))
            if len(under_way) > threads:
                yield from under_way.popleft().result()
        while under_way:
            yield from under_way.popleft().result()


def _open(octets: bytes) -> Opened:
    try:
        return Opened(octets, decode_jws(octets, Typ.RECORD), None)
    except VerificationError as error:
        return Opened(octets, None, error)


def _check(chunk: list[Opened], find_key: FindKey) -> list[Opened]:
    for opened in chunk:
        key = None if opened.jws is None else find_key(opened.jws)
        if opened.jws is not None and key is not None:
            try:
                verify_jws(opened.jws, key)
            except VerificationError as error:
                opened.error = error
    return chunk
