"""Measured on every screen of the tablet: targets, gaps, contrast of what is drawn, and that nothing needs scrolling to be ended."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import Page, expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import PHONE, OpenPage
from tests.e2e.people import LANDSCAPE, PORTRAIT, Tablet, Till

_orders = count(1)

_SMALL = """() => [...document.querySelectorAll("button, input, select, textarea")]
    .filter(target => target.checkVisibility())
    .filter(target => {
        const { width, height } = target.getBoundingClientRect();
        return Math.min(width, height) < (target.matches(".faces .face") ? 96 : 60) - 0.1;
    })
    .map(target => target.outerHTML.slice(0, 90))"""

_CLOSE = """() => {
    const boxes = [...document.querySelectorAll("button")]
        .filter(target => target.checkVisibility())
        .map(target => [target, target.getBoundingClientRect()])
        // What goes on beneath the foot of the page is covered there.
        .filter(([target, box]) => target.closest(".bottom, .top")
            || box.bottom < document.querySelector("#stage .bottom").getBoundingClientRect().top);
    const close = [];
    for (const [one, a] of boxes) for (const [other, b] of boxes) {
        if (one === other) continue;
        const across = Math.max(a.left - b.right, b.left - a.right);
        const along = Math.max(a.top - b.bottom, b.top - a.bottom);
        if (Math.max(across, along) < 7.9) close.push([one.textContent.trim(), other.textContent.trim(), across, along]);
    }
    return close;
}"""

_OUT_OF_SIGHT = """() => [...document.querySelectorAll("#stage .bottom button, #top button, #stage .pad .key, .faces .face")]
    .filter(target => target.checkVisibility())
    .filter(target => {
        const { left, top, width, height, right, bottom } = target.getBoundingClientRect();
        const hit = document.elementFromPoint(left + width / 2, top + height / 2);
        return top < 0 || left < 0 || right > innerWidth || bottom > innerHeight || !target.contains(hit);
    })
    .map(target => target.outerHTML.slice(0, 90))"""

_FAINT = """() => {
    const light = (colour) => {
        const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number)
            .map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const { backgroundColor } = getComputedStyle(at);
            if (!/, 0\\)$|transparent/.test(backgroundColor)) return backgroundColor;
        }
        return "rgb(255, 255, 255)";
    };
    return [...document.querySelectorAll("svg.mood, svg.icon, svg.sign, input, textarea, select")]
        .filter(drawn => drawn.checkVisibility())
        .map(drawn => {
            const style = getComputedStyle(drawn);
            const line = drawn instanceof SVGElement ? style.color : style.borderTopColor;
            const [a, b] = [light(line), light(ground(drawn.parentElement))].sort((x, y) => y - x);
            return [drawn.outerHTML.slice(0, 60), (a + 0.05) / (b + 0.05)];
        })
        .filter(([, contrast]) => contrast < 3);
}"""


# On a phone's width pages are longer than the screen: each button comes into sight, whole, and nothing covers it.
_UNREACHED = """() => [...document.querySelectorAll("button, input, textarea")]
    .filter(target => target.checkVisibility())
    .filter(target => {
        target.scrollIntoView({ block: "center", behavior: "instant" });
        const { left, top, width, height, right } = target.getBoundingClientRect();
        const hit = document.elementFromPoint(left + width / 2, top + height / 2);
        return left < 0 || right > innerWidth || !hit || !(target.contains(hit) || hit.closest("label")?.contains(target));
    })
    .map(target => target.outerHTML.slice(0, 90))"""


def _measure(page: Page) -> None:
    expect(page.locator(".calm")).to_have_count(0)
    assert page.evaluate(_SMALL) == []
    assert page.evaluate(_CLOSE) == []
    assert page.evaluate(_OUT_OF_SIGHT) == []
    assert page.evaluate(_FAINT) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def dress(tablet: Tablet, lang: str, *, large: bool) -> None:
    tablet.speak("en" if lang == "en" else "zh")
    button = tablet.page.locator("[data-do=large]")
    if (button.get_attribute("aria-pressed") == "true") is not large:
        button.click()


def walk(tablet: Tablet, look: Callable[[Page], None]) -> None:
    """From the question to the thanks for a complaint; on each screen what can be opened, and what can be wrong."""
    _rate(tablet, look)
    _suggest(tablet, look)
    _complain(tablet, look)
    _leave_number(tablet, look)
    for press in ("cancel", "keep"):
        tablet.press(press)
        look(tablet.page)
    tablet.screen("complain-first").locator("[data-first=station]").click()
    tablet.thanked("complaint")
    look(tablet.page)
    tablet.press("leave")


def _rate(tablet: Tablet, look: Callable[[Page], None]) -> None:
    look(tablet.page)
    tablet.press("phone")
    look(tablet.page)
    tablet.press("back")
    tablet.tap(4)
    tablet.press("retake")
    look(tablet.page)
    tablet.tap(2)
    tablet.screen("ask").locator(".chip").nth(2).click()
    look(tablet.page)
    for press in ("aspects", "comment"):
        tablet.press(press)
        look(tablet.page)
    tablet.press("done")
    tablet.thanked("rating")
    look(tablet.page)


def _suggest(tablet: Tablet, look: Callable[[Page], None]) -> None:
    tablet.press("suggest")
    look(tablet.page)
    tablet.press("send")
    look(tablet.page)
    tablet.screen("suggest").locator("[data-field=comment]").fill("门口放一把伞架吧。" * 105)
    look(tablet.page)


def _complain(tablet: Tablet, look: Callable[[Page], None]) -> None:
    tablet.press("complain")
    look(tablet.page)
    tablet.press("next")
    look(tablet.page)
    tablet.press("more")
    tablet.screen("complain-what").locator("[data-category]").first.click()
    look(tablet.page)
    tablet.press("next")
    look(tablet.page)
    tablet.press("more")
    look(tablet.page)
    tablet.press("next")
    look(tablet.page)
    amount = tablet.screen("complain-words").locator("[data-field=amount]")
    amount.fill("6.4.0")
    tablet.press("next")
    look(tablet.page)
    amount.fill("64.50")
    tablet.press("phone")
    look(tablet.page)
    tablet.press("back")


def _leave_number(tablet: Tablet, look: Callable[[Page], None]) -> None:
    """Both may call, on a number that is too short, then on none; in the end nobody."""
    tablet.press("number")
    look(tablet.page)
    contact = tablet.screen("complain-contact")
    number, consents = contact.locator("[data-field=contact]"), contact.locator("[data-consent]")
    for digit in "139":
        contact.locator(f"[data-key='{digit}']").click()
    for consent in consents.all():
        consent.click()
    tablet.press("next")
    expect(contact.locator("[data-fault=contact]")).to_be_visible()
    look(tablet.page)
    number.fill("")
    tablet.pause()
    tablet.press("next")
    expect(contact.locator("[data-fault=number]")).to_be_visible()
    look(tablet.page)
    number.fill("13900001111")
    look(tablet.page)
    number.fill("")
    for consent in consents.all():
        consent.click()
    tablet.pause()
    tablet.press("next")
    look(tablet.page)


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT], ids=["landscape", "portrait"])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("large", [False, True], ids=["normal", "large"])
def test_every_target_is_large_enough_apart_and_in_sight(
    demo: Running, open_page: OpenPage, till: Till, *, size: tuple[int, int], lang: str, large: bool
) -> None:
    tablet, order = Tablet(page=open_page(size)), f"M-{next(_orders)}"
    tablet.pair(demo.kiosk)
    dress(tablet, lang, large=large)
    _measure(tablet.page)
    till.sell(order, amount="64.00")
    tablet.is_asked(order)
    dress(tablet, lang, large=large)
    walk(tablet, _measure)


def _reach(page: Page) -> None:
    expect(page.locator(".calm")).to_have_count(0)
    assert page.evaluate(_UNREACHED) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("large", [False, True], ids=["normal", "large"])
def test_at_360_px_every_action_can_be_reached(
    demo: Running, open_page: OpenPage, till: Till, *, lang: str, large: bool
) -> None:
    tablet, order = Tablet(page=open_page(PHONE)), f"W-{next(_orders)}"
    tablet.pair(demo.kiosk)
    dress(tablet, lang, large=large)
    _reach(tablet.page)
    till.sell(order, amount="64.00")
    tablet.is_asked(order)
    dress(tablet, lang, large=large)
    walk(tablet, _reach)


def test_large_type_is_30_px(demo: Running, open_page: OpenPage) -> None:
    tablet = Tablet(page=open_page())
    tablet.pair(demo.kiosk)
    tablet.press("large")
    size = tablet.page.locator("html").evaluate("page => getComputedStyle(page).fontSize")
    assert size == "30px"


@pytest.mark.parametrize(("asked", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_for_those_who_asked_for_that(
    demo: Running, open_page: OpenPage, asked: str, *, moves: bool
) -> None:
    tablet = Tablet(page=open_page())
    tablet.page.emulate_media(reduced_motion="reduce" if asked == "reduce" else "no-preference")
    tablet.pair(demo.kiosk)
    tablet.press("suggest")
    moving = tablet.screen("suggest").evaluate("screen => getComputedStyle(screen).animationName !== 'none'")
    assert moving is moves
