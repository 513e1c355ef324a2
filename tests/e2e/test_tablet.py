"""What the tablet must never do, and what it must always do, in a shop's network on plain HTTP."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import OpenPage
from tests.e2e.people import Officer, Staff, Tablet, Till, at_shop, health, until


def _paired(demo: Running, page: Page) -> Tablet:
    tablet = Tablet(page=page)
    tablet.pair(demo.kiosk)
    return tablet


def test_sale_wakes_the_tablet_within_300_ms(demo: Running, open_page: OpenPage, till: Till) -> None:
    tablet = _paired(demo, open_page())
    till.sell("T-1", till="wake")
    expect(tablet.screen("ask").locator("[data-slot=order]")).to_have_text("T-1", timeout=300)
    tablet.leave_unanswered()
    expect(tablet.screen("rest")).to_be_visible()


def test_next_sale_does_not_replace_a_question_that_somebody_answers(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = _paired(demo, open_page())
    till.sell("T-2")
    tablet.is_asked("T-2")
    tablet.tap(3)
    till.sell("T-3")
    till.sell("T-4", till="other")
    tablet.write("我还没写完")
    tablet.is_asked("T-2")
    tablet.press("done")
    tablet.thanked("rating")
    tablet.press("leave")
    expect(tablet.screen("ask").locator("[data-slot=order]")).not_to_have_text("T-2")


def test_untouched_question_gives_way_to_the_next_sale_of_its_till(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = _paired(demo, open_page())
    till.sell("T-5")
    tablet.is_asked("T-5")
    till.sell("T-6")
    tablet.is_asked("T-6")
    tablet.leave_unanswered()


def test_sale_typed_in_at_the_counter_wakes_the_tablet(demo: Running, open_page: OpenPage) -> None:
    tablet, staff = _paired(demo, open_page()), Staff(page=open_page())
    staff.sign_in(f"{demo.terminal.url}/counter", demo.state.pin)
    staff.reports("T-7")
    tablet.is_asked("T-7")
    tablet.leave_unanswered()


def test_wrong_tap_can_be_taken_back(demo: Running, open_page: OpenPage, till: Till) -> None:
    tablet = _paired(demo, open_page())
    till.sell("T-8")
    tablet.is_asked("T-8")
    tablet.tap(1)
    tablet.press("retake")
    tablet.tap(5)
    tablet.write("点错了又改的")
    tablet.press("done")
    tablet.thanked("rating")
    until(lambda: health(demo)["waiting"] == 0)
    officer = Officer(page=open_page(), demo=demo)
    officer.sign_in("officer", demo.state.officer)
    expect(officer.reads("ratings").filter(has_text="点错了又改的")).to_contain_text("非常满意")


@pytest.mark.parametrize(("lang", "day"), [("zh", r"^\d+月\d+日$"), ("en", r"^[A-Z][a-z]+ \d+$")])
def test_days_are_told_as_people_say_them(demo: Running, open_page: OpenPage, lang: str, day: str) -> None:
    tablet = _paired(demo, open_page())
    tablet.speak("en" if lang == "en" else "zh")
    tablet.press("complain")
    tablet.screen("complain-what").locator("[data-category]").first.click()
    tablet.press("next")
    tablet.press("next")
    days = tablet.screen("complain-words").locator("[data-field=day] option").all_inner_texts()
    assert days[0] == "—"
    assert len(days) > 50
    assert all(re.match(day, each) for each in days[1:])
    tablet.press("cancel")


def test_faces_are_one_radio_group_for_the_keyboard(demo: Running, open_page: OpenPage, till: Till) -> None:
    tablet = _paired(demo, open_page())
    till.sell("T-9")
    tablet.is_asked("T-9")
    group = tablet.screen("ask").locator(".faces")
    expect(group).to_have_role("radiogroup")
    faces = group.get_by_role("radio")
    expect(faces).to_have_count(5)
    assert [face.inner_text().strip() for face in faces.all()] == [
        *("非常满意", "满意", "基本满意", "不满意", "非常不满意")
    ]
    faces.first.focus()
    tablet.page.keyboard.press("ArrowRight")
    expect(faces.nth(1)).to_be_focused()
    expect(group.locator("[aria-checked=true]")).to_have_count(0)
    tablet.page.keyboard.press("Space")
    expect(faces.nth(1)).to_have_attribute("aria-checked", "true")
    tablet.press("done")
    tablet.thanked("rating")


def test_after_the_thanks_nothing_is_left_to_go_back_to(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = _paired(demo, open_page())
    till.sell("T-10")
    tablet.is_asked("T-10")
    tablet.tap(1)
    tablet.write("下一位不该看到的话")
    tablet.press("done")
    tablet.thanked("rating")
    tablet.press("leave")
    expect(tablet.screen("rest")).to_be_visible()
    assert tablet.page.evaluate("history.length") <= 2
    assert "下一位不该看到的话" not in tablet.page.content()
    kept = "JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])"
    assert "下一位不该看到的话" not in tablet.page.evaluate(kept)


@pytest.mark.parametrize("path", ["/counter", "/counter/state", "/manager"])
def test_no_way_leads_from_the_tablet_to_the_counter(demo: Running, open_page: OpenPage, path: str) -> None:
    tablet = _paired(demo, open_page())
    assert tablet.page.locator("a[href]").count() == 0
    page = tablet.page.context.new_page()
    page.goto(at_shop(f"{demo.terminal.url}{path}"))
    expect(page.locator("input[type=password]")).to_be_visible()
    cookies = {cookie["name"]: cookie.get("path") for cookie in tablet.page.context.cookies()}
    assert cookies["tablet"] == "/kiosk"


def test_tablet_cannot_do_what_staff_do(demo: Running, open_page: OpenPage) -> None:
    tablet = _paired(demo, open_page(may_lose=True))
    status = tablet.page.evaluate(
        """async () => (await fetch("/counter/sales", {method: "POST", redirect: "manual",
            headers: {"Content-Type": "application/x-www-form-urlencoded"}, body: "order=9"})).status"""
    )
    assert status in {400, 401, 403}


def test_browser_that_was_not_paired_is_told_so(demo: Running, open_page: OpenPage) -> None:
    page = open_page(may_lose=True)
    page.goto(at_shop(f"{demo.terminal.url}/kiosk"))
    expect(page.get_by_role("heading")).to_contain_text("平板")
