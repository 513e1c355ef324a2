"""Coverage-guided fuzzing of what a printer's data goes through: nothing may raise, and the bytes go on as they came.

`make fuzz`, or `python -m tests.fuzz SECONDS`; it needs Atheris (the dependency group `fuzz`), and is no
part of `make test`: there Hypothesis draws the bytes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["merchant_agent.terminal.pos.printer"]):
    from merchant_agent.terminal.pos.printer.invitation import print_invitation
    from merchant_agent.terminal.pos.printer.jobs import understand
    from merchant_agent.terminal.pos.printer.patterns import Patterns
    from merchant_agent.terminal.pos.printer.stream import Finished, Stream
    from tests.terminal.pos.printer.papers import receipts

_SECONDS = 600
_HELD = 3  # bytes of a command that may become a cut
_MOST_MIB = 512
_ADDED = b"\x00<added>\x00"
_PATTERNS = Patterns()
_URL = "https://central.example/i/AAAA"


def main() -> None:
    """Runs as long as asked; libFuzzer prints the input where it fails, and ends with another code."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else _SECONDS
    with tempfile.TemporaryDirectory() as folder:
        for name, octets in receipts().items():
            Path(folder, name).write_bytes(b"\x00" + octets)
            Path(folder, f"{name}-slowly").write_bytes(b"\x01" + octets[:2000])
        limits = [f"-max_total_time={seconds}", "-max_len=4096", f"-rss_limit_mb={_MOST_MIB}"]
        atheris.Setup([sys.argv[0], folder, *limits], _pass_on)
        atheris.Fuzz()


def _pass_on(data: bytes) -> None:
    """One input: the first byte is how many come at once, 0 for all."""
    if len(data) < 2 or _ADDED in data:
        return
    step, octets = data[0] or len(data), data[1:]
    stream = Stream(_understand)
    out: list[bytes] = []
    for start in range(0, len(octets), step):
        out += stream.feed(octets[start : start + step])
        if start % 7 == 0:
            out.append(stream.look())
        if len(stream.held) > _HELD:
            raise AssertionError(f"{len(stream.held)} bytes are held back")
    out.append(stream.close())
    if b"".join(out).replace(_ADDED, b"") != octets:
        raise AssertionError("the printer gets other bytes")


def _understand(finished: Finished) -> bytes:
    paper = finished.paper
    understand(paper.lines, has_image=paper.has_image, patterns=_PATTERNS, own_names=("北街小馆",))
    print_invitation(_URL, paper, lang="zh", feeds=finished.feeds)
    return _ADDED


if __name__ == "__main__":
    main()
