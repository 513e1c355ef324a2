"""A complaint with what is wanted and how much, from the tablet to the counter and to the bureau."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import OpenPage
from tests.e2e.people import LANDSCAPE, PORTRAIT, Officer, Staff, Tablet, Till, health, read_code, until


@pytest.mark.parametrize(
    ("lang", "size", "order", "comment"),
    [("zh", LANDSCAPE, "C-1", "面里有一根头发"), ("en", PORTRAIT, "C-2", "There was a hair in my soup")],
)
def test_complaint_rings_at_the_counter_and_reaches_the_officer(
    demo: Running,
    open_page: OpenPage,
    till: Till,
    *,
    lang: str,
    size: tuple[int, int],
    order: str,
    comment: str,
) -> None:
    tablet, staff = Tablet(page=open_page(size)), Staff(page=open_page(size))
    staff.sign_in(f"{demo.terminal.url}/counter", demo.state.pin)
    tablet.pair(demo.kiosk)
    till.sell(order, amount="64.00")
    tablet.is_asked(order)
    tablet.speak("zh" if lang == "zh" else "en")
    tablet.complain(category="food_safety", remedy="refund", comment=comment, amount="64.5")
    at_counter = staff.page.locator(".word").filter(has_text=comment)
    expect(at_counter).to_have_count(1, timeout=10_000)
    expect(at_counter).to_contain_text("64.50")
    expect(at_counter).to_contain_text(order)
    expect(at_counter).to_contain_text("退")
    until(lambda: health(demo)["waiting"] == 0)
    officer = Officer(page=open_page(size), demo=demo)
    officer.sign_in("officer", demo.state.officer)
    at_bureau = officer.reads("complaints").filter(has_text=comment)
    expect(at_bureau).to_have_count(1)
    expect(at_bureau).to_contain_text("64.50")
    expect(at_bureau).to_contain_text(order)


def test_complaint_needs_no_sale(demo: Running, open_page: OpenPage) -> None:
    tablet = Tablet(page=open_page())
    tablet.pair(demo.kiosk)
    tablet.complain(category="price", remedy="apologise", comment="价格没有标出来", amount="12")
    until(lambda: health(demo)["waiting"] == 0)
    officer = Officer(page=open_page(), demo=demo)
    officer.sign_in("officer", demo.state.officer)
    expect(officer.reads("complaints").filter(has_text="价格没有标出来")).to_have_count(1)


def test_number_left_on_the_tablet_is_read_by_the_officer_alone(demo: Running, open_page: OpenPage) -> None:
    tablet, number = Tablet(page=open_page()), "13987654321"
    tablet.pair(demo.kiosk)
    tablet.complain(category="price", remedy="refund", comment="多收了一份的钱", amount="12", number=number)
    assert number not in tablet.page.evaluate("JSON.stringify(localStorage)")
    until(lambda: health(demo)["waiting"] == 0)
    officer = Officer(page=open_page(), demo=demo)
    officer.sign_in("officer", demo.state.officer)
    complaint = officer.reads("complaints").filter(has_text="多收了一份的钱")
    expect(complaint).to_have_count(1)
    expect(officer.page.locator("body")).not_to_contain_text(number)
    complaint.locator("form[action$='/contact'] button").click()
    expect(officer.page.locator(".contact")).to_have_text(number)


def test_suggestion_reaches_the_officer(demo: Running, open_page: OpenPage) -> None:
    tablet = Tablet(page=open_page())
    tablet.pair(demo.kiosk)
    tablet.press("suggest")
    tablet.screen("suggest").locator("[data-field=comment]").fill("门口放一把伞架吧")
    tablet.press("send")
    tablet.thanked("suggestion")
    until(lambda: health(demo)["waiting"] == 0)
    officer = Officer(page=open_page(), demo=demo)
    officer.sign_in("officer", demo.state.officer)
    expect(officer.reads("suggestions").filter(has_text="门口放一把伞架吧")).to_have_count(1)


def test_complaint_goes_on_on_the_phone_and_leaves_nothing_here(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = Tablet(page=open_page())
    tablet.pair(demo.kiosk)
    sold = till.sell("C-3", amount="64.00")
    tablet.is_asked("C-3")
    tablet.press("complain")
    chosen = tablet.screen("complain-what").locator("[data-category]").first
    code = chosen.get_attribute("data-category")
    chosen.click()
    tablet.press("phone")
    shown = tablet.screen("complain-phone").locator("[data-qr]")
    assert read_code(shown) == f"{sold['invitation']['url']}/complain#what={code}"
    tablet.press("back")
    expect(tablet.screen("complain-what").locator("[aria-pressed=true]")).to_have_count(1)
    tablet.press("phone")
    tablet.press("scanned")
    tablet.is_asked("C-3")
    tablet.press("complain")
    expect(tablet.screen("complain-what").locator("[aria-pressed=true]")).to_have_count(0)
    tablet.press("cancel")
    tablet.leave_unanswered()


def test_complaint_without_a_sale_goes_on_at_the_shops_poster(demo: Running, open_page: OpenPage) -> None:
    tablet = Tablet(page=open_page())
    tablet.pair(demo.kiosk)
    tablet.press("complain")
    tablet.press("phone")
    shown = tablet.screen("complain-phone").locator("[data-qr]")
    assert read_code(shown) == f"{demo.central.url}/p/{demo.merchant}/complain"


def test_code_for_the_phone_is_the_invitation_of_the_sale(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = Tablet(page=open_page())
    tablet.pair(demo.kiosk)
    sold = till.sell("C-4")
    tablet.is_asked("C-4")
    tablet.tap(5)
    tablet.press("phone")
    assert read_code(tablet.screen("phone").locator("[data-qr]")) == sold["invitation"]["url"]
    tablet.press("back")
    expect(tablet.screen("ask").locator("[aria-checked=true]")).to_have_count(0)
    tablet.press("phone")
    tablet.leave_unanswered("scanned")


def test_shop_is_not_told_of_a_complaint_that_the_station_is_to_read_first(
    demo: Running, open_page: OpenPage
) -> None:
    tablet, staff = Tablet(page=open_page()), Staff(page=open_page())
    staff.sign_in(f"{demo.terminal.url}/counter", demo.state.pin)
    tablet.pair(demo.kiosk)
    for words, first in (("先不要告诉店里", "station"), ("请店里来处理", "shop")):
        tablet.press("complain")
        tablet.screen("complain-what").locator("[data-category]").first.click()
        tablet.press("next")
        tablet.press("next")
        tablet.screen("complain-words").locator("[data-field=comment]").fill(words)
        tablet.hand_in("station" if first == "station" else "shop")
        tablet.thanked("complaint")
        told = tablet.screen("thanks-complaint").get_by_text("店里现在就能看到")
        expect(told).to_be_visible(visible=first == "shop")
        tablet.press("leave")
    expect(staff.page.locator(".word").filter(has_text="请店里来处理")).to_have_count(1, timeout=10_000)
    expect(staff.page.locator(".word").filter(has_text="先不要告诉店里")).to_have_count(0)
    until(lambda: health(demo)["waiting"] == 0)
    officer = Officer(page=open_page(), demo=demo)
    officer.sign_in("officer", demo.state.officer)
    expect(officer.reads("complaints").filter(has_text="先不要告诉店里")).to_have_count(0)
    sealed = officer.reads("complaints").filter(has_text="先不通知店里").first
    sealed.get_by_role("button", name="查看投诉内容").click()
    expect(officer.page.locator(".words")).to_have_text("先不要告诉店里")


def test_complaint_is_handed_in_within_two_minutes_by_somebody_slow(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    """Five seconds for each tap leave a minute for the words."""
    tablet = Tablet(page=open_page())
    tablet.pair(demo.kiosk)
    till.sell("C-5", amount="64.00")
    tablet.is_asked("C-5")
    tablet.page.evaluate("""() => {
        window.taps = 0;
        document.addEventListener("click", () => { window.taps += 1; }, true);
    }""")
    tablet.press("complain")
    tablet.screen("complain-what").locator("[data-category]").first.click()
    tablet.press("next")
    tablet.screen("complain-want").locator("[data-remedy]").first.click()
    tablet.press("next")
    words = tablet.screen("complain-words")
    expect(words.locator("[data-field=order]")).to_have_value("C-5")
    expect(words.locator("[data-field=amount]")).to_have_value("64.00")
    expect(words.locator("[data-field=day]")).not_to_have_value("")
    words.locator("[data-field=comment]").fill("面里有一根头发")
    tablet.hand_in()
    tablet.thanked("complaint")
    assert tablet.page.evaluate("window.taps") * 5 <= 60
    tablet.press("leave")
    tablet.leave_unanswered()
