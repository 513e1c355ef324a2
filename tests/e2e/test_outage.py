"""Programs that go away while customers are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import expect

from merchant_agent.demo.processes import Child, stop_all
from merchant_agent.demo.running import Running
from tests.e2e.conftest import OpenPage
from tests.e2e.people import Officer, Staff, Tablet, Till, at_shop, health, until


@contextmanager
def _gone(program: Child) -> Iterator[None]:
    """The program has ended, and is started again after the block."""
    stop_all([program])
    try:
        yield
    finally:
        program.start()


def test_rating_waits_while_central_is_gone_and_arrives_exactly_once(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet, staff = Tablet(page=open_page()), Staff(page=open_page())
    comment = "监管局的服务器停了也要留下的话"
    tablet.pair(demo.kiosk)
    staff.sign_in(f"{demo.terminal.url}/counter", demo.state.pin)
    with _gone(demo.central):
        till.sell("O-1")
        tablet.is_asked("O-1")
        tablet.tap(2)
        tablet.write(comment)
        tablet.press("done")
        tablet.thanked("rating")
        assert health(demo)["waiting"] > 0
        waiting = staff.page.locator("[data-part=sales] .figure")
        until(lambda: waiting.inner_text().split()[0] != "0")
    until(lambda: health(demo)["waiting"] == 0)
    officer = Officer(page=open_page(), demo=demo)
    officer.sign_in("officer", demo.state.officer)
    expect(officer.reads("ratings").filter(has_text=comment)).to_have_count(1)


def test_tablet_comes_back_by_itself_and_what_was_tapped_is_kept(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = Tablet(page=open_page(may_lose=True))
    tablet.pair(demo.kiosk)
    till.sell("O-2")
    tablet.is_asked("O-2")
    tablet.tap(5)
    with _gone(demo.terminal):
        tablet.write("店里的机器重启了")
        tablet.press("done")
    code = tablet.thanked("rating")
    until(lambda: health(demo)["waiting"] == 0)
    public = open_page()
    public.goto(f"{at_shop(demo.central.url)}/check?code={code}")
    expect(public.locator(".verdict-received")).to_be_visible()


def test_tablet_says_that_the_terminal_is_gone_and_rests_when_it_is_back(
    demo: Running, open_page: OpenPage
) -> None:
    tablet = Tablet(page=open_page(may_lose=True))
    tablet.pair(demo.kiosk)
    with _gone(demo.terminal):
        expect(tablet.screen("unconnected")).to_be_visible(timeout=15_000)
    expect(tablet.screen("rest")).to_be_visible(timeout=15_000)
