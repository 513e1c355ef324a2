"""A POS that drops files into a folder: each is taken once, complete, and nothing old."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from merchant_agent.terminal.pos.connections import Connections
from merchant_agent.terminal.pos.folder import Folder
from merchant_agent.terminal.pos.printer.patterns import Patterns
from merchant_agent.terminal.pos.sightings import Outcome, Sighting
from merchant_agent.terminal.pos.states import StateCode
from merchant_agent.terminal.pos.ways import FolderDetails, add_way, change_way, list_ways, switch_way
from tests.terminal.collect.shop import Shop
from tests.terminal.pos.printer.papers import RECEIPTS, REFUND, receipts

SALE = json.dumps({"order": "087", "amount": "64.00"}).encode()


class Drop:
    """The shop's folder at `path`; `look` is one look of the terminal."""

    def __init__(self, shop: Shop, path: Path, *, dry_run: bool) -> None:
        self.path = path
        self.seen: list[Sighting] = []
        with shop.terminal.store.write() as writer:
            number = add_way(writer, name="files", till="till-1", details=FolderDetails(path=str(path)))
            switch_way(writer, number, dry_run=dry_run)
        self.restart(shop)

    def restart(self, shop: Shop) -> None:
        """As after a restart of the terminal."""
        with shop.terminal.store.read() as reader:
            (way,) = list_ways(reader)
        assert isinstance(way.details, FolderDetails)
        self._folder = Folder(shop.terminal, way, way.details, patterns=Patterns, show=self.seen.append)

    def write(self, name: str, octets: bytes) -> Path:
        """The POS writes a file."""
        path = self.path / name
        path.write_bytes(octets)
        return path

    def look(self, times: int = 2) -> StateCode:
        """So many looks, and how it stands then."""
        for _ in range(times):
            self._folder.look()
        return self._folder.state.code


@pytest.fixture
def drop(shop: Shop, tmp_path: Path) -> Callable[..., Drop]:
    def make(*, dry_run: bool = False, exists: bool = True) -> Drop:
        path = tmp_path / "drop"
        if exists:
            path.mkdir()
        made = Drop(shop, path, dry_run=dry_run)
        made.look()
        return made

    return make


def test_file_is_taken_once_when_it_stands_still(shop: Shop, drop: Callable[..., Drop]) -> None:
    folder = drop()
    folder.write("1.json", SALE)
    folder.look(1)
    assert shop.story() == []
    folder.look(4)
    assert shop.story() == ["prompt"]
    assert shop.shown() == "087"


def test_file_that_grows_is_left(shop: Shop, drop: Callable[..., Drop]) -> None:
    folder = drop()
    for end in range(8, len(SALE), 8):
        folder.write("1.json", SALE[:end])
        folder.look(1)
    folder.write("1.json", SALE)
    folder.look()
    assert shop.story() == ["prompt"]
    assert [seen.outcome for seen in folder.seen] == [Outcome.ASKED]


@pytest.mark.parametrize("name", ["1.json.tmp", "1.json.part", ".1.json", "1.json~"])
def test_file_is_taken_when_it_is_renamed(shop: Shop, drop: Callable[..., Drop], name: str) -> None:
    folder = drop()
    path = folder.write(name, SALE)
    folder.look(4)
    assert shop.story() == []
    path.rename(folder.path / "1.json")
    folder.look()
    assert shop.story() == ["prompt"]


def test_same_content_under_another_name_is_the_same_over_restarts_too(
    shop: Shop, drop: Callable[..., Drop]
) -> None:
    folder = drop()
    folder.write("1.json", SALE)
    folder.look()
    folder.write("2.json", SALE)
    folder.look()
    shop.restart()
    folder.restart(shop)
    folder.write("3.json", SALE)
    folder.look(4)
    assert shop.story() == ["prompt"]
    assert len(folder.seen) == 1


def test_what_lay_there_before_the_connection_is_old(
    shop: Shop, tmp_path: Path, drop: Callable[..., Drop]
) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "old.json").write_bytes(SALE)
    folder = drop(exists=False)
    shop.restart()
    folder.restart(shop)
    folder.look(4)
    assert shop.story() == []
    folder.write("new.json", SALE.replace(b"087", b"088"))
    folder.look()
    assert shop.story() == ["prompt"]


def test_share_that_vanishes_and_returns_brings_what_came_meanwhile_once(
    shop: Shop, tmp_path: Path, drop: Callable[..., Drop]
) -> None:
    folder = drop()
    folder.write("1.json", SALE)
    assert folder.look() is StateCode.CONNECTED
    away = folder.path.rename(tmp_path / "away")
    assert folder.look() is StateCode.AWAY
    (away / "2.json").write_bytes(SALE.replace(b"087", b"088"))
    away.rename(folder.path)
    assert folder.look() is StateCode.CONNECTED
    folder.look()
    assert shop.story() == ["prompt", "prompt"]


def test_share_that_is_away_at_first_is_no_empty_one(shop: Shop, drop: Callable[..., Drop]) -> None:
    folder = drop(exists=False)
    assert folder.look() is StateCode.AWAY
    folder.path.mkdir()
    folder.write("old.json", SALE)
    folder.look(4)
    assert shop.story() == []


@pytest.mark.parametrize(
    ("name", "octets", "orders"),
    [
        ("1.json", b'[{"order":"1"},{"order":"2","kind":"takeaway"}]', ["1", "2"]),
        ("1.json", b'{"sales":[{"order":"1","at":"2026-05-20T12:00:00+08:00"}]}', ["1"]),
        ("1.csv", "单号,金额,时间\n1,64.00,2026-05-20 11:59:00\n2,￥9.90,\n".encode("gb18030"), ["1", "2"]),
        ("1.csv", "\ufefforder;total\r\nA-1;1,200.00\r\n".encode(), ["A-1"]),
        ("1.csv", "Order\tAmount\n7\t5\n".encode("utf-16"), ["7"]),
        ("1.txt", RECEIPTS["restaurant"][0].encode(), ["20261123-0087"]),
        ("1.txt", RECEIPTS["supermarket"][0].encode("gb18030"), ["000123"]),
        ("1.prn", receipts()["latin"], ["2026-77"]),
    ],
)
def test_forms_of_files_are_read(
    drop: Callable[..., Drop], name: str, octets: bytes, orders: list[str]
) -> None:
    folder = drop()
    folder.write(name, octets)
    folder.look()
    assert [seen.order for seen in folder.seen] == orders
    assert {seen.outcome for seen in folder.seen} == {Outcome.ASKED}


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("1.csv", "单号,类型,金额\n1,退款,64.00\n2,,-3.00\n".encode()),
        ("1.txt", REFUND["title"].encode()),
        ("1.json", b'{"order":"1","kind":"refund"}'),
    ],
)
def test_refunds_in_files_ask_nobody(shop: Shop, drop: Callable[..., Drop], name: str, octets: bytes) -> None:
    folder = drop()
    folder.write(name, octets)
    folder.look()
    assert {seen.outcome for seen in folder.seen} == {Outcome.NO_SALE}
    assert shop.story() == []


@pytest.mark.parametrize(
    ("name", "octets", "why"),
    [
        ("1.json", b'{"order":', "file-json"),
        ("1.json", b'{"order":1}', "file-json"),
        ("1.json", b"[" * 100_000, "file-json"),
        ("1.json", b'{"order":"1","amount":"64,00"}', "amount"),
        ("1.csv", b"what,else\n1,2\n", "file-csv"),
        ("1.csv", b"order\n\xff\xff\xff\n", "file-text"),
        ("1.csv", b";;;\n;;\n", "file-csv"),
        ("1.csv", b'order\n"' + b"x" * 200_000, "file-csv"),
        ("1.txt", b" \n ", "file-empty"),
        ("1.txt", b"x" * 1_048_577, "file-large"),
    ],
)
def test_bad_files_stay_with_a_reason_and_stop_no_other(
    shop: Shop, drop: Callable[..., Drop], name: str, octets: bytes, why: str
) -> None:
    folder = drop()
    bad = folder.write(name, octets)
    folder.write("good.json", SALE)
    folder.look(4)
    assert bad.read_bytes() == octets
    assert [(seen.outcome, seen.why) for seen in folder.seen if seen.outcome is Outcome.REFUSED] == [
        (Outcome.REFUSED, why)
    ]
    assert shop.story() == ["prompt"]


def test_file_that_could_not_be_stored_is_taken_later(shop: Shop, drop: Callable[..., Drop]) -> None:
    folder = drop()
    folder.write("1.json", SALE)
    with shop.failing("INSERT ON record"):
        folder.look(3)
    assert shop.story() == []
    folder.look()
    assert shop.story() == ["prompt"]


def test_dry_run_asks_nobody_and_is_not_made_up_for(shop: Shop, drop: Callable[..., Drop]) -> None:
    folder = drop(dry_run=True)
    folder.write("1.json", SALE)
    folder.look()
    assert [seen.outcome for seen in folder.seen] == [Outcome.DRY_RUN]
    with shop.terminal.store.write() as writer:
        switch_way(writer, 1, dry_run=False)
    folder.restart(shop)
    folder.look(4)
    assert shop.story() == []


def test_link_in_a_circle_stops_no_file(shop: Shop, drop: Callable[..., Drop]) -> None:
    folder = drop()
    (folder.path / "circle.json").symlink_to(folder.path / "circle.json")
    folder.write("1.json", SALE)
    assert folder.look() is StateCode.CONNECTED
    assert shop.story() == ["prompt"]


def test_file_that_cannot_be_read_is_told_of_once_and_taken_when_it_can(
    shop: Shop, drop: Callable[..., Drop]
) -> None:
    folder = drop()
    # A plain file by its looks, whose every read fails.
    (folder.path / "1.json").symlink_to("/proc/self/mem")
    folder.write("2.json", SALE)
    folder.look(5)
    assert [(seen.outcome, seen.why, seen.lines) for seen in folder.seen] == [
        (Outcome.REFUSED, "file-unreadable", ("1.json",)),
        (Outcome.ASKED, "", ("2.json",)),
    ]
    (folder.path / "1.json").unlink()
    folder.write("1.json", SALE.replace(b"087", b"088"))
    folder.look()
    assert shop.story() == ["prompt", "prompt"]


def test_large_file_of_before_the_connection_is_not_read(tmp_path: Path, drop: Callable[..., Drop]) -> None:
    (tmp_path / "drop").mkdir()
    with (tmp_path / "drop" / "film.avi").open("wb") as file:
        file.truncate(1 << 26)
    tracemalloc.start()
    try:
        drop(exists=False)
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


def test_shops_own_name_says_nothing_of_a_receipt(shop: Shop, drop: Callable[..., Drop]) -> None:
    with shop.terminal.store.write() as writer:
        writer.rows("UPDATE epoch SET merchant = json_set(merchant, '$.shop_name', '日结小店')")
    shop.restart()
    folder = drop()
    folder.write("1.txt", "日结小店\n单号: 1\n合计: 5.00\n".encode())
    folder.look()
    assert [seen.outcome for seen in folder.seen] == [Outcome.ASKED]


def remembered(shop: Shop) -> int:
    """How many contents are remembered."""
    with shop.terminal.store.read() as reader:
        return len(reader.rows("SELECT 1 FROM pos_file"))


def test_content_that_is_gone_for_long_is_forgotten_and_what_lies_there_never(
    shop: Shop, drop: Callable[..., Drop]
) -> None:
    folder = drop()
    folder.write("stays.json", SALE)
    gone = folder.write("goes.json", SALE.replace(b"087", b"088"))
    folder.look()
    gone.unlink()
    for _ in range(3):
        shop.clock.advance(60 * 86_400)
        folder.look(3)
    assert remembered(shop) == 1
    shop.restart()
    folder.restart(shop)
    folder.look(4)
    assert shop.story() == ["prompt", "prompt"]


def test_content_is_remembered_while_the_folder_seems_empty(shop: Shop, drop: Callable[..., Drop]) -> None:
    folder = drop()
    path = folder.write("1.json", SALE)
    folder.look()
    aside = path.rename(folder.path.parent / "1.json")
    shop.clock.advance(400 * 86_400)
    folder.look(3)
    shop.restart()
    folder.restart(shop)
    folder.look(2)
    aside.rename(path)
    folder.look(4)
    assert shop.story() == ["prompt"]


def test_what_lay_in_another_folder_before_the_change_is_old(
    shop: Shop, tmp_path: Path, drop: Callable[..., Drop]
) -> None:
    folder = drop()
    folder.write("1.json", SALE)
    folder.look()
    another = tmp_path / "another"
    another.mkdir()
    (another / "old.json").write_bytes(SALE.replace(b"087", b"088"))
    with shop.terminal.store.write() as writer:
        change_way(writer, 1, name="files", till="till-1", details=FolderDetails(path=str(another)))
    folder.look()  # one that was under way
    folder.path = another
    folder.restart(shop)
    folder.look(4)
    assert shop.story() == ["prompt"]
    folder.write("new.json", SALE.replace(b"087", b"089"))
    folder.look()
    assert shop.story() == ["prompt", "prompt"]


def test_way_that_is_renamed_goes_on_where_it_was(shop: Shop, drop: Callable[..., Drop]) -> None:
    folder = drop()
    with shop.terminal.store.write() as writer:
        change_way(writer, 1, name="POS", till="till-2", details=FolderDetails(path=str(folder.path)))
    folder.write("1.json", SALE)
    folder.restart(shop)
    folder.look()
    assert shop.story() == ["prompt"]


@pytest.mark.parametrize(
    ("kind", "details"),
    [("pigeon", '{"path":"/x"}'), ("folder", "{}"), ("folder", '{"path":"x"}'), ("folder", "[1]")],
)
def test_way_that_cannot_be_read_takes_no_other_along(
    shop: Shop, connections: Connections, drop: Callable[..., Drop], kind: str, details: str
) -> None:
    drop(exists=False)
    with shop.terminal.store.write() as writer:
        add_way(writer, name="another", till="", details=FolderDetails(path="/nowhere"))
        writer.rows("UPDATE pos_way SET kind = ?, details = ? WHERE number = 1", kind, details)
        (left,) = list_ways(writer)
    connections.start()
    assert connections.state(left).code is not StateCode.OFF
