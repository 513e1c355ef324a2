"""A customer's slip as a receipt printer prints it. Imported only where one prints: it needs the extra `print`.

It says less than the tablet: no level, no words and no claim, since paper is left lying about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from escpos.printer import Dummy

_CHINESE: Final = b"\x1c&"
_MODULE_DOTS: Final = 5
_FEED_LINES: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipWords:
    """What stands on the paper, in one language; `code` is the query code, `url` what the picture says."""

    shop: str
    title: str
    code_label: str
    code: str
    url: str
    advice: tuple[str, ...]


def print_slip(words: SlipWords) -> bytes:
    """The octets of a paper of its own, from a reset to the cut, for a head of 8 dots a millimetre."""
    paper: Any = _Paper()
    paper.hw("INIT")
    paper.set(align="center", bold=True, normal_textsize=True)
    paper.say(words.shop)
    paper.say(words.title)
    paper.set(align="center", bold=False)
    paper.say(words.code_label)
    paper.set(align="center", bold=True, double_width=True, double_height=True)
    paper.say(words.code)
    paper.set(align="center", bold=False, normal_textsize=True)
    paper.qr(words.url, native=True, size=_MODULE_DOTS)
    paper.ln(_FEED_LINES)
    paper.set(align="left")
    for line in words.advice:
        paper.say(line)
    paper.cut()
    return bytes(paper.output)


class _Paper(Dummy):  # type: ignore[misc]  # it has no types
    """Writes Chinese as printers in China read it, which the library has no code page for."""

    def say(self, text: str) -> None:
        self._raw(_CHINESE + text.encode("gb18030") + b"\n")
