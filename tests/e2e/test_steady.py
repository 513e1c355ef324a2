"""What stands before a customer stays there: no sale, lost poll or late news moves it from under a finger."""

from __future__ import annotations

from playwright.sync_api import APIResponse, Locator, Page, Route, expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import OpenPage
from tests.e2e.people import HOST, Tablet, Till, until

_SCREEN = "**/kiosk/api/screen*"


def _asked(demo: Running, page: Page, till: Till, order: str) -> Tablet:
    tablet = Tablet(page=page)
    tablet.pair(demo.kiosk)
    till.sell(order)
    tablet.is_asked(order)
    expect(page.locator(".calm")).to_have_count(0)
    return tablet


def _face(tablet: Tablet, level: int) -> Locator:
    return tablet.screen("ask").locator(f".faces [data-level='{level}']")


def test_sale_swaps_no_button_under_a_finger(demo: Running, open_page: OpenPage, till: Till) -> None:
    tablet = _asked(demo, open_page(), till, "F-1")
    mouse, face = tablet.page.mouse, _face(tablet, 2)
    box = face.bounding_box()
    assert box is not None
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    with tablet.page.expect_response(_SCREEN):
        till.sell("F-2")
    tablet.is_asked("F-1")
    with tablet.page.expect_response("**/kiosk/api/answers/*") as kept:
        mouse.up()
    assert kept.value.status == 200
    tablet.is_asked("F-1")
    expect(face).to_have_attribute("aria-checked", "true")
    tablet.press("done")
    tablet.thanked("rating")
    tablet.press("leave")
    tablet.is_asked("F-2")


def test_finger_that_slides_off_lets_the_next_sale_come(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = _asked(demo, open_page(), till, "F-3")
    mouse, box = tablet.page.mouse, _face(tablet, 2).bounding_box()
    assert box is not None
    mouse.move(box["x"] + 10, box["y"] + 10)
    mouse.down()
    with tablet.page.expect_response(_SCREEN):
        till.sell("F-4")
    mouse.move(5, 5)
    mouse.up()
    tablet.is_asked("F-4")
    expect(tablet.screen("ask").locator("[aria-checked=true]")).to_have_count(0)


def test_news_from_before_the_tap_replaces_nothing(demo: Running, open_page: OpenPage, till: Till) -> None:
    """The answer that tells of the next sale is overtaken by the one that the tap was kept."""
    tablet = _asked(demo, open_page(), till, "F-5")
    face = _face(tablet, 3).element_handle()
    assert face is not None
    late: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        # Playwright itself does not know the name of the shop's network.
        late.append((route, route.fetch(url=route.request.url.replace(HOST, "127.0.0.1"))))

    tablet.page.route(_SCREEN, hold, times=1)
    with tablet.page.expect_request(_SCREEN):
        tablet.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    till.sell("F-6")
    until(lambda: bool(tablet.page.evaluate("1")) and bool(late))
    with tablet.page.expect_response("**/kiosk/api/answers/*") as kept:
        tablet.tap(3)
    assert kept.value.status == 200
    route, answer = late[0]
    assert answer.json()["question"]["order"] == "F-6"
    with tablet.page.expect_response(_SCREEN):
        route.fulfill(response=answer)
    tablet.write("慢慢写")
    with tablet.page.expect_response("**/kiosk/api/answers/*"):
        tablet.screen("ask").locator("[data-field=comment]").fill("慢慢写完")
    tablet.is_asked("F-5")
    assert face.evaluate("face => face.isConnected")
    tablet.press("done")
    tablet.thanked("rating")


def test_lost_poll_swaps_no_button(demo: Running, open_page: OpenPage, till: Till) -> None:
    tablet = _asked(demo, open_page(may_lose=True), till, "F-7")
    face = _face(tablet, 4).element_handle()
    assert face is not None
    tablet.page.route(_SCREEN, lambda route: route.abort(), times=1)
    with tablet.page.expect_response(_SCREEN):
        tablet.page.evaluate("window.dispatchEvent(new Event('offline'))")
    tablet.tap(4)
    assert face.evaluate("face => face.isConnected && face.getAttribute('aria-checked') === 'true'")
    tablet.press("done")
    tablet.thanked("rating")


def test_code_for_the_phone_stays_until_it_is_scanned(demo: Running, open_page: OpenPage, till: Till) -> None:
    tablet = _asked(demo, open_page(), till, "F-8")
    with tablet.page.expect_response("**/kiosk/api/answers/*"):
        tablet.press("phone")
    assert till.sell("F-9")["prompt"]["state"] == "waiting"
    expect(tablet.screen("phone").locator("[data-slot=order]")).to_have_text("F-8")
    tablet.press("back")
    tablet.is_asked("F-8")
    tablet.press("phone")
    tablet.leave_unanswered("scanned")
    tablet.is_asked("F-9")


def test_choice_that_was_taken_back_at_once_is_declined(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = _asked(demo, open_page(), till, "F-10")
    tablet.tap(1)
    tablet.press("retake")
    with tablet.page.expect_response("**/decline") as declined:
        tablet.press("decline")
    assert declined.value.status == 200
    expect(tablet.screen("rest")).to_be_visible()
