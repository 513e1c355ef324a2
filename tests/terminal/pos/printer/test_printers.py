"""A tapped printer in a shop: receipts that come over real sockets become prompts and carry their code."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from merchant_agent.domain.sales import SaleKind
from merchant_agent.terminal.pos.connections import Connections, source_of
from merchant_agent.terminal.pos.printer.patterns import JobKind
from merchant_agent.terminal.pos.sightings import Outcome, Sighting
from merchant_agent.terminal.pos.states import StateCode
from merchant_agent.terminal.pos.ways import PrinterDetails, add_way, list_ways, switch_way
from tests.terminal.collect.shop import CENTRAL, TILL, Shop
from tests.terminal.pos.printer.machines import Printer, print_job, until
from tests.terminal.pos.printer.papers import CUT, NO_SALES, START, job, receipts
from tests.terminal.pos.printer.test_stream import decoded

RECEIPT = job("小店\n单号: 087\n合计: 64.00\n微信 64.00")
IMAGE = START + b"\x1dv0\x00\x04\x00\x02\x00" + b"\x1dV\x00\x1bi\x1bm\x00" + CUT


@pytest.fixture
def printer() -> Iterator[Printer]:
    made = Printer()
    yield made
    made.close()


class Tapped:
    """One printer of the shop, set up by its manager."""

    def __init__(
        self, shop: Shop, connections: Connections, printer: Printer, *, dry_run: bool, images: bool
    ) -> None:
        details = PrinterDetails(address=printer.address, port=0, images=images)
        with shop.terminal.store.write() as writer:
            self.number = add_way(writer, name="前台", till=TILL, details=details)
            switch_way(writer, self.number, dry_run=dry_run)
        connections.start()
        self._connections = connections
        self._printer = printer

    def print(self, octets: bytes) -> bytes:
        """A POS prints a job; what the printer got of it."""
        before = len(self._printer.jobs)
        print_job(self._connections.printer(self.number).relay, octets)
        until(lambda: len(self._printer.jobs) > before)
        return self._printer.jobs[-1]

    def seen(self) -> list[Sighting]:
        """What the manager's page shows, oldest first."""
        return list(reversed(self._connections.sightings.of(source_of(self.number))))


@pytest.fixture
def tap(shop: Shop, connections: Connections, printer: Printer) -> Callable[..., Tapped]:
    def make(*, dry_run: bool = False, images: bool = False) -> Tapped:
        return Tapped(shop, connections, printer, dry_run=dry_run, images=images)

    return make


def test_receipt_makes_a_prompt_and_carries_its_code(shop: Shop, tap: Callable[..., Tapped]) -> None:
    tapped = tap()
    got = tapped.print(RECEIPT)
    added = got[len(RECEIPT) - len(CUT) : -len(CUT)]
    assert got == RECEIPT[: -len(CUT)] + added + CUT
    assert decoded(added).startswith(f"{CENTRAL}/i/")
    assert "评价、投诉请扫此码（不是开发票）".encode("gb18030") in added
    assert shop.story() == ["prompt"]
    assert shop.shown() == "087"
    (seen,) = tapped.seen()
    assert (seen.outcome, seen.kind, seen.order, seen.amount) == (
        Outcome.ASKED,
        "receipt",
        "087",
        "64.00 CNY",
    )


def test_copies_of_a_receipt_make_one_prompt_and_the_first_alone_has_the_code(
    shop: Shop, tap: Callable[..., Tapped]
) -> None:
    tapped = tap()
    assert tapped.print(RECEIPT) != RECEIPT
    assert tapped.print(RECEIPT) == RECEIPT
    assert shop.story() == ["prompt"]
    assert [seen.outcome for seen in tapped.seen()] == [Outcome.ASKED, Outcome.KNOWN]


def test_copies_in_one_job_have_one_code(shop: Shop, tap: Callable[..., Tapped]) -> None:
    got = tap().print(RECEIPT + RECEIPT)
    assert got.count(b"\x1d(k\x03\x001Q0") == 1
    assert shop.story() == ["prompt"]


def test_sale_that_came_over_http_first_has_its_code_on_the_first_paper(
    shop: Shop, tap: Callable[..., Tapped]
) -> None:
    shop.sell("087", amount="64.00", kind=SaleKind.COUNTER)
    tapped = tap()
    assert tapped.print(RECEIPT) != RECEIPT
    assert tapped.print(RECEIPT) == RECEIPT
    assert shop.story() == ["prompt"]


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, papers in NO_SALES.items() for name in papers]
)
def test_what_is_no_customers_receipt_asks_nobody(
    shop: Shop, tap: Callable[..., Tapped], kind: JobKind, name: str
) -> None:
    tapped = tap()
    octets = job(NO_SALES[kind][name])
    assert tapped.print(octets) == octets
    assert shop.story() == []
    (seen,) = tapped.seen()
    assert (seen.outcome, seen.kind) == (Outcome.NO_SALE, kind)
    assert seen.why


def test_receipt_without_a_number_gets_one_that_its_text_decides(
    shop: Shop, tap: Callable[..., Tapped]
) -> None:
    tapped = tap()
    for text in (
        "小店\n面  12.00\n合计: 12.00",
        "小店\n面  12.00\n合计: 12.00",
        "小店\n饭  9.00\n合计: 9.00",
    ):
        tapped.print(job(text))
    orders = [seen.order for seen in tapped.seen()]
    assert orders[0] == orders[1] != orders[2]
    assert all(order.startswith("R-") for order in orders)
    assert shop.story() == ["prompt", "prompt"]


def test_image_is_a_sale_once_the_manager_said_so(shop: Shop, tap: Callable[..., Tapped]) -> None:
    tapped = tap(images=True)
    assert tapped.print(IMAGE).count(b"\x1d(k\x03\x001Q0") == 1
    assert tapped.print(IMAGE) == IMAGE
    assert shop.story() == ["prompt"]


def test_image_is_no_sale_before(shop: Shop, tap: Callable[..., Tapped]) -> None:
    tapped = tap()
    assert tapped.print(IMAGE) == IMAGE
    assert shop.story() == []
    assert tapped.seen()[0].kind == "image"


def test_dry_run_shows_what_it_would_do_and_changes_nothing(shop: Shop, tap: Callable[..., Tapped]) -> None:
    tapped = tap(dry_run=True)
    for octets in receipts().values():
        assert tapped.print(octets) == octets
    assert shop.story() == []
    assert {seen.outcome for seen in tapped.seen()} == {Outcome.DRY_RUN}


def test_another_amount_for_the_same_number_is_told_and_carries_no_code(tap: Callable[..., Tapped]) -> None:
    tapped = tap()
    tapped.print(RECEIPT)
    other = job("小店\n单号: 087\n合计: 46.00")
    assert tapped.print(other) == other
    assert (tapped.seen()[-1].outcome, tapped.seen()[-1].why) == (Outcome.REFUSED, "order-amount")


def test_on_hold_the_sale_is_kept_and_the_paper_goes_on_as_it_came(
    shop: Shop, tap: Callable[..., Tapped]
) -> None:
    tapped = tap()
    shop.terminal.journal.put_on_hold("frozen", "test")
    assert tapped.print(RECEIPT) == RECEIPT
    assert tapped.seen()[0].outcome is Outcome.ASKED
    assert shop.shown() == "087"


def test_database_that_fails_costs_the_code_and_nothing_else(shop: Shop, tap: Callable[..., Tapped]) -> None:
    tapped = tap()
    with shop.failing("INSERT ON record"):
        assert tapped.print(RECEIPT) == RECEIPT
    assert tapped.seen()[0].outcome is Outcome.REFUSED
    assert tapped.seen()[0].why.startswith("store")
    assert tapped.print(RECEIPT) != RECEIPT


def test_last_twenty_papers_are_remembered_and_none_is_written_down(
    shop: Shop, tap: Callable[..., Tapped]
) -> None:
    tapped = tap(dry_run=True)
    for number in range(25):
        tapped.print(job(f"小店\n单号: {number}\n秘密 {number}\n合计: 1.00"))
    assert len(tapped.seen()) == 20
    assert "秘密 24" in tapped.seen()[-1].lines
    for path in shop.settings.data.rglob("*"):
        assert not path.is_file() or "秘密".encode() not in path.read_bytes()


def test_printer_is_changed_without_a_restart(
    shop: Shop, connections: Connections, tap: Callable[..., Tapped]
) -> None:
    tapped = tap()
    port = connections.printer(tapped.number).relay.port
    with shop.terminal.store.write() as writer:
        switch_way(writer, tapped.number, enabled=False)
    connections.apply()
    with shop.terminal.store.read() as reader:
        (way,) = list_ways(reader)
    assert connections.state(way).code is StateCode.OFF
    with shop.terminal.store.write() as writer:
        switch_way(writer, tapped.number, enabled=True)
        again = PrinterDetails(address="tcp://127.0.0.1:1", port=port)
        other = add_way(writer, name="后厨", till="", details=again)
    connections.apply()
    with shop.terminal.store.read() as reader:
        ways = list_ways(reader)
    assert connections.state(ways[0]).code is StateCode.CONNECTED
    assert connections.check(ways[1]).code is StateCode.UNREACHABLE
    assert other == ways[1].number


def test_port_that_is_taken_is_a_state_and_no_end(
    shop: Shop, connections: Connections, tap: Callable[..., Tapped]
) -> None:
    tapped = tap()
    port = connections.printer(tapped.number).relay.port
    with shop.terminal.store.write() as writer:
        add_way(writer, name="again", till="", details=PrinterDetails(address="tcp://printer", port=port))
    connections.apply()
    with shop.terminal.store.read() as reader:
        ways = list_ways(reader)
    assert connections.state(ways[1]).code is StateCode.PORT_TAKEN


def test_test_page_reaches_the_printer_with_its_code(
    connections: Connections, printer: Printer, tap: Callable[..., Tapped]
) -> None:
    connections.printer(tap().number).print_test()
    until(lambda: len(printer.jobs) == 1)
    assert "打印测试".encode("gb18030") in printer.jobs[0]
    assert decoded(printer.jobs[0]) == "merchant-agent"
