"""How each state of a phone's page is looked at: by axe-core, by a reader of its language, with a ruler, as a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Page

from tests.e2e.people import LANDSCAPE, PORTRAIT
from tests.e2e.words import foreign_words

PHONE = (360, 740)
_OTHERS = {"portrait": PORTRAIT, "landscape": LANDSCAPE}

Look = Callable[[str, Page], None]

_FITS = "document.documentElement.scrollWidth <= innerWidth"
_LARGE = "document.documentElement.style.fontSize = '150%'"
_NORMAL = "document.documentElement.style.fontSize = ''"

# A link in running text is as high as its line: WCAG 2.5.8 exempts it, since to enlarge it would tear the text apart.
_TARGETS = """
    const inText = (one) => one.tagName === "A" && getComputedStyle(one).display === "inline"
        && one.parentElement.textContent.trim() !== one.textContent.trim();
    const seen = (one) => one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().width > 2;
    const named = (one) => one.outerHTML.replace(/\\s+/g, " ").slice(0, 90);
    const targets = [...document.querySelectorAll("main :is(a, button, input, select, textarea, summary), header a, footer a")]
        .filter((one) => one.type !== "hidden" && seen(one) && !inText(one))
        .map((one) => [one, one.getBoundingClientRect()]);
"""
_SMALL = f"""() => {{
    {_TARGETS}
    return targets
        .filter(([one, box]) => Math.min(box.height, box.width) < (one.matches(".face-button") ? 96 : 60) - 0.1)
        .map(([one, box]) => `${{named(one)}} ${{box.width}} x ${{box.height}}`);
}}"""
_CLOSE = f"""() => {{
    {_TARGETS}
    const close = [];
    for (const [at, [one, a]] of targets.entries()) for (const [other, b] of targets.slice(at + 1)) {{
        const across = Math.max(a.left - b.right, b.left - a.right);
        const along = Math.max(a.top - b.bottom, b.top - a.bottom);
        if (Math.max(across, along) < 7.9) close.push([named(one), named(other), across, along]);
    }}
    return close;
}}"""


def small_targets(page: Page) -> list[str]:
    """What can be tapped and is less than 60 px high or wide, a face of the question less than 96."""
    found: list[str] = page.evaluate(_SMALL)
    return found


def close_targets(page: Page) -> list[list[object]]:
    """Two that can be tapped and stand less than 8 px apart, with how far they do."""
    found: list[list[object]] = page.evaluate(_CLOSE)
    return found


def looking(shots: str | None, prefix: str) -> Look:
    """Nothing is found, nothing is small or close, nothing is in another language, nothing needs scrolling sideways.

    It holds in normal and in large type. With a folder for pictures each state is also looked at on a tablet's
    screen, upright and across: `<prefix>-<state>.png`, and with `-large`, `-portrait` or `-landscape` behind.
    """

    def shoot(page: Page, name: str) -> None:
        if shots is not None:
            page.screenshot(path=Path(shots, f"{prefix}-{name}.png"), full_page=True)

    def look(name: str, page: Page) -> None:
        shoot(page, name)
        results = Axe().run(page)
        assert results.violations_count == 0, (name, results.generate_report())
        assert foreign_words(page) == [], name
        _measure(page, name)
        page.evaluate(_LARGE)
        shoot(page, f"{name}-large")
        _measure(page, f"{name}, large")
        page.evaluate(_NORMAL)
        if shots is None:
            return
        for size, screen in _OTHERS.items():
            _turn(page, screen)
            shoot(page, f"{name}-{size}")
            _measure(page, f"{name}, {size}")
        _turn(page, PHONE)

    if shots is not None:
        Path(shots).mkdir(parents=True, exist_ok=True)
    return look


def _turn(page: Page, screen: tuple[int, int]) -> None:
    """Lays the page out for another screen, and waits until it is."""
    width, height = screen
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(
        "([width, height]) => innerWidth === width && innerHeight === height", arg=[width, height]
    )


def _measure(page: Page, name: str) -> None:
    assert small_targets(page) == [], name
    assert close_targets(page) == [], name
    assert page.evaluate(_FITS), name
