"""Batches and acknowledgements in the order of their epochs, where those of several are mixed.

Records of an epoch that is over may travel after those of the next one; whoever compares them with
records, which stand by epoch and seq, needs them in that order.

Source: PROTOCOL.md, "What a verifier does", step 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from merchant_agent.errors import FormatError
from merchant_agent.evidence.archive import Source
from merchant_agent.evidence.octets import decode_segment

# The first `epoch` of either payload is that of its records; it ends within these characters.
_START = 120
_EPOCH = re.compile(rb'"epoch":([1-9][0-9]{0,4}),')


def in_epochs(source: Source, file: str, epochs: int) -> Iterator[tuple[int, bytes]]:
    """Numbered lines, by the epoch that they state, those of one epoch in the order of the file.

    `epochs` is how many were granted: with a single one nothing can be mixed. A file in order is
    read twice, and once more for each epoch whose lines stand among those of others. Lines that
    state no epoch are left out where there are several.

    Raises:
        FormatError: the export cannot be read.
    """
    if epochs <= 1:
        yield from enumerate(source.lines(file), 1)
        return
    spans = _spans(source, file)
    lines, read = enumerate(source.lines(file), 1), 0
    for epoch in sorted(spans):
        first, last = spans[epoch]
        if first <= read:
            lines, read = enumerate(source.lines(file), 1), 0
        for number, octets in lines:
            read = number
            if number >= first and _stated(octets) == epoch:
                yield number, octets
            if number == last:
                break


def _spans(source: Source, file: str) -> dict[int, tuple[int, int]]:
    """The first and the last line of each epoch."""
    spans: dict[int, tuple[int, int]] = {}
    for number, octets in enumerate(source.lines(file), 1):
        epoch = _stated(octets)
        if epoch is not None:
            spans[epoch] = (spans.get(epoch, (number, 0))[0], number)
    return spans


def _stated(octets: bytes) -> int | None:
    _, _, payload = octets.partition(b".")
    start = payload[:_START].partition(b".")[0]
    try:
        match = _EPOCH.search(decode_segment(start))
    except FormatError:
        return None
    return None if match is None else int(match[1])
