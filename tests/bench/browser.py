"""What a customer waits for, in real Chromium over plain HTTP as in a shop: the tablet's page itself."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep

from playwright.sync_api import Page, sync_playwright

from merchant_agent.demo.running import running_demo
from tests.bench.report import Figure, Scale, in_ms, quantile
from tests.e2e.people import LANDSCAPE, Tablet, Till

_BAR_AWAKE_S = 0.3
_BAR_THANKS_S = 0.1
_BAR_WHOLE_S = 6.0
_APART_S = 0.3

# Both processes have the same clock. A frame has been drawn once the second one after it begins.
_WATCH = """(screen) => {
    window.shownAt = {};
    new MutationObserver(() => {
        const shown = document.querySelector(`#stage [data-screen="${screen}"]`);
        const key = shown?.querySelector("[data-slot=order], [data-slot=code]")?.textContent;
        if (!key || window.shownAt[key]) return;
        window.shownAt[key] = -1;
        requestAnimationFrame(() => requestAnimationFrame(() => { window.shownAt[key] = Date.now(); }));
    }).observe(document.getElementById("stage"), { childList: true, subtree: true, characterData: true });
}"""
_WHEN = "async (key) => { while (!(window.shownAt[key] > 0)) await new Promise(requestAnimationFrame); return window.shownAt[key]; }"
_TAP = """async () => {
    const thanked = () => document.querySelector("#stage [data-screen=thanks-rating] [data-slot=code]")?.textContent;
    const begun = performance.now();
    document.querySelector("[data-do=done]").click();
    while (!thanked()) await new Promise((done) => setTimeout(done));
    const there = performance.now();
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return [(there - begun) / 1000, (performance.now() - begun) / 1000];
}"""


def measure(scale: Scale) -> list[Figure]:
    """Visits one after another; the browser is on the same cores as the terminal."""
    visits = 200 if scale.full else 30
    with (
        tempfile.TemporaryDirectory(prefix="merchant-agent-bench-") as folder,
        running_demo(Path(folder), terminal_port=0, central_port=0, tablets=0) as demo,
        _page() as page,
    ):
        tablet, till = Tablet(page=page), Till(demo=demo)
        tablet.pair(demo.kiosk)
        awake, thanks, drawn = timed_visits(tablet, till, visits)
        whole = [whole_visit(tablet, till, f"whole-{number}") for number in range(max(5, visits // 10))]
    return [
        Figure(
            what="sale to the question drawn, p99",
            measured=in_ms(quantile(awake, 0.99)),
            reference=f"p50 {in_ms(quantile(awake, 0.5))}; {visits} sales",
            bar=f"under {in_ms(_BAR_AWAKE_S)}",
            met=quantile(awake, 0.99) < _BAR_AWAKE_S,
        ),
        Figure(
            what="tap on done to thank you on the page, p99",
            measured=in_ms(quantile(thanks, 0.99)),
            reference=f"p50 {in_ms(quantile(thanks, 0.5))}; drawn with its code p50 {in_ms(quantile(drawn, 0.5))}",
            bar=f"under {in_ms(_BAR_THANKS_S)}",
            met=quantile(thanks, 0.99) < _BAR_THANKS_S,
        ),
        Figure(
            what="sale, face, reason, words, done, thanks, back to rest",
            measured=f"{max(whole):.2f} s",
            reference=f"slowest of {len(whole)}; p50 {quantile(whole, 0.5):.2f} s; scripted, nobody thinks",
            bar=f"under {_BAR_WHOLE_S:.0f} s",
            met=max(whole) < _BAR_WHOLE_S,
        ),
    ]


def timed_visits(tablet: Tablet, till: Till, count: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds from sale to question, from tap to thanks, and until those were drawn."""
    awake, thanks, drawn = [], [], []
    page = tablet.page
    page.evaluate(_WATCH, "ask")
    for number in range(count):
        order = f"browser-{number}"
        begun = _now_ms(page)
        till.sell(order)
        awake.append((page.evaluate(_WHEN, order) - begun) / 1000)
        tablet.tap(5)
        sleep(_APART_S)
        there, shown = page.evaluate(_TAP)
        thanks.append(there)
        drawn.append(shown)
        tablet.press("leave")
        tablet.screen("rest").wait_for()
        sleep(_APART_S)
    return awake, thanks, drawn


def whole_visit(tablet: Tablet, till: Till, order: str) -> float:
    """Seconds of a whole visit."""
    begun = perf_counter()
    till.sell(order, amount="64.00")
    tablet.is_asked(order)
    tablet.tap(5)
    tablet.screen("ask").locator("[data-tag]").first.click()
    tablet.write("味道很好，下次还来。")
    tablet.press("done")
    tablet.thanked("rating")
    tablet.press("leave")
    tablet.screen("rest").wait_for()
    return perf_counter() - begun


def _now_ms(page: Page) -> float:
    """The browser's own clock, so that no offset counts."""
    now: float = page.evaluate("Date.now()")
    return now


@contextmanager
def _page() -> Iterator[Page]:
    args = ["--host-resolver-rules=MAP *.test 127.0.0.1"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=args)
        yield browser.new_page(viewport={"width": LANDSCAPE[0], "height": LANDSCAPE[1]}, locale="zh-CN")
        browser.close()
