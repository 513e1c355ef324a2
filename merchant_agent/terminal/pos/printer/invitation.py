"""The invitation as a receipt printer prints it: a caption and a QR code, leaving every setting as it was.

Source: Epson, ESC/POS Command Reference, `GS ( k` functions 165, 167, 169, 180 and 181.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from merchant_agent.terminal.pos.printer.commands import RESET
from merchant_agent.terminal.pos.printer.paper import Paper

CAPTIONS: Final[Mapping[str, str]] = {
    "zh": "评价、投诉请扫此码（不是开发票）",
    "en": "Scan to rate or complain (no invoice)",
}

_TEST_TITLES: Final[Mapping[str, str]] = {
    "zh": "打印测试：看到这一行，打印机就接好了",
    "en": "Test print: the printer is connected",
}
_TEST_CODE: Final = "merchant-agent"
_CUT: Final = b"\x1dV\x00"

_CODE_MODEL_2: Final = b"\x1d(k\x04\x001A2\x00"
_CODE_LEVEL_M: Final = b"\x1d(k\x03\x001E1"
_CODE_PRINT: Final = b"\x1d(k\x03\x001Q0"
# Version 10 has 57 modules: at 5 dots a module it is 36 mm wide on a head of 8 dots a millimetre.
_MODULE_DOTS: Final = 5
_CENTRED: Final = b"\x1ba\x01"
_FEED_TO_CUTTER: Final = b"\x1bd\x05"

# What the caption needs, by setting: plain, small, upright, black on white, over the whole width.
_PLAIN: Final[Mapping[bytes, bytes]] = {
    b"\x1b!": b"\x1b!\x00",
    b"\x1b-": b"\x1b-\x00",
    b"\x1bE": b"\x1bE\x00",
    b"\x1bG": b"\x1bG\x00",
    b"\x1bV": b"\x1bV\x00",
    b"\x1b{": b"\x1b{\x00",
    b"\x1b ": b"\x1b \x00",
    b"\x1b2": b"\x1b2",
    b"\x1d!": b"\x1d!\x00",
    b"\x1dB": b"\x1dB\x00",
    b"\x1dL": b"\x1dL\x00\x00",
    b"\x1c!": b"\x1c!\x00",
    b"\x1c-": b"\x1c-\x00",
    b"\x1cW": b"\x1cW\x00",
    b"\x1cS": b"\x1cS\x00\x00",
}
_ALIGNMENT: Final = b"\x1ba"
_LEFT: Final = b"\x1ba\x00"
_CHINESE: Final = b"\x1c&"


def print_invitation(url: str, paper: Paper, *, lang: str, feeds: bool) -> bytes:
    """The octets that print the invitation below what is on the paper, and set back what they change.

    A setting that the paper does not know of is as after a reset. With `feeds` the paper is moved to
    the cutter, for cuts that do not do so themselves.
    """
    states = paper.states
    touched = [name for name in _PLAIN if name in states]
    parts = [] if paper.is_at_line_start else [b"\n"]
    parts += [_PLAIN[name] for name in touched]
    parts += [_CENTRED, _caption(lang), _code(url), b"\n"]
    if feeds:
        parts.append(_FEED_TO_CUTTER)
    parts += [states[name] for name in touched]
    parts.append(states.get(_ALIGNMENT, _LEFT))
    if lang == "zh" and _CHINESE in states:
        parts.append(states[_CHINESE])
    return b"".join(parts)


def print_test(at: datetime, *, lang: str) -> bytes:
    """A page that says what it is and when it was printed, with a code, and cuts."""
    title = _TEST_TITLES[lang].encode("gb18030")
    lines = b"\n".join((title, f"{at:%Y-%m-%d %H:%M:%S}".encode(), b""))
    return b"".join((RESET, _CHINESE, _CENTRED, lines, _code(_TEST_CODE), b"\n", _FEED_TO_CUTTER, _CUT))


def _caption(lang: str) -> bytes:
    text = CAPTIONS[lang].encode("gb18030") + b"\n"
    return _CHINESE + text if lang == "zh" else text


def _code(url: str) -> bytes:
    data = url.encode("ascii")
    size = len(data) + 3
    return b"".join(
        (
            _CODE_MODEL_2,
            b"\x1d(k\x03\x001C" + bytes([_MODULE_DOTS]),
            _CODE_LEVEL_M,
            b"\x1d(k" + bytes([size & 0xFF, size >> 8]) + b"1P0" + data,
            _CODE_PRINT,
        )
    )
