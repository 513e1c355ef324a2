"""A tablet out of its box: six digits, a checklist, a try, and the first customer; over plain HTTP."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from merchant_agent.demo.processes import stop_all
from merchant_agent.demo.running import Running
from tests.e2e.conftest import OpenPage
from tests.e2e.people import Staff, Tablet, Till, at_shop, read_code


def _staff(demo: Running, open_page: OpenPage) -> Staff:
    staff = Staff(page=open_page(may_lose=True))
    staff.sign_in(f"{demo.terminal.url}/counter", demo.state.pin)
    return staff


def _offer(staff: Staff) -> str:
    """The digits on the counter's page, as somebody reads them."""
    staff.page.get_by_role("button", name="配对平板", exact=True).click()
    return re.sub(r"\D", "", staff.page.locator(".digits-shown").inner_text())


def _type(page: Page, digits: str) -> None:
    for digit in digits:
        page.locator(f"[data-key='{digit}']").click()


def test_six_digits_a_try_and_the_first_customer(demo: Running, open_page: OpenPage, till: Till) -> None:
    staff, page = _staff(demo, open_page), open_page(may_lose=True)
    digits = _offer(staff)
    page.goto(at_shop(f"{demo.terminal.url}/kiosk"))
    expect(page.locator("button:visible")).to_have_count(12)
    _type(page, digits)
    expect(page).to_have_url(re.compile("/kiosk/ready"))
    expect(staff.page.locator("[data-refresh]")).to_contain_text("已配对")
    page.locator("[data-do=wake]").click()
    page.locator("[data-do=try]").first.click()
    expect(page.locator("[data-tried]")).to_be_visible()
    expect(staff.page.locator("[data-refresh]")).to_contain_text("能唤醒")
    page.get_by_role("link", name="完成").click()
    tablet = Tablet(page=page)
    expect(tablet.screen("rest")).to_be_visible()
    assert not page.url.endswith("#paired")
    till.sell("P-1")
    tablet.is_asked("P-1")
    tablet.leave_unanswered()


def test_the_codes_picture_leads_to_the_checklist(demo: Running, open_page: OpenPage) -> None:
    staff, page = _staff(demo, open_page), open_page()
    _offer(staff)
    address = read_code(staff.page.locator(".link-qr").first)
    assert re.fullmatch(r"http://[a-z0-9.]+:[0-9]+/kiosk/pair/[0-9a-z]{12}\?check", address)
    page.goto(address)
    expect(page).to_have_url(re.compile("/kiosk/ready"))


def test_wrong_digits_are_told_and_a_keyboard_does_too(demo: Running, open_page: OpenPage) -> None:
    staff, page = _staff(demo, open_page), open_page(may_lose=True)
    digits = _offer(staff)
    page.goto(at_shop(f"{demo.terminal.url}/kiosk"))
    page.keyboard.type(f"{(int(digits) + 1) % 1_000_000:06}")
    expect(page.get_by_role("alert")).to_have_text(re.compile("数字不对"))
    expect(page.locator("#code")).to_be_focused()
    page.locator("[data-key='7']").click()
    page.get_by_role("button", name="删掉一位").click()
    page.keyboard.type(digits)
    expect(page).to_have_url(re.compile("/kiosk/ready"))


def test_a_tablet_out_of_pairing_finds_the_digits_again_and_a_restart_keeps_it(
    demo: Running, open_page: OpenPage
) -> None:
    staff, page = _staff(demo, open_page), open_page(may_lose=True)
    digits = _offer(staff)
    page.goto(at_shop(f"{demo.terminal.url}/kiosk"))
    _type(page, digits)
    expect(page).to_have_url(re.compile("/kiosk/ready"))
    stop_all([demo.terminal])
    demo.terminal.start()
    page.goto(at_shop(f"{demo.terminal.url}/kiosk"))
    tablet = Tablet(page=page)
    expect(tablet.screen("rest")).to_be_visible()
    staff.page.goto(at_shop(f"{demo.terminal.url}/counter"))
    staff.page.on("dialog", lambda dialog: dialog.accept())
    staff.page.locator(".tablet").last.get_by_role("button", name="取消配对").click()
    expect(tablet.screen("unpaired")).to_be_visible()
    tablet.press("pair")
    expect(page.locator("#code")).to_be_focused()
