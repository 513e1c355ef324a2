"""What reaches the printer: what the POS sent, and nothing else but the invitation before a cut."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterable
from itertools import pairwise

import pytest
import segno
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from merchant_agent.terminal.pos.printer.invitation import print_invitation
from merchant_agent.terminal.pos.printer.paper import Paper
from merchant_agent.terminal.pos.printer.scanner import Piece, Scanner, Sort
from merchant_agent.terminal.pos.printer.stream import Finished, Stream
from tests.terminal.pos.printer.papers import job, receipts

QR = b"<QR>"
URL = "https://12315.example.gov.cn/i/" + "A" * 123


def test_receipts_come_out_as_they_went_in_however_they_are_cut() -> None:
    for name, octets in receipts().items():
        whole = relayed([octets])
        assert whole.count(QR) == 1, name
        assert whole.replace(QR, b"") == octets, name
        assert relayed(octets[at : at + 1] for at in range(len(octets))) == whole, name
        for at in range(len(octets)):
            assert relayed([octets[:at], octets[at:]]) == whole, (name, at)


def test_invitation_stands_before_the_cut_or_at_the_end() -> None:
    found = {name: relayed([octets]).partition(QR)[2] for name, octets in receipts().items()}
    assert found["latin"] == b"\x1dV\x01\n\r"
    assert found["logo"] == b"\x1bi\x1bp\x00\x32\xfa"
    assert found.get("minimart-no-cut", b"") == b""


def test_cut_bytes_inside_other_data_are_no_cut() -> None:
    for data in (
        b"\x1dv0\x00\x04\x00\x01\x00\x1dV\x00\x00",
        b"\x1b*\x21\x02\x00\x1dV\x00\x1bi\x00",
        b"\x1d8L\x05\x00\x00\x000p\x1dV\x00",
        b"\x1d(L\x05\x000p\x1dV\x00",
        b"\x1dkI\x03\x1dV\x00",
        b"\x1b&\x01\x30\x31\x03\x1dV\x00\x02\x1bi",
        b"\x1cq\x01\x01\x00\x01\x00\x1dV\x00\x1dV\x00\x1bi",
        b"\x1d*\x01\x01\x1dV\x00\x1dV\x00\x1bi",
    ):
        assert relayed([b"A\n" + data]) == b"A\n" + data + QR


def test_every_customers_paper_of_a_job_is_asked_about_once() -> None:
    two = job("小店\n单号: 1\n合计: 5.00") + job("小店\n单号: 2\n合计: 6.00")
    papers: list[tuple[str, ...]] = []

    def adds(finished: Finished) -> bytes:
        papers.append(finished.paper.lines)
        return b""

    stream = Stream(adds)
    assert b"".join(stream.feed(two)) + stream.close() == two
    assert [lines[1] for lines in papers] == ["单号: 1", "单号: 2"]


def test_what_stands_before_the_cut_goes_on_before_anybody_is_asked() -> None:
    octets = job("小店\n单号: 1\n合计: 5.00")
    gone: list[bytes] = []

    def adds(_finished: Finished) -> bytes:
        assert b"".join(gone) == octets[:-4]
        return QR

    gone.extend(Stream(adds).feed(octets))
    assert b"".join(gone) == octets[:-4] + QR + octets[-4:]


def test_what_did_not_go_on_when_reading_fails_is_held() -> None:
    octets = job("小店\n单号: 1\n合计: 5.00")

    def fails(_finished: Finished) -> bytes:
        raise RuntimeError("a defect")

    stream = Stream(fails)
    parts = stream.feed(octets)
    gone = next(parts)
    with pytest.raises(RuntimeError):
        next(parts)
    assert gone + stream.held == octets


def test_nothing_goes_into_page_mode() -> None:
    octets = b"\x1b@\x1bLA\n\x1dV\x00"
    assert relayed([octets]) == octets


def test_settings_are_as_they_were_after_the_invitation() -> None:
    octets = b"\x1b@\x1b!\x30\x1ba\x02\x1dB\x01\x1c.A\n\x1dV\x00"
    added: list[bytes] = []

    def adds(finished: Finished) -> bytes:
        added.append(print_invitation(URL, finished.paper, lang="zh", feeds=finished.feeds))
        return added[0]

    stream = Stream(adds)
    list(stream.feed(octets))
    for setting in (b"\x1b!\x30", b"\x1ba\x02", b"\x1dB\x01", b"\x1c."):
        assert added[0].rindex(setting) > added[0].index(b"\x1d(k")
    assert b"\x1bd\x05" in added[0]


def test_code_on_the_paper_leads_to_the_invitation() -> None:
    for lang in ("zh", "en"):
        added: list[bytes] = []

        def adds(finished: Finished, lang: str = lang, added: list[bytes] = added) -> bytes:
            added.append(print_invitation(URL, finished.paper, lang=lang, feeds=False))
            return b""

        list(Stream(adds).feed(job("小店\n单号: 1\n合计: 5.00")))
        assert decoded(added[0]) == URL


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
def test_whatever_comes_goes_on(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    parts = [data[start:stop] for start, stop in pairwise(edges)]
    assert relayed(parts, added=b"") == data


COMMANDS = st.sampled_from(
    [
        b"\x1b@",
        b"\x1dV\x00",
        b"\x1dVA\x03",
        b"\x1bi",
        b"\x1b*",
        b"\x1d(k",
        b"\x1dv0",
        b"\x1b&",
        b"\x1cq",
        b"\x10\x04",
    ]
)


@given(
    st.lists(
        st.one_of(
            COMMANDS,
            st.binary(max_size=12),
            st.text(max_size=6).map(lambda text: text.encode("gb18030", "ignore")),
        ),
        max_size=40,
    )
)
def test_whatever_looks_like_commands_goes_on(parts: list[bytes]) -> None:
    data = b"".join(parts)
    assert relayed([data], added=b"") == data
    assert relayed(parts).replace(QR, b"") == data.replace(QR, b"")


def test_scanner_keeps_no_bulk_data() -> None:
    scanner = Scanner()
    list(scanner.feed(b"\x1d8L\xff\xff\xff\x7f0p"))
    for _ in range(64):
        list(scanner.feed(b"\x1dV\x00" * 20_000))
    assert len(scanner.unfinished) < 100
    assert not [piece for piece in scanner.feed(b"A") if piece.sort is Sort.TEXT]


def relayed(parts: Iterable[bytes], *, added: bytes = QR) -> bytes:
    """What a printer gets of these writes."""
    stream = Stream(lambda _: added)
    return b"".join(b"".join(stream.feed(part)) for part in parts) + stream.close()


def decoded(octets: bytes) -> str:
    """What a phone reads of the code that a printer makes of these commands."""
    stored = b""
    for piece in Scanner().feed(octets):
        if piece.octets[:3] == b"\x1d(k":
            at = octets.index(b"1P0") + 3
            size = int.from_bytes(octets[at - 5 : at - 3], "little") - 3
            stored = octets[at : at + size]
    image = io.BytesIO()
    segno.make_qr(stored, error="m", boost_error=False).save(image, kind="png", scale=5)
    image.seek(0)
    return zxingcpp.read_barcodes(Image.open(image))[0].text


@pytest.mark.parametrize("octets", [b"\x1bd\x01", b"\x1b$\x00\x00"])
def test_paper_that_is_moved_without_an_end_stays_small_in_memory(octets: bytes) -> None:
    paper, piece = Paper(), Piece(sort=Sort.COMMAND, octets=octets, end=0)
    tracemalloc.start()
    try:
        for _ in range(200_000):
            paper.take(piece)
        assert tracemalloc.get_traced_memory()[0] < 1 << 17
    finally:
        tracemalloc.stop()
