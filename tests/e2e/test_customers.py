"""Customers who tap twice, type slowly, zoom in, change their minds or meet a machine that restarts."""

from __future__ import annotations

import json
import os
import signal
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from merchant_agent.demo.processes import stop_all
from merchant_agent.demo.running import Running
from tests.e2e.conftest import OpenPage
from tests.e2e.people import LANDSCAPE, PORTRAIT, Officer, Staff, Tablet, Till, answer_first, health, until

ZOOMED = (640, 400)  # 1280 by 800 at 200 %

_HIT = """element => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    return hit !== null && (element === hit || element.contains(hit) || hit.contains(element))
        && top >= 0 && top + height <= innerHeight;
}"""


def _paired(demo: Running, page: Page) -> Tablet:
    tablet = Tablet(page=page)
    tablet.pair(demo.kiosk)
    return tablet


def _asked(demo: Running, page: Page, till: Till, order: str) -> Tablet:
    tablet = _paired(demo, page)
    till.sell(order, amount="64.00")
    tablet.is_asked(order)
    return tablet


def _tap_twice(page: Page, target: Locator) -> None:
    """Two taps of a finger that stays where it is, whatever moves beneath it."""
    expect(page.locator(".calm")).to_have_count(0)
    box = target.bounding_box()
    assert box is not None
    place = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(*place)
    page.mouse.click(*place)


def _is_in_sight(shown: Locator) -> bool:
    return bool(shown.evaluate(_HIT))


def _words(tablet: Tablet, screen: str) -> Locator:
    return tablet.screen(screen).locator("textarea")


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT], ids=["landscape", "portrait"])
def test_double_tap_on_a_face_chooses_that_face_and_nothing_else(
    demo: Running, open_page: OpenPage, till: Till, size: tuple[int, int]
) -> None:
    tablet = _asked(demo, open_page(size), till, f"D-{size[0]}")
    ask = tablet.screen("ask")
    for level in range(1, 6):
        _tap_twice(tablet.page, ask.locator(f".faces [data-level='{level}']"))
        expect(ask.locator(".faces [aria-checked=true]")).to_have_attribute("data-level", str(level))
        expect(ask.locator(".chip[aria-pressed=true]")).to_have_count(0)
        tablet.press("retake")
    tablet.tap(2)
    ask.locator(".chip").first.click()
    expect(ask.locator(".chip[aria-pressed=true]")).to_have_count(1)
    tablet.press("done")
    tablet.thanked("rating")


@pytest.mark.parametrize("what", ["complain", "suggest"])
def test_double_tap_on_a_way_in_is_no_way_out(demo: Running, open_page: OpenPage, what: str) -> None:
    tablet = _paired(demo, open_page())
    _tap_twice(tablet.page, tablet.page.locator(f"[data-do={what}]:visible"))
    expect(tablet.page.locator(".calm")).to_have_count(0)
    expect(tablet.screen("complain-what" if what == "complain" else "suggest")).to_be_visible()


def test_words_written_while_the_terminal_had_crashed_are_kept(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet, words = _asked(demo, open_page(may_lose=True), till, "D-1"), "停电的时候写的话"
    with tablet.page.expect_response("**/kiosk/api/answers/*"):
        tablet.tap(4)
    os.kill(demo.terminal.pid, signal.SIGKILL)
    until(lambda: not demo.terminal.is_running)
    stop_all([demo.terminal])
    try:
        tablet.write(words)
        tablet.press("done")
    finally:
        demo.terminal.start()
    tablet.thanked("rating")
    expect(tablet.screen("thanks-rating").locator(".late")).to_be_hidden()
    until(lambda: health(demo)["waiting"] == 0)
    officer = Officer(page=open_page(), demo=demo)
    officer.sign_in("officer", demo.state.officer)
    expect(officer.reads("ratings").filter(has_text=words)).to_have_count(1)


def test_words_that_came_too_late_are_told_so_and_offered_as_a_suggestion(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = _asked(demo, open_page(may_lose=True), till, "D-2")
    with tablet.page.expect_response("**/kiosk/api/answers/*") as kept:
        tablet.tap(4)
    tablet.page.route("**/kiosk/api/answers/*", lambda route: route.abort())
    with tablet.page.expect_request("**/kiosk/api/answers/*"):
        tablet.write("最后才写的话")
    sent = json.loads(kept.value.request.post_data or "") | {"ended": "idle", "dwell_ms": 1}
    signed = tablet.page.evaluate(
        """async ([path, body]) => (await fetch(path, {method: "POST", body: JSON.stringify(body),
            headers: {"Content-Type": "application/json"}})).status""",
        [f"{kept.value.url}/done", sent],
    )
    assert signed == 201
    tablet.thanked("rating")
    thanks = tablet.screen("thanks-rating")
    expect(thanks.locator(".late")).to_be_visible()
    thanks.locator(".late [data-do=suggest]").click()
    expect(_words(tablet, "suggest")).to_have_value("最后才写的话")
    tablet.press("send")
    tablet.thanked("suggestion")
    tablet.press("leave")


def test_thanks_stay_when_the_code_is_tapped_and_say_where_it_is_used(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = _asked(demo, open_page(), till, "D-3")
    tablet.tap(5)
    tablet.press("done")
    tablet.thanked("rating")
    thanks = tablet.screen("thanks-rating")
    for shown in ("[data-slot=code]", "[data-qr]", "h1"):
        thanks.locator(shown).click()
    expect(thanks).to_be_visible()
    expect(thanks).to_contain_text(demo.central.url.removeprefix("http://") + "/check")
    tablet.press("leave")
    expect(tablet.screen("rest")).to_be_visible()


def test_what_was_written_is_not_given_up_without_asking(demo: Running, open_page: OpenPage) -> None:
    tablet = _paired(demo, open_page())
    tablet.press("suggest")
    _words(tablet, "suggest").fill("门口放一把伞架吧")
    tablet.press("cancel")
    expect(tablet.screen("discard")).to_be_visible()
    tablet.press("keep")
    expect(_words(tablet, "suggest")).to_have_value("门口放一把伞架吧")
    tablet.press("complain")
    tablet.screen("complain-what").locator("[data-category]").first.click()
    tablet.press("next")
    tablet.press("next")
    expect(_words(tablet, "complain-words")).to_have_value("门口放一把伞架吧")
    expect(_words(tablet, "complain-words")).to_be_focused()
    _words(tablet, "complain-words").fill("还是投诉吧")
    tablet.press("back")
    tablet.press("next")
    expect(_words(tablet, "complain-words")).to_have_value("还是投诉吧")
    tablet.press("cancel")
    tablet.press("discard")
    expect(tablet.screen("rest")).to_be_visible()
    assert "还是投诉吧" not in tablet.page.content()


def test_nothing_written_is_given_up_at_once(demo: Running, open_page: OpenPage) -> None:
    tablet = _paired(demo, open_page())
    for what in ("complain", "suggest"):
        tablet.press(what)
        tablet.press("cancel")
        expect(tablet.screen("rest")).to_be_visible()


def test_page_loaded_anew_in_the_middle_of_a_word_shows_the_words(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = _asked(demo, open_page(may_lose=True), till, "D-4")
    tablet.tap(3)
    tablet.write("刚刚写完最后一个字")
    tablet.page.reload()
    expect(_words(tablet, "ask")).to_be_visible()
    expect(_words(tablet, "ask")).to_have_value("刚刚写完最后一个字")
    tablet.press("done")
    tablet.thanked("rating")


def test_whoever_types_without_a_pause_is_kept_too(demo: Running, open_page: OpenPage, till: Till) -> None:
    tablet = _asked(demo, open_page(), till, "D-5")
    kept: list[str] = []

    def hear(request: Request) -> None:
        if request.method == "PUT":
            kept.append(json.loads(request.post_data or "")["comment"])

    tablet.tap(3)
    tablet.press("comment")
    tablet.page.on("request", hear)
    _words(tablet, "ask").press_sequentially("a" * 25, delay=100)
    assert any(0 < len(words) < 25 for words in kept)
    tablet.press("done")
    tablet.thanked("rating")


def test_complaint_without_a_sale_has_the_time_of_the_shop(demo: Running, open_page: OpenPage) -> None:
    tablet = Tablet(page=open_page())
    session = tablet.page.context.new_cdp_session(tablet.page)
    session.send("Emulation.setTimezoneOverride", {"timezoneId": "Pacific/Honolulu"})
    tablet.pair(demo.kiosk)
    tablet.press("complain")
    tablet.screen("complain-what").locator("[data-category]").first.click()
    tablet.press("next")
    tablet.press("next")
    words = tablet.screen("complain-words")
    day, hour, minute = (
        words.locator(f"[data-field={part}]").input_value() for part in ("day", "hour", "minute")
    )
    zone = ZoneInfo("Asia/Shanghai")
    stated = datetime.fromisoformat(f"{day}T{hour}:{minute}").replace(tzinfo=zone)
    assert abs(datetime.now(zone) - stated) < timedelta(minutes=3)


def test_slower_of_two_tablets_is_told_that_the_other_was_first(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    first, second = _paired(demo, open_page()), _paired(demo, open_page(may_lose=True))
    till.sell("D-6")
    first.is_asked("D-6")
    second.is_asked("D-6")
    answer_first(first, second)
    second.press("leave")
    first.press("done")
    first.thanked("rating")


def test_full_width_digits_are_digits(demo: Running, open_page: OpenPage) -> None:
    tablet, staff = _paired(demo, open_page()), Staff(page=open_page())
    staff.sign_in(f"{demo.terminal.url}/counter", demo.state.pin)
    staff.page.locator("input[name=amount]").fill("６４．５")
    staff.reports("Ｄ－０７")
    tablet.is_asked("D-07")
    tablet.press("complain")
    tablet.screen("complain-what").locator("[data-category]").first.click()
    tablet.press("next")
    tablet.press("next")
    words = tablet.screen("complain-words")
    expect(words.locator("[data-field=amount]")).to_have_value("64.50")
    words.locator("[data-field=amount]").fill("１２．５")
    words.locator("[data-field=comment]").fill("全角的数字")
    tablet.hand_in()
    tablet.thanked("complaint")
    at_counter = staff.page.locator(".word").filter(has_text="全角的数字")
    expect(at_counter).to_contain_text("12.50", timeout=10_000)
    tablet.press("leave")
    tablet.leave_unanswered()


def test_room_that_is_left_is_told_once_there_is_little(demo: Running, open_page: OpenPage) -> None:
    tablet = _paired(demo, open_page())
    tablet.press("suggest")
    room = tablet.screen("suggest").locator("[data-count]")
    _words(tablet, "suggest").fill("字" * 899)
    expect(room).to_be_hidden()
    _words(tablet, "suggest").fill("字" * 950)
    expect(room).to_contain_text("50")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_zoomed_in_faces_and_code_are_in_sight(
    demo: Running, open_page: OpenPage, till: Till, lang: str
) -> None:
    tablet = _asked(demo, open_page(ZOOMED), till, f"D-8-{lang}")
    tablet.speak("en" if lang == "en" else "zh")
    faces = tablet.screen("ask").locator(".face").all()
    assert [_is_in_sight(face) for face in faces] == [True] * 5
    tablet.tap(4)
    tablet.press("done")
    tablet.thanked("rating")
    assert _is_in_sight(tablet.screen("thanks-rating").locator("[data-slot=code]"))
    tablet.press("leave")


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT, ZOOMED], ids=["landscape", "portrait", "zoomed"])
def test_large_type_keeps_the_order_and_the_code_in_sight_for_twice_the_time(
    demo: Running, open_page: OpenPage, till: Till, size: tuple[int, int]
) -> None:
    order = f"D-9-{size[0]}"
    tablet = _asked(demo, open_page(size), till, order)
    tablet.press("large")
    tablet.tap(4)
    assert size == ZOOMED or _is_in_sight(tablet.screen("ask").locator(".pill"))
    tablet.press("done")
    tablet.thanked("rating")
    thanks = tablet.screen("thanks-rating")
    assert int(thanks.locator("[data-slot=left]").inner_text()) > 20
    assert _is_in_sight(thanks.locator("[data-slot=code]"))
    tablet.press("complain")
    tablet.screen("complain-what").locator("[data-category]").first.click()
    tablet.press("next")
    tablet.press("next")
    tablet.hand_in()
    tablet.thanked("complaint")
    assert _is_in_sight(tablet.screen("thanks-complaint").locator("[data-slot=code]"))
    tablet.press("leave")


def test_countdown_covers_nothing_that_is_read(demo: Running, open_page: OpenPage, till: Till) -> None:
    tablet = _asked(demo, open_page(), till, "D-10")
    tablet.tap(4)
    strip = tablet.page.locator("#strip")
    expect(strip).to_be_visible(timeout=15_000)
    box, stage = strip.bounding_box(), tablet.page.locator("#stage").bounding_box()
    assert box is not None
    assert stage is not None
    assert box["y"] + box["height"] <= stage["y"]
    tablet.press("stay")
    expect(strip).to_be_hidden()
    tablet.press("done")
    tablet.thanked("rating")


def test_only_fields_can_be_selected(demo: Running, open_page: OpenPage) -> None:
    tablet = _paired(demo, open_page())
    tablet.press("suggest")
    select = "element => getComputedStyle(element).userSelect"
    assert tablet.screen("suggest").locator("h1").evaluate(select) in {"none", "auto"}
    assert tablet.page.locator("body").evaluate(select) == "none"
    assert _words(tablet, "suggest").evaluate(select) == "text"


def test_english_faces_stand_at_one_height(demo: Running, open_page: OpenPage, till: Till) -> None:
    tablet = _asked(demo, open_page(), till, "D-11")
    tablet.speak("en")
    tops = "icons => new Set(icons.map(icon => Math.round(icon.getBoundingClientRect().top))).size"
    faces = tablet.screen("ask").locator(".faces .mood")
    assert faces.evaluate_all(tops) == 1
    tablet.tap(2)
    assert faces.evaluate_all(tops) == 1
    tablet.press("done")
    tablet.thanked("rating")


@pytest.mark.parametrize("sign", ["keydown", "input", "compositionupdate"])
def test_typing_is_a_touch_whatever_the_keyboard(demo: Running, open_page: OpenPage, sign: str) -> None:
    tablet = _paired(demo, open_page())
    ended = tablet.page.evaluate(
        """async (sign) => {
            const { Idle } = await import("/static/js/kiosk/idle.js");
            const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
            const idle = new Idle(() => {});
            let ended = false;
            idle.start(1, 0, () => { ended = true; });
            for (let times = 0; times < 6; times += 1) {
                await pause(400);
                document.body.dispatchEvent(new Event(sign, { bubbles: true }));
            }
            const endedWhileTyping = ended;
            await pause(1500);
            return [endedWhileTyping, ended];
        }""",
        sign,
    )
    assert ended == [False, True]
