"""What staff do at the counter in a hurry."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import OpenPage
from tests.e2e.people import Staff, Tablet


def test_double_click_reports_a_sale_once_and_says_that_the_tablet_asks(
    demo: Running, open_page: OpenPage
) -> None:
    tablet, staff = Tablet(page=open_page()), Staff(page=open_page())
    tablet.pair(demo.kiosk)
    staff.sign_in(f"{demo.terminal.url}/counter", demo.state.pin)
    staff.page.locator("input[name=order]").fill("K-1")
    sent: list[str] = []
    staff.page.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" else None)
    staff.page.locator(".sale-form button[type=submit]").dblclick()
    expect(staff.page.locator("main > .notice-done")).to_have_text("平板正在询问单号 K-1。")
    assert len(sent) == 1
    tablet.is_asked("K-1")
    tablet.leave_unanswered()


def test_wrong_amount_is_corrected_without_typing_the_order_again(demo: Running, open_page: OpenPage) -> None:
    tablet, staff = Tablet(page=open_page()), Staff(page=open_page())
    tablet.pair(demo.kiosk)
    staff.sign_in(f"{demo.terminal.url}/counter", demo.state.pin)
    staff.page.locator("input[name=amount]").fill("6.4.0")
    staff.reports("K-2")
    expect(staff.page.locator("main > .notice-error[role=status]")).to_be_visible()
    expect(staff.page.locator("input[name=order]")).to_have_value("K-2")
    expect(staff.page.locator("input[name=amount]")).to_be_focused()
    staff.page.locator("input[name=amount]").fill("６４．５")
    staff.page.locator(".sale-form button[type=submit]").click()
    expect(staff.page.locator("main > .notice-done")).to_have_text(re.compile("K-2"))
    tablet.is_asked("K-2")
    tablet.leave_unanswered()
