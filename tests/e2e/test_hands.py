"""Hands that shake, press long, slide or pinch, on a screen that is touched: one tap is meant, and one counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Event

import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page, expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import PHONE
from tests.e2e.people import LANDSCAPE, Tablet, Till

_Place = tuple[float, float]


class _Finger:
    """One finger on the glass."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session: CDPSession = page.context.new_cdp_session(page)

    def press(self, *way: _Place, for_s: float = 0.0) -> None:
        """Puts it down, waits, slides along the way and lifts it."""
        self._touch("touchStart", way[:1])
        Event().wait(for_s)
        for place in way[1:]:
            self._touch("touchMove", [place])
        self._touch("touchEnd", [])

    def _touch(self, kind: str, places: Sequence[_Place]) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@pytest.fixture
def touched(browser: Browser, demo: Running, request: pytest.FixtureRequest) -> Iterator[Tablet]:
    """A tablet whose glass is touched; of a phone's size where the test asks for that."""
    width, height = getattr(request, "param", LANDSCAPE)
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="zh-CN", has_touch=True, is_mobile=True
    )
    context.set_default_timeout(10_000)
    tablet = Tablet(page=context.new_page())
    tablet.pair(demo.kiosk)
    yield tablet
    context.close()


def _middle(target: Locator, *, right: float = 0, below: float = 0) -> _Place:
    expect(target.page.locator(".calm")).to_have_count(0)
    box = target.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2 + right, box["y"] + box["height"] / 2 + below


def _wait(page: Page, ms: int) -> None:
    """As long as a browser may take for what it makes of a touch."""
    page.evaluate("ms => new Promise(done => setTimeout(done, ms))", ms)


def _asked(tablet: Tablet, till: Till, order: str) -> Locator:
    """The faces of the question about that order."""
    till.sell(order)
    tablet.is_asked(order)
    return tablet.screen("ask").locator(".faces .face")


def test_a_tap_that_slides_within_its_face_counts(touched: Tablet, till: Till) -> None:
    face = _asked(touched, till, "H-1").nth(3)
    _Finger(touched.page).press(_middle(face), _middle(face, right=25, below=15), _middle(face, right=50))
    expect(face).to_have_attribute("aria-checked", "true")
    touched.press("done")
    touched.thanked("rating")


def test_a_finger_that_slides_across_chooses_nothing_and_goes_nowhere(touched: Tablet, till: Till) -> None:
    faces = _asked(touched, till, "H-2")
    start, end = _middle(faces.nth(0)), _middle(faces.nth(1))
    _Finger(touched.page).press(start, ((start[0] + end[0]) / 2, start[1]), end)
    _wait(touched.page, 500)
    expect(faces.and_(touched.page.locator("[aria-checked=true]"))).to_have_count(0)
    touched.leave_unanswered()


def test_a_long_press_counts_once(touched: Tablet, till: Till) -> None:
    _asked(touched, till, "H-3").nth(1).tap()
    chip = touched.screen("ask").locator(".chip").first
    _Finger(touched.page).press(_middle(chip), for_s=0.9)
    expect(chip).to_have_attribute("aria-pressed", "true")
    _wait(touched.page, 120)
    expect(chip).to_have_attribute("aria-pressed", "true")
    touched.press("done")
    touched.thanked("rating")


def test_a_double_tap_takes_nothing_back(touched: Tablet, till: Till) -> None:
    finger = _Finger(touched.page)
    _asked(touched, till, "H-4").nth(2).tap()
    ask = touched.screen("ask")
    for target in (ask.locator(".chip").first, ask.locator("[data-do=aspects]")):
        place = _middle(target)
        finger.press(place)
        finger.press(place)
        expect(target).to_have_attribute("aria-pressed", "true")
    place = _middle(touched.page.locator("[data-do=large]"))
    finger.press(place)
    finger.press(place)
    expect(touched.page.locator("html.large")).to_have_count(1)
    touched.press("done")
    touched.thanked("rating")


def test_the_same_is_taken_back_by_a_second_tap_that_is_meant(touched: Tablet, till: Till) -> None:
    _asked(touched, till, "H-5").nth(2).tap()
    chip = touched.screen("ask").locator(".chip").first
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    touched.pause()
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "false")
    touched.press("done")
    touched.thanked("rating")


def test_digits_are_typed_as_fast_as_anybody_can(touched: Tablet) -> None:
    touched.press("complain")
    touched.screen("complain-what").locator("[data-category]").first.click()
    touched.press("next")
    touched.press("next")
    words, finger = touched.screen("complain-words"), _Finger(touched.page)
    place = _middle(words.locator("[data-key='8']"))
    for _ in range(3):
        finger.press(place)
    expect(words.locator("[data-field=amount]")).to_have_value("888")


@pytest.mark.parametrize("touched", [PHONE], indirect=True)
def test_whoever_scrolls_a_long_page_chooses_nothing(touched: Tablet, till: Till) -> None:
    faces, finger = _asked(touched, till, "H-6"), _Finger(touched.page)
    touched.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    low = faces.nth(3)
    # The page is at its end: the finger pulls, and nothing moves.
    finger.press(_middle(low, below=20), _middle(low), _middle(low, below=-20))
    _wait(touched.page, 120)
    expect(touched.screen("ask").locator("[aria-checked=true]")).to_have_count(0)
    touched.leave_unanswered()


def test_nobody_inherits_the_zoom_of_whoever_came_before(touched: Tablet) -> None:
    page = touched.page
    touched.press("suggest")
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setPageScaleFactor", {"pageScaleFactor": 2})
    page.wait_for_function("visualViewport.scale === 2")
    page.locator("[data-do=cancel]").evaluate("button => button.click()")
    expect(touched.screen("rest")).to_be_visible()
    page.wait_for_function("visualViewport.scale === 1")
    expect(page.locator("meta[name=viewport]")).not_to_have_attribute("content", "maximum-scale")


def test_a_keyboard_on_the_screen_covers_no_button(touched: Tablet) -> None:
    """Browsers that know the word leave the page the room that is left."""
    content = touched.page.locator("meta[name=viewport]").get_attribute("content") or ""
    assert "interactive-widget=resizes-content" in content.split(", ")
