"""What a stream of ESC/POS puts on paper, as lines of text, and in which state it leaves the printer.

Text is GB18030 unless the job says otherwise: `FS .` leaves it for the code page of `ESC t`, and a
line that is no GB18030 is in the code page too; Chinese in UTF-8 is taken for what it is. Nothing here raises, whatever a job holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from merchant_agent.terminal.pos.printer.commands import RESET, STAR
from merchant_agent.terminal.pos.printer.scanner import Piece, Sort

# Of `ESC t`. Source: Epson's table of character code tables; 254 and 255 are as makers like.
CODE_PAGES: Final[Mapping[int, str]] = {
    0: "cp437",
    2: "cp850",
    3: "cp860",
    4: "cp863",
    5: "cp865",
    11: "cp850",
    12: "cp857",
    13: "cp737",
    14: "iso8859_7",
    15: "iso8859_2",
    16: "cp1252",
    17: "cp866",
    18: "cp852",
    19: "cp858",
    33: "cp775",
    34: "cp855",
    36: "cp862",
    37: "cp864",
    38: "cp869",
    39: "iso8859_15",
    45: "cp1250",
    46: "cp1251",
    47: "cp1253",
    48: "cp1254",
    49: "cp1255",
    50: "cp1256",
    51: "cp1257",
    52: "cp1258",
}

_MOST_TEXT_BYTES: Final = 65_536
_BLANK: Final = 0x20
_CHINESE_TEXT: Final = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_PAGE_MODE, _STANDARD_MODE = b"\x1bL", b"\x1bS"
_CHINESE_ON, _CHINESE_OFF = b"\x1c&", b"\x1c."
_CODE_PAGE: Final = b"\x1bt"
_MOVES: Final = frozenset({b"\x1b$", b"\x1b\\"})
_FEEDS: Final = frozenset({b"\x1bd", b"\x1bJ", b"\x1be", b"\x1bK"})
_IMAGES: Final = frozenset({b"\x1b*", b"\x1d*", b"\x1d/", b"\x1d8", b"\x1dQ", b"\x1dv", b"\x1cp", b"\x1dD"})
_GRAPHICS: Final = b"\x1d(L"
# Settings that stay until they are changed, by the command that changes them.
STATES: Final = frozenset(
    {
        b"\x1b!",
        b"\x1b-",
        b"\x1bE",
        b"\x1bG",
        b"\x1bM",
        b"\x1bR",
        b"\x1bV",
        b"\x1ba",
        b"\x1bt",
        b"\x1b{",
        b"\x1b2",
        b"\x1b3",
        b"\x1b ",
        b"\x1d!",
        b"\x1dB",
        b"\x1dL",
        b"\x1dW",
        b"\x1c!",
        b"\x1c-",
        b"\x1cS",
        b"\x1cW",
        b"\x1c&",
        b"\x1c.",
    }
)
_SAME: Final[Mapping[bytes, bytes]] = {b"\x1b3": b"\x1b2", b"\x1c.": b"\x1c&"}


class Paper:
    """One piece of paper, up to its cut. `chinese` and `code_page` are how the printer reads text at its start."""

    def __init__(self, *, chinese: bool | None = None, code_page: str = "cp437") -> None:
        self.has_image = False
        self.in_page_mode = False
        self.is_foreign = False  # in another language than ESC/POS: nothing may be added
        self.states: dict[bytes, bytes] = {}  # the newest command of each setting
        self._chinese = chinese  # None: nobody said, so both are tried
        self._code_page = code_page
        self._lines: list[str] = []
        self._line: list[str] = []
        self._octets = bytearray()
        self._left = _MOST_TEXT_BYTES
        self._has_text = False

    def take(self, piece: Piece) -> None:
        """Puts text on the paper, or does what a command says."""
        if piece.sort is Sort.TEXT:
            self._write(piece.octets)
        else:
            self._obey(piece.octets)

    def next(self) -> Paper:
        """The paper after a cut: empty, with the printer's settings as they are."""
        paper = Paper(chinese=self._chinese, code_page=self._code_page)
        paper.in_page_mode, paper.states = self.in_page_mode, dict(self.states)
        paper.is_foreign = self.is_foreign
        return paper

    @property
    def is_at_line_start(self) -> bool:
        """Whether what is printed next begins a line."""
        return not self._octets and not self._line

    @property
    def is_empty(self) -> bool:
        """Whether nothing that people see was put on it."""
        return not self.has_image and not self._has_text

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines in full, without white space at their ends; empty ones are left out.

        Full-width digits, letters and signs are as the half-width ones.
        """
        # What is not decoded yet stays so: the rest of its last character may be on its way.
        rest = self._decode(bytes(self._octets)) if self._octets else ""
        lines = [*self._lines, "".join([*self._line, rest])]
        return tuple(line for line in map(_plain, lines) if line)

    def _write(self, octets: bytes) -> None:
        taken = octets[: self._left]
        self._left -= len(taken)
        self._has_text = self._has_text or any(octet > _BLANK for octet in taken)
        for part in taken.replace(b"\r", b"\n").splitlines(keepends=True):
            self._octets += part.rstrip(b"\n")
            if part.endswith(b"\n"):
                self._end_line()

    def _obey(self, command: bytes) -> None:
        name = command[:2]
        if name in STAR:
            self.is_foreign = True
        elif name in _FEEDS:
            self._end_line()
        elif name in _MOVES:
            self._write(b"\t")
        elif name in _IMAGES or command[:3] == _GRAPHICS:
            self.has_image = True
        elif name == RESET:
            self._flush()
            self.states.clear()
            self._chinese, self._code_page, self.in_page_mode = None, "cp437", False
        elif name in {_PAGE_MODE, _STANDARD_MODE}:
            self.in_page_mode = name == _PAGE_MODE
        elif name in STATES:
            self._set(name, command)

    def _set(self, name: bytes, command: bytes) -> None:
        self.states[_SAME.get(name, name)] = command
        if name in {_CHINESE_ON, _CHINESE_OFF}:
            self._flush()
            self._chinese = name == _CHINESE_ON
        elif name == _CODE_PAGE:
            self._flush()
            self._code_page = CODE_PAGES.get(command[2], "cp437")

    def _end_line(self) -> None:
        self._flush()
        if self._line:
            self._lines.append("".join(self._line))
            self._line.clear()

    def _flush(self) -> None:
        """Reads what was written in one encoding."""
        octets = bytes(self._octets)
        self._octets.clear()
        if octets:
            self._line.append(self._decode(octets))

    def _decode(self, octets: bytes) -> str:
        if not octets.isascii() and (text := _utf_8(octets)):
            return text
        if self._chinese is not False:
            try:
                text = octets.decode("gb18030")
            except UnicodeDecodeError:
                if self._chinese:
                    return octets.decode("gb18030", "replace")
            else:
                # Where a code page was chosen, an accented letter and the next one look like a rare character.
                if self._chinese or _CODE_PAGE not in self.states or _is_common(text):
                    return text
        return octets.decode(self._code_page, "replace")


def _is_common(text: str) -> bool:
    """Whether it holds no Chinese but that of GB 2312, which is what tills print."""
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _utf_8(octets: bytes) -> str:
    """Chinese in UTF-8, as newer printers take it; empty for anything else."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return ""
    return text if _CHINESE_TEXT.search(text) else ""


def _plain(line: str) -> str:
    """As people read it: compatibility forms folded, control characters gone, columns a blank apart at least."""
    folded = unicodedata.normalize("NFKC", line.replace("\t", " "))
    if folded.isprintable():
        return folded.strip()
    return "".join(
        char for char in folded if char == " " or not unicodedata.category(char).startswith("C")
    ).strip()
