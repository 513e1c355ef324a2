"""How long each ESC/POS command is: enough of its grammar to know where one ends and the next begins.

Each command is a generator that asks for bytes: an integer asks for so many to look at, a `Skip`
passes over so many, and `UNTIL_NUL` over everything to the next NUL. What is not known is taken
to be two bytes long: then its parameters count as text, and the worst is a stray character.

Source: Epson, ESC/POS Command Reference for TM Printers, and what Chinese printers add to it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Final

DLE: Final = 0x10
ESC: Final = 0x1B
FS: Final = 0x1C
GS: Final = 0x1D

CUT_ESC: Final = frozenset({b"\x1bi", b"\x1bm"})
CUT_GS: Final = b"\x1dV"
RESET: Final = b"\x1b@"
# Commands of Star's own language, which no ESC/POS has.
STAR: Final = frozenset({b"\x1b\x1d", b"\x1b\x1e"})

_CELL: Final = 8
_USER_FONT_BYTES: Final = 72


@dataclass(frozen=True, slots=True)
class Skip:
    """So many bytes of data that nobody has to look at."""

    count: int


class UntilNul:
    """Data that ends with the first NUL, which belongs to it."""


UNTIL_NUL: Final = UntilNul()
Wanted = int | Skip | UntilNul
Steps = Generator[Wanted, bytes, None]
Command = Callable[[], Steps]


def find_command(introducer: int, code: int) -> Command:
    """The steps of what begins with these two bytes."""
    return _COMMANDS.get((introducer, code), _fixed_0)


def is_cut(head: bytes) -> bool:
    """Whether a command with these first bytes cuts the paper."""
    return head[:2] in CUT_ESC or head[:2] == CUT_GS


def may_become_cut(head: bytes) -> bool:
    """Whether the first bytes of an unfinished command may yet be those of a cut."""
    return head in {b"\x1b", b"\x1d"} or head[:2] == CUT_GS


def _fixed(count: int) -> Steps:
    if count:
        yield count


_fixed_0: Final = partial(_fixed, 0)


def _sized() -> Steps:
    """`( fn pL pH data`, the form of all newer commands."""
    _, low, high = yield 3
    yield Skip(low | high << 8)


def _sized_4() -> Steps:
    """`8 L p1 p2 p3 p4 data`: graphics with a long length."""
    _, *size = yield 5
    yield Skip(int.from_bytes(bytes(size), "little"))


def _until_nul() -> Steps:
    yield UNTIL_NUL


def _bit_image() -> Steps:
    """`ESC * m nL nH data`: a column has 1 byte, or 3 in the 24-dot modes."""
    mode, low, high = yield 3
    columns = low | high << 8
    yield Skip(columns * 3 if mode in {32, 33} else columns)


def _user_characters() -> Steps:
    """`ESC & y c1 c2` and for each character its width and columns."""
    height, first, last = yield 3
    for _ in repeat(None, max(0, last - first + 1)):
        (width,) = yield 1
        yield Skip(height * width)


def _downloaded_image() -> Steps:
    """`GS * x y data`."""
    width, height = yield 2
    yield Skip(width * height * _CELL)


def _raster() -> Steps:
    """`GS v 0 m xL xH yL yH data`."""
    _, _, *size = yield 6
    yield Skip((size[0] | size[1] << 8) * (size[2] | size[3] << 8))


def _variable_image() -> Steps:
    """`GS Q 0 m xL xH yL yH data`: columns of y bytes."""
    yield from _raster()


def _barcode() -> Steps:
    """`GS k m data NUL`, or `GS k m n data` for m from 65 on."""
    (system,) = yield 1
    if system < ord("A"):
        yield UNTIL_NUL
        return
    (count,) = yield 1
    yield Skip(count)


def _cut() -> Steps:
    """`GS V m`, and n for the modes that feed first."""
    (mode,) = yield 1
    if mode in {65, 66, 97, 98, 103, 104}:
        yield 1


def _counter() -> Steps:
    """`GS C 0 n m`, `GS C 1 aL aH bL bH n r`, `GS C 2 nL nH`; `GS C ;` and five numbers, each with a `;`."""
    (mode,) = yield 1
    if mode == ord(";"):
        for _ in repeat(None, 5):
            while (yield 1) != b";":
                pass
        return
    yield {0: 2, ord("0"): 2, 1: 6, ord("1"): 6, 2: 2, ord("2"): 2}.get(mode, 0) or Skip(0)


def _counter_value() -> Steps:
    """`GS g 0 m nL nH` and `GS g 2 m nL nH`."""
    yield 4


def _windows_bitmap() -> Steps:
    """`GS D m fn a kc1 kc2 b c data`: a whole BMP file, whose size stands in its first 6 bytes."""
    yield 7
    start = yield 6
    size = int.from_bytes(start[2:], "little")
    yield Skip(max(0, size - len(start)))


def _stored_images() -> Steps:
    """`FS q n` and n images, each `xL xH yL yH data`."""
    (count,) = yield 1
    for _ in repeat(None, count):
        size = yield 4
        yield Skip((size[0] | size[1] << 8) * (size[2] | size[3] << 8) * _CELL)


def _user_memory() -> Steps:
    """`FS g 1 m a1 a2 a3 a4 nL nH data` writes, `FS g 2 …` only asks."""
    (kind,) = yield 1
    *_, low, high = yield 7
    if kind in {1, ord("1")}:
        yield Skip(low | high << 8)


def _user_ideograph() -> Steps:
    """`FS 2 c1 c2 data`: 24 by 24 dots."""
    yield 2
    yield Skip(_USER_FONT_BYTES)


def _status_request() -> Steps:
    """`DLE EOT n`, and a second number for n from 7 on."""
    (kind,) = yield 1
    if kind in {7, 8, 18}:
        yield 1


def _real_time() -> Steps:
    """`DLE DC4 fn …`."""
    (kind,) = yield 1
    yield {1: 2, 2: 2, 3: 5, 7: 1, 8: 7}.get(kind, 0) or Skip(0)


def _star() -> Steps:
    """`ESC GS a n` and its like; `ESC GS y` makes QR codes."""
    (code,) = yield 1
    if code != ord("y"):
        yield 1
        return
    (part,) = yield 1
    if part == ord("S"):
        yield 2
    elif part == ord("D"):
        *_, low, high = yield 4
        yield Skip(low | high << 8)


def _panel() -> Steps:
    """`ESC c 3 n` and its like."""
    yield 2


def _table(introducer: int, codes: str, command: Command) -> dict[tuple[int, int], Command]:
    return {(introducer, ord(code)): command for code in codes}


_ONE: Final = partial(_fixed, 1)
_TWO: Final = partial(_fixed, 2)

_COMMANDS: Final[Mapping[tuple[int, int], Command]] = {
    **_table(ESC, " !%-39=?CEGJKMNQRTUVadertu{", _ONE),
    **_table(ESC, "$\\Bf", _TWO),
    **_table(ESC, "p", partial(_fixed, 3)),
    **_table(ESC, "W", partial(_fixed, 8)),
    **_table(ESC, "D", _until_nul),
    **_table(ESC, "*", _bit_image),
    **_table(ESC, "&", _user_characters),
    **_table(ESC, "c", _panel),
    **_table(ESC, "(", _sized),
    **_table(GS, "!#/BEHITabfhrwjx", _ONE),
    **_table(GS, "$LPW\\", _TWO),
    **_table(GS, "^z", partial(_fixed, 3)),
    **_table(GS, "(", _sized),
    **_table(GS, "8", _sized_4),
    **_table(GS, "*", _downloaded_image),
    **_table(GS, "C", _counter),
    **_table(GS, "D", _windows_bitmap),
    **_table(GS, "Q", _variable_image),
    **_table(GS, "V", _cut),
    **_table(GS, "g", _counter_value),
    **_table(GS, "k", _barcode),
    **_table(GS, "v", _raster),
    **_table(FS, "!-CW", _ONE),
    **_table(FS, "?Sp", _TWO),
    **_table(FS, "(", _sized),
    **_table(FS, "2", _user_ideograph),
    **_table(FS, "g", _user_memory),
    **_table(FS, "q", _stored_images),
    (ESC, GS): _star,
    (ESC, 0x1E): _TWO,
    (DLE, 0x04): _status_request,
    (DLE, 0x05): _ONE,
    (DLE, 0x14): _real_time,
}
