"""The shop's Wi-Fi goes, the tablet sleeps, an answer is lost on the way: nothing is lost, nothing counts twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, Route, expect

from merchant_agent.demo.processes import stop_all
from merchant_agent.demo.running import Running
from tests.e2e.conftest import OpenPage
from tests.e2e.people import HOST, Officer, Tablet, Till, health, until


@contextmanager
def _without_wifi(page: Page) -> Iterator[None]:
    page.context.set_offline(offline=True)
    try:
        yield
    finally:
        page.context.set_offline(offline=False)


@contextmanager
def _asleep(page: Page) -> Iterator[None]:
    """The page is frozen as a tablet freezes it that goes to sleep: no timer, no answer, no tap."""
    session = page.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    try:
        yield
    finally:
        session.send("Page.setWebLifecycleState", {"state": "active"})


def _asked(demo: Running, page: Page, till: Till, order: str) -> Tablet:
    tablet = Tablet(page=page)
    tablet.pair(demo.kiosk)
    till.sell(order)
    tablet.is_asked(order)
    return tablet


def _arrived_once(demo: Running, open_page: OpenPage, comment: str) -> None:
    until(lambda: health(demo)["waiting"] == 0)
    officer = Officer(page=open_page(), demo=demo)
    officer.sign_in("officer", demo.state.officer)
    expect(officer.reads("ratings").filter(has_text=comment)).to_have_count(1)


def test_rating_given_without_wifi_arrives_once_when_it_is_back(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet, comment = _asked(demo, open_page(may_lose=True), till, "W-1"), "断网时说的话"
    tablet.tap(2)
    with _without_wifi(tablet.page):
        tablet.write(comment)
        tablet.press("done")
        kept = tablet.screen("thanks-rating")
        expect(kept).to_have_attribute("data-kept", "", timeout=15_000)
        expect(kept.locator("h1")).to_contain_text("恢复连接后会送出")
    tablet.thanked("rating")
    _arrived_once(demo, open_page, comment)


def test_rating_whose_answer_is_lost_is_sent_again_and_counts_once(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet, comment = _asked(demo, open_page(may_lose=True), till, "W-2"), "答复在路上丢了"
    tablet.tap(4)
    tablet.write(comment)

    def lose(route: Route) -> None:
        # Playwright itself does not know the name of the shop's network.
        headers = route.request.headers | {"origin": demo.terminal.url}
        sent = route.fetch(url=route.request.url.replace(HOST, "127.0.0.1"), headers=headers)
        assert sent.status == 201
        route.abort()

    tablet.page.route("**/done", lose, times=1)
    tablet.press("done")
    tablet.thanked("rating")
    _arrived_once(demo, open_page, comment)


def test_tablet_that_slept_through_a_restart_and_a_sale_wakes_to_the_question(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    page = open_page(may_lose=True)
    tablet = Tablet(page=page)
    tablet.pair(demo.kiosk)
    with _asleep(page):
        stop_all([demo.terminal])
        demo.terminal.start()
        till.sell("W-3")
    tablet.is_asked("W-3")
    tablet.leave_unanswered()


def test_rating_begun_before_the_tablet_slept_is_ended_after_it_once(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    page, comment = open_page(may_lose=True), "睡前点的，醒后说完"
    tablet = _asked(demo, page, till, "W-4")
    with page.expect_response("**/kiosk/api/answers/*"):
        tablet.tap(3)
    with _asleep(page):
        stop_all([demo.terminal])
        demo.terminal.start()
    tablet.write(comment)
    tablet.press("done")
    tablet.thanked("rating")
    _arrived_once(demo, open_page, comment)


def test_without_wifi_the_resting_tablet_says_so_and_comes_back(demo: Running, open_page: OpenPage) -> None:
    tablet = Tablet(page=open_page(may_lose=True))
    tablet.pair(demo.kiosk)
    with _without_wifi(tablet.page):
        expect(tablet.screen("unconnected")).to_be_visible(timeout=15_000)
    expect(tablet.screen("rest")).to_be_visible(timeout=15_000)
