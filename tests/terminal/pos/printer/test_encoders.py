"""Receipts as public encoders of ESC/POS make them, and one in another language.

`samples` were made with @point-of-sale/receipt-printer-encoder 3 (rpe), node-thermal-printer 4 (ntp),
escpos 3 for Node (escpos) and python-escpos 3.1 (py).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from merchant_agent.terminal.pos.printer.paper import Paper
from merchant_agent.terminal.pos.printer.scanner import Scanner
from tests.terminal.pos.printer.papers import read
from tests.terminal.pos.printer.test_stream import QR, relayed

SAMPLES = Path(__file__).with_name("samples")


@pytest.mark.parametrize(
    ("name", "order", "total", "behind"),
    [
        ("rpe-epson-tm-t88vi-auto", "2026-118", "6.70", b"\x1dV\x00\n\r"),
        ("ntp-EPSON-CHINA", "N-431", "12.70", b"\x1dV\x00\x1b@"),
        ("ntp-CUSTOM-UTF_8", "N-431", "12.70", b"\x1bi\x1b@"),
        ("escpos-gb", "7781", "12.00", b"\x1dV\x00"),
        ("escpos-utf8", "7781", "12.00", b"\x1dV\x00"),
        ("py-b", "9921", "5.50", b"\x1dV\x00\x1bp\x0022\x1bB\x02\x04"),
        ("py-soft", "33", "3.00", b"\x1dVB\x00"),
        ("py-nocut", "41", "3.00", b""),
    ],
)
def test_receipts_of_other_encoders_are_read_and_get_their_code_before_the_cut(
    name: str, order: str, total: str, behind: bytes
) -> None:
    octets = (SAMPLES / f"{name}.bin").read_bytes()
    job = read(octets)
    assert (job.order, job.total and str(job.total.amount)) == (order, total)
    whole = relayed([octets])
    assert whole == octets.removesuffix(behind) + QR + behind
    assert relayed(octets[at : at + 1] for at in range(len(octets))) == whole
    for at in range(len(octets)):
        assert relayed([octets[:at], octets[at:]]) == whole


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1bt\x02Jordb\x91r 4,50", "Jordbær 4,50"),
        (b"\x1bt\x02\x1c&" + "镕记 4.50".encode("gb18030"), "镕记 4.50"),
        (b"\x1bt\x00" + "合计 4.50".encode("gb18030"), "合计 4.50"),
        ("镕记 4.50".encode("gb18030"), "镕记 4.50"),
        ("镕记 4.50".encode(), "镕记 4.50"),
    ],
)
def test_letters_with_accents_are_no_rare_chinese(octets: bytes, text: str) -> None:
    paper = Paper()
    for piece in Scanner().feed(octets):
        paper.take(piece)
    assert paper.lines == (text,)


def test_nothing_is_added_to_a_job_in_the_language_of_star() -> None:
    octets = (SAMPLES / "ntp-STAR-PC437_USA.bin").read_bytes()
    assert relayed([octets]) == octets
    assert relayed(octets[at : at + 1] for at in range(len(octets))) == octets
    job = read(octets)
    assert (job.order, job.total and str(job.total.amount)) == ("N-431", "12.70")
