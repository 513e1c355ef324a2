"""What else may stand on the tablet: no connection, a code for later, a countdown, an answer from elsewhere; examined.

The way from question to thanks is in `test_access`; a terminal that has ended or lost its key beside its own test.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import Page, expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import Examine, OpenPage
from tests.e2e.people import PORTRAIT, Staff, Tablet, Till, answer_first
from tests.e2e.test_sizes import dress
from tests.e2e.test_voice import DEVICE, give_voice

See = Callable[[Tablet], None]

# In the ordinary run once as most see it, once as it is most crowded.
looked_at = pytest.mark.looks("landscape-zh", "portrait-en")

_LARGE = """isLarge => {
    document.documentElement.classList.toggle("large", isLarge);
    document.querySelector("[data-do=large]").setAttribute("aria-pressed", String(isLarge));
}"""
_RENAME = """([name, longer]) => {
    const templates = [...document.querySelectorAll("template")].map(each => each.content);
    for (const part of [document, ...templates]) {
        for (const shown of part.querySelectorAll("strong, .shop-name")) shown.textContent = shown.textContent.replace(name, longer);
    }
}"""
_LONG_SHOP = "示例市示例区北街老字号手工牛肉面馆火车站东广场第二分店"
_orders = count(1)


@pytest.fixture
def see(request: pytest.FixtureRequest, examine: Examine, size: tuple[int, int]) -> See:
    """Examines what stands on the tablet, in normal and in large type without touching it."""
    types = (False, True) if request.config.getoption("--shots") else (size == PORTRAIT,)

    def see_both(tablet: Tablet) -> None:
        expect(tablet.page.locator(".calm")).to_have_count(0)
        for large in types:
            tablet.page.evaluate(_LARGE, large)
            examine(tablet.page)
        tablet.page.evaluate(_LARGE, arg=False)

    return see_both


def _paired(demo: Running, page: Page, lang: str) -> Tablet:
    tablet = Tablet(page=page)
    tablet.pair(demo.kiosk)
    dress(tablet, lang, large=False)
    return tablet


def _ask(tablet: Tablet, till: Till, lang: str, order: str | None = None) -> str:
    order = order or f"ST-{next(_orders)}"
    till.sell(order, amount="64.00")
    tablet.is_asked(order)
    dress(tablet, lang, large=False)
    return order


@looked_at
def test_without_a_connection(
    demo: Running, open_page: OpenPage, till: Till, *, see: See, size: tuple[int, int], lang: str
) -> None:
    page = open_page(size, may_lose=True)
    page.clock.install()
    tablet = _paired(demo, page, lang)
    _ask(tablet, till, lang)
    with page.expect_response("**/kiosk/api/answers/*"):
        tablet.tap(2)
    page.context.set_offline(offline=True)
    strip = page.locator("#strip")
    expect(strip).to_be_visible(timeout=15_000)
    see(tablet)
    tablet.press("done")
    expect(tablet.screen("saving")).to_be_visible()
    see(tablet)
    page.clock.fast_forward(5_000)
    expect(tablet.screen("thanks-rating")).to_have_attribute("data-kept", "")
    see(tablet)
    tablet.press("complain")
    expect(strip).to_be_visible()
    see(tablet)
    tablet.screen("complain-what").locator("[data-category]").first.click()
    for press in ("next", "next", "next"):
        tablet.press(press)
    tablet.screen("complain-first").locator("[data-first=shop]").click()
    expect(tablet.screen("saving")).to_be_visible()
    page.clock.fast_forward(5_000)
    expect(tablet.screen("thanks-complaint")).to_have_attribute("data-kept", "")
    see(tablet)
    tablet.press("leave")
    expect(tablet.screen("unconnected")).to_be_visible()
    dress(tablet, lang, large=False)
    see(tablet)
    page.context.set_offline(offline=False)
    page.clock.fast_forward(10_000)
    expect(tablet.screen("rest")).to_be_visible(timeout=15_000)


@looked_at
def test_what_closes_by_itself(
    demo: Running, open_page: OpenPage, till: Till, *, see: See, size: tuple[int, int], lang: str
) -> None:
    page = open_page(size)
    page.clock.install()
    tablet = _paired(demo, page, lang)
    _ask(tablet, till, lang)
    with page.expect_response("**/kiosk/api/answers/*"):
        tablet.tap(4)
    strip = page.locator("#strip")
    page.clock.fast_forward(12_000)
    expect(strip).to_be_visible()
    see(tablet)
    tablet.press("complain")
    expect(tablet.screen("complain-what")).to_be_visible()
    page.clock.fast_forward(60_000)
    expect(strip).to_be_visible()
    see(tablet)
    tablet.press("stay")
    tablet.press("cancel")


@looked_at
def test_thanks_for_a_suggestion_and_for_a_complaint_to_the_shop(
    demo: Running, open_page: OpenPage, *, see: See, size: tuple[int, int], lang: str
) -> None:
    tablet = _paired(demo, open_page(size), lang)
    tablet.press("suggest")
    tablet.screen("suggest").locator("[data-field=comment]").fill("门口放一把伞架吧")
    tablet.press("send")
    tablet.thanked("suggestion")
    see(tablet)
    tablet.press("complain")
    tablet.screen("complain-what").locator("[data-category]").first.click()
    tablet.press("next")
    tablet.press("next")
    tablet.hand_in("shop")
    tablet.thanked("complaint")
    see(tablet)
    tablet.press("leave")
    dress(tablet, lang, large=False)
    tablet.press("complain")
    tablet.press("phone")
    see(tablet)
    tablet.press("scanned")


@looked_at
def test_asked_at_another_tablet_too(
    demo: Running, open_page: OpenPage, till: Till, *, see: See, size: tuple[int, int], lang: str
) -> None:
    first, second = _paired(demo, open_page(), "zh"), _paired(demo, open_page(size, may_lose=True), lang)
    order = _ask(second, till, lang)
    first.is_asked(order)
    answer_first(first, second)
    see(second)
    first.press("done")
    first.thanked("rating")


@looked_at
@pytest.mark.parametrize(("status", "code"), [(507, "store-full"), (409, "prompt-over")])
def test_not_saved(
    demo: Running,
    open_page: OpenPage,
    till: Till,
    *,
    see: See,
    size: tuple[int, int],
    lang: str,
    status: int,
    code: str,
) -> None:
    tablet = _paired(demo, open_page(size, may_lose=True), lang)
    _ask(tablet, till, lang)
    problem = json.dumps({"type": "about:blank", "title": "", "status": status, "code": code, "detail": ""})
    tablet.page.route(
        "**/kiosk/api/answers/*",
        lambda route: route.fulfill(status=status, content_type="application/problem+json", body=problem),
    )
    tablet.tap(2)
    expect(tablet.screen("unsaved")).to_be_visible()
    see(tablet)
    tablet.press("leave")


@looked_at
def test_not_paired_any_more(
    demo: Running, open_page: OpenPage, *, see: See, size: tuple[int, int], lang: str
) -> None:
    tablet = _paired(demo, open_page(size, may_lose=True), lang)
    tablet.page.context.clear_cookies()
    tablet.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(tablet.screen("unpaired")).to_be_visible()
    see(tablet)


@looked_at
def test_words_that_came_too_late(
    demo: Running, open_page: OpenPage, till: Till, *, see: See, size: tuple[int, int], lang: str
) -> None:
    page = open_page(size, may_lose=True)
    tablet = _paired(demo, page, lang)
    _ask(tablet, till, lang)
    with page.expect_response("**/kiosk/api/answers/*") as kept:
        tablet.tap(4)
    page.route("**/kiosk/api/answers/*", lambda route: route.abort())
    with page.expect_request("**/kiosk/api/answers/*"):
        tablet.write("最后才写的话")
    sent = json.loads(kept.value.request.post_data or "") | {"ended": "idle", "dwell_ms": 1}
    page.evaluate(
        """([path, body]) => fetch(path, {method: "POST", body: JSON.stringify(body),
            headers: {"Content-Type": "application/json"}}).then(answer => answer.status)""",
        [f"{kept.value.url}/done", sent],
    )
    tablet.thanked("rating")
    expect(tablet.screen("thanks-rating").locator(".late")).to_be_visible()
    see(tablet)
    tablet.press("leave")


@looked_at
def test_read_aloud(
    demo: Running, open_page: OpenPage, till: Till, *, see: See, size: tuple[int, int], lang: str
) -> None:
    page = open_page(size)
    give_voice(page, DEVICE)
    tablet = _paired(demo, page, lang)
    _ask(tablet, till, lang)
    page.evaluate("window.isSlow = true")
    tablet.press("read")
    expect(page.locator("[data-do=read]")).to_have_attribute("aria-pressed", "true")
    see(tablet)
    tablet.leave_unanswered()


@looked_at
def test_long_names_and_numbers(
    demo: Running, open_page: OpenPage, till: Till, *, see: See, size: tuple[int, int], lang: str
) -> None:
    page = open_page(size)

    tablet = _paired(demo, page, lang)
    page.evaluate(_RENAME, ["北街面馆", _LONG_SHOP])
    see(tablet)
    order = f"MT20261124-{lang}-{size[0]}-0123456789-0123456789-0123456789-ABCDEFGH"[:64]
    _ask(tablet, till, lang, order)
    see(tablet)
    with page.expect_response("**/kiosk/api/answers/*"):
        tablet.tap(5)
    see(tablet)
    tablet.press("complain")
    tablet.screen("complain-what").locator("[data-category]").first.click()
    tablet.press("next")
    tablet.press("next")
    see(tablet)
    tablet.press("cancel")
    tablet.press("discard")


@looked_at
def test_a_sale_that_staff_typed_in(
    demo: Running, open_page: OpenPage, *, see: See, size: tuple[int, int], lang: str
) -> None:
    tablet, staff = _paired(demo, open_page(size), lang), Staff(page=open_page())
    staff.sign_in(f"{demo.terminal.url}/counter", demo.state.pin)
    order = f"ST-{next(_orders)}"
    staff.reports(order)
    tablet.is_asked(order)
    dress(tablet, lang, large=False)
    see(tablet)
    tablet.leave_unanswered()
    expect(tablet.screen("rest")).to_be_visible()
