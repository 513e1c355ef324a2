"""Whoever walks away leaves nothing: not on the page, in storage, in the history or in a field."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import OpenPage
from tests.e2e.people import Tablet, Till

_RATING_S, _COMPLAINT_S = 20, 75


def _paired(demo: Running, page: Page) -> Tablet:
    page.clock.install()
    tablet = Tablet(page=page)
    tablet.pair(demo.kiosk)
    return tablet


def _left(page: Page) -> str:
    """All that the next one could find."""
    return str(
        page.evaluate("""async () => JSON.stringify([
            document.documentElement.outerHTML, location.href, document.title, document.cookie,
            [...document.querySelectorAll("input, textarea, select")].map(field => field.value),
            Object.entries(localStorage), Object.entries(sessionStorage), history.state,
            (await indexedDB.databases()).map(each => each.name), window.name,
        ])""")
    )


def test_rating_that_is_left_is_kept_and_nothing_of_it_stays(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet, words = _paired(demo, open_page()), "走开前写的话"
    till.sell("R-1")
    tablet.is_asked("R-1")
    tablet.speak("en")
    tablet.press("large")
    entries = tablet.page.evaluate("history.length")
    tablet.tap(2)
    tablet.write(words)
    strip = tablet.page.locator("#strip")
    # Large type and words have twice the time.
    tablet.page.clock.fast_forward((2 * _RATING_S - 12) * 1000)
    expect(strip).to_be_hidden()
    tablet.page.clock.fast_forward(5_000)
    expect(strip).to_be_visible()
    with tablet.page.expect_response("**/done") as kept:
        tablet.page.clock.fast_forward(20_000)
    assert kept.value.status == 201
    expect(tablet.screen("rest")).to_be_visible()
    assert words not in _left(tablet.page)
    assert tablet.page.evaluate("history.length") == entries
    assert tablet.page.locator("html").get_attribute("lang") == "zh-CN"
    expect(tablet.page.locator("html.large")).to_have_count(0)


def test_complaint_that_is_left_is_gone_with_its_number(demo: Running, open_page: OpenPage) -> None:
    tablet = _paired(demo, open_page())
    tablet.press("complain")
    tablet.screen("complain-what").locator("[data-category]").first.click()
    tablet.press("next")
    tablet.press("next")
    tablet.screen("complain-words").locator("[data-field=comment]").fill("走开前的投诉")
    tablet.press("number")
    tablet.screen("complain-contact").locator("[data-field=contact]").fill("13900001111")
    tablet.page.clock.fast_forward((_COMPLAINT_S - 10) * 1000)
    tablet.press("stay")
    tablet.page.clock.fast_forward((_COMPLAINT_S - 10) * 1000)
    expect(tablet.screen("complain-contact").locator("[data-field=contact]")).to_have_value("13900001111")
    tablet.page.clock.fast_forward(15_000)
    expect(tablet.screen("rest")).to_be_visible()
    left = _left(tablet.page)
    assert "走开前的投诉" not in left
    assert "13900001111" not in left
    tablet.press("complain")
    tablet.screen("complain-what").locator("[data-category]").first.click()
    tablet.press("next")
    tablet.press("next")
    expect(tablet.screen("complain-words").locator("[data-field=comment]")).to_have_value("")
    tablet.press("number")
    expect(tablet.screen("complain-contact").locator("[data-field=contact]")).to_have_value("")


def test_whoever_looks_for_a_phone_keeps_the_code_on_the_screen(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = _paired(demo, open_page())
    till.sell("R-4")
    tablet.is_asked("R-4")
    tablet.tap(4)
    tablet.press("done")
    code = tablet.thanked("rating")
    for _ in range(3):
        tablet.page.clock.fast_forward(10_000)
        tablet.press("stay")
        expect(tablet.screen("thanks-rating").locator("[data-slot=left]")).to_have_text("15")
    assert tablet.thanked("rating") == code
    tablet.page.clock.fast_forward(16_000)
    expect(tablet.screen("rest")).to_be_visible()


def test_way_back_of_the_browser_leads_to_nothing_that_was_said(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = Tablet(page=open_page())
    tablet.pair(demo.kiosk)
    till.sell("R-2")
    tablet.is_asked("R-2")
    tablet.tap(4)
    tablet.write("退回去也看不到")
    tablet.press("done")
    tablet.thanked("rating")
    tablet.press("leave")
    expect(tablet.screen("rest")).to_be_visible()
    tablet.page.go_back()
    assert "退回去也看不到" not in tablet.page.content()
    tablet.page.go_forward()
    expect(tablet.screen("rest")).to_be_visible()
    assert "退回去也看不到" not in _left(tablet.page)


def test_no_field_is_remembered_by_the_browser(demo: Running, open_page: OpenPage) -> None:
    tablet = Tablet(page=open_page())
    tablet.pair(demo.kiosk)
    fields = tablet.page.evaluate("""() => [...document.querySelectorAll("template")]
        .flatMap(each => [...each.content.querySelectorAll("input, textarea")])
        .map(field => [field.autocomplete, field.name, field.form === null])""")
    assert fields
    assert all(field == ["off", "", True] for field in fields)


def test_whole_way_by_keyboard_alone_and_by_names(demo: Running, open_page: OpenPage, till: Till) -> None:
    tablet = Tablet(page=open_page())
    tablet.pair(demo.kiosk)
    till.sell("R-3")
    tablet.is_asked("R-3")
    page, keyboard = tablet.page, tablet.page.keyboard
    expect(tablet.screen("ask").locator("h1")).to_be_focused()
    group = page.get_by_role("radiogroup", name="这次消费，您满意吗？")
    keyboard.press("Tab")
    expect(group.get_by_role("radio", name="非常满意", exact=True)).to_be_focused()
    for _ in range(3):
        keyboard.press("ArrowRight")
    expect(group.get_by_role("radio", name="不满意", exact=True)).to_be_focused()
    keyboard.press("Space")
    keyboard.press("Tab")
    expect(page.get_by_role("button", name="味道好")).to_be_focused()
    keyboard.press("Enter")
    expect(page.get_by_role("button", name="味道好", pressed=True)).to_be_focused()
    done = page.get_by_role("button", name="完成")
    for _ in range(40):
        if done.evaluate("button => button === document.activeElement"):
            break
        keyboard.press("Tab")
    keyboard.press("Enter")
    tablet.thanked("rating")
    expect(tablet.screen("thanks-rating").locator("h1")).to_be_focused()
    tablet.press("leave")
