"""axe-core finds nothing on any page that people use, in either language and either way up."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import Examine, OpenPage
from tests.e2e.people import Staff, Tablet, Till, at_shop
from tests.e2e.test_sizes import dress, walk

_both_ways = pytest.mark.looks("landscape-zh", "portrait-en")
_wide_and_narrow = pytest.mark.looks("landscape-zh", "narrow-en")


@_both_ways
@pytest.mark.parametrize("large", [False, True], ids=["normal", "large"])
def test_every_screen_of_the_tablet(
    demo: Running,
    open_page: OpenPage,
    examine: Examine,
    *,
    till: Till,
    size: tuple[int, int],
    lang: str,
    large: bool,
) -> None:
    tablet = Tablet(page=open_page(size))
    tablet.pair(demo.kiosk)
    dress(tablet, lang, large=large)
    examine(tablet.page)
    order = f"A-{lang}-{size[0]}-{large:d}"
    till.sell(order, amount="64.00")
    tablet.is_asked(order)
    dress(tablet, lang, large=large)
    walk(tablet, examine)


@_wide_and_narrow
def test_pages_of_the_counter_and_the_manager(
    demo: Running, open_page: OpenPage, examine: Examine, size: tuple[int, int], lang: str
) -> None:
    staff, manager = Staff(page=open_page(size)), Staff(page=open_page(size))
    staff.page.goto(at_shop(f"{demo.terminal.url}/counter?lang={lang}"))
    examine(staff.page)
    staff.sign_in(f"{demo.terminal.url}/counter", demo.state.pin)
    examine(staff.page)
    staff.page.locator("form[action$='/counter/links'] button").click()
    expect(staff.page.locator("svg").first).to_be_visible()
    examine(staff.page)
    manager.page.goto(at_shop(f"{demo.terminal.url}/manager?lang={lang}"))
    manager.sign_in(f"{demo.terminal.url}/manager", demo.state.manager)
    examine(manager.page)
