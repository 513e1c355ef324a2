"""axe-core finds nothing on any page that people use, in either language and either way up."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import Examine, OpenPage
from tests.e2e.people import Officer, Staff, Tablet, Till, at_shop
from tests.e2e.test_sizes import dress, walk

_both_ways = pytest.mark.looks("landscape-zh", "portrait-en")
_wide_and_narrow = pytest.mark.looks("landscape-zh", "narrow-en")


@_both_ways
def test_every_screen_of_the_tablet(
    demo: Running, open_page: OpenPage, examine: Examine, *, till: Till, size: tuple[int, int], lang: str
) -> None:
    tablet = Tablet(page=open_page(size))
    tablet.pair(demo.kiosk)
    tablet.speak("zh" if lang == "zh" else "en")
    examine(tablet.page)
    order = f"A-{lang}-{size[0]}"
    till.sell(order, amount="64.00")
    tablet.is_asked(order)
    tablet.speak("zh" if lang == "zh" else "en")
    examine(tablet.page)
    tablet.tap(2)
    examine(tablet.page)
    for press in ("aspects", "comment", "large"):
        tablet.press(press)
        examine(tablet.page)
    tablet.press("large")
    tablet.press("done")
    tablet.thanked("rating")
    examine(tablet.page)
    tablet.press("suggest")
    examine(tablet.page)
    tablet.press("complain")
    examine(tablet.page)
    tablet.press("more")
    tablet.screen("complain-what").locator("[data-category]").first.click()
    tablet.press("next")
    examine(tablet.page)
    tablet.screen("complain-want").locator("[data-remedy]").first.click()
    tablet.press("next")
    examine(tablet.page)
    tablet.press("number")
    examine(tablet.page)
    tablet.press("back")
    tablet.press("next")
    examine(tablet.page)
    tablet.screen("complain-first").locator("[data-first=shop]").click()
    tablet.thanked("complaint")
    examine(tablet.page)


@pytest.mark.looks("landscape-zh", "landscape-en", "portrait-zh", "portrait-en", "narrow-zh", "narrow-en")
def test_every_screen_of_the_tablet_in_large_type(
    demo: Running, open_page: OpenPage, examine: Examine, *, till: Till, size: tuple[int, int], lang: str
) -> None:
    tablet = Tablet(page=open_page(size))
    tablet.pair(demo.kiosk)
    dress(tablet, lang, large=True)
    examine(tablet.page)
    order = f"L-{lang}-{size[0]}"
    till.sell(order, amount="64.00")
    tablet.is_asked(order)
    dress(tablet, lang, large=True)
    walk(tablet, examine)


@_both_ways
def test_phone_screen_of_the_tablet(
    demo: Running, open_page: OpenPage, examine: Examine, *, till: Till, size: tuple[int, int], lang: str
) -> None:
    tablet = Tablet(page=open_page(size))
    tablet.pair(demo.kiosk)
    order = f"P-{lang}-{size[0]}"
    till.sell(order)
    tablet.is_asked(order)
    tablet.speak("zh" if lang == "zh" else "en")
    tablet.press("phone")
    expect(tablet.screen("phone").locator("[data-qr] svg")).to_be_visible()
    examine(tablet.page)
    tablet.leave_unanswered("scanned")


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


@_wide_and_narrow
@pytest.mark.parametrize("path", ["/", "/check", "/merchants", "/m/{merchant}", "/officer/sign-in"])
def test_public_pages(
    demo: Running, open_page: OpenPage, examine: Examine, *, path: str, size: tuple[int, int], lang: str
) -> None:
    page = open_page(size)
    page.goto(at_shop(demo.central.url) + path.format(merchant=demo.merchant) + f"?lang={lang}")
    examine(page)


@_wide_and_narrow
def test_pages_of_officers(
    demo: Running, open_page: OpenPage, examine: Examine, size: tuple[int, int], lang: str
) -> None:
    officer = Officer(page=open_page(size), demo=demo)
    officer.page.goto(at_shop(f"{demo.central.url}/officer/sign-in?lang={lang}"))
    officer.sign_in("officer", demo.state.officer)
    for path in (
        *("", "/complaints", "/ratings", "/suggestions", "/import"),
        *("/merchants/new", f"/merchants/{demo.merchant}", f"/merchants/{demo.merchant}/edit"),
    ):
        officer.page.goto(at_shop(f"{demo.central.url}/officer{path}"))
        examine(officer.page)
    officer.page.goto(at_shop(f"{demo.central.url}/officer/merchants/{demo.merchant}"))
    officer.page.locator("form[action$='/sheet'] button").click()
    examine(officer.page)
