"""The slip on paper, asked for on the tablet: with a printer that prints, and with one that is off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Page, Route, expect

from merchant_agent.demo.running import Running, running_demo
from tests.e2e.conftest import Examine, OpenPage
from tests.e2e.people import Tablet, Till, until
from tests.terminal.pos.printer.machines import Printer


@pytest.fixture(scope="module")
def printer() -> Iterator[Printer]:
    printer = Printer()
    yield printer
    with suppress(OSError):
        printer.close()


@pytest.fixture(scope="module")
def shop(printer: Printer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A demo whose terminal has that printer."""
    folder = tmp_path_factory.mktemp("printing")
    (folder / "terminal.toml").write_text(f'slip_printer = "{printer.address}"\n')
    with running_demo(folder, terminal_port=0, central_port=0, tablets=0) as running:
        yield running


def _thanked(shop: Running, page: Page, order: str, lang: str) -> Tablet:
    """A tablet whose customer has just rated that order."""
    tablet = Tablet(page=page)
    tablet.pair(shop.kiosk)
    Till(demo=shop).sell(order)
    tablet.is_asked(order)
    tablet.speak("en" if lang == "en" else "zh")
    tablet.tap(4)
    tablet.press("done")
    tablet.thanked("rating")
    return tablet


@pytest.mark.looks("landscape-zh", "portrait-en")
def test_a_slip_is_printed_once_and_the_tablet_says_so(
    shop: Running,
    printer: Printer,
    open_page: OpenPage,
    examine: Examine,
    *,
    size: tuple[int, int],
    lang: str,
) -> None:
    tablet = _thanked(shop, open_page(size), f"P-{lang}-{size[0]}", lang)
    code = tablet.thanked("rating")
    examine(tablet.page)
    printed = len(printer.jobs)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    tablet.page.route("**/kiosk/api/prints", hold)
    tablet.press("print")
    expect(tablet.page.locator("[data-do=print]")).to_be_disabled()
    expect(tablet.screen("thanks-rating").locator("[data-when=printing]")).to_be_visible()
    examine(tablet.page)
    until(lambda: bool(tablet.page.evaluate("1")) and bool(held))
    held[0].continue_()
    expect(tablet.screen("thanks-rating").locator("[data-when=printed]")).to_be_visible()
    expect(tablet.page.locator("[data-do=print]")).to_be_hidden()
    examine(tablet.page)
    until(lambda: len(printer.jobs) > printed)
    (paper,) = printer.jobs[printed:]
    assert code.encode() in paper


def test_without_a_printer_there_is_no_button(demo: Running, open_page: OpenPage) -> None:
    tablet = _thanked(demo, open_page(), "P-none", "zh")
    expect(tablet.page.locator("[data-do=print]")).to_be_hidden()


@pytest.mark.looks("landscape-zh", "portrait-en")
def test_printer_that_is_off_is_told_in_plain_words(
    shop: Running,
    printer: Printer,
    open_page: OpenPage,
    examine: Examine,
    *,
    size: tuple[int, int],
    lang: str,
) -> None:
    tablet = _thanked(shop, open_page(size), f"P-off-{lang}-{size[0]}", lang)
    with suppress(OSError):
        printer.close()
    tablet.press("print")
    said = tablet.screen("thanks-rating").locator("[data-printed]")
    expect(said).to_contain_text("打印机没有回应" if lang == "zh" else "The printer does not answer")
    expect(tablet.page.locator("[data-do=print]")).to_be_enabled()
    examine(tablet.page)
