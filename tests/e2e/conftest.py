"""One demo for all stories, browsers as in a shop's network, and pages that may not complain."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, Page

from merchant_agent.demo.running import Running, running_demo
from tests.e2e.people import LANDSCAPE, PORTRAIT, Till
from tests.e2e.words import foreign_words

OpenPage = Callable[..., Page]
Examine = Callable[[Page], None]

PHONE = (360, 740)
_SIZES = {"landscape": LANDSCAPE, "portrait": PORTRAIT, "narrow": PHONE}


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/e2e -m looks --shots DIR` takes pictures of all pages, to be looked at."""
    parser.addoption("--shots", metavar="DIR", help="folder for pictures of all pages")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "looks(*size-lang): the page is examined in these sizes and languages")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Pages marked `looks(...)` are examined in these sizes and languages, with `--shots` in all of each."""
    marker = metafunc.definition.get_closest_marker("looks")
    if marker is None:
        return
    every = [f"{size}-{lang}" for size in _SIZES for lang in ("zh", "en")]
    chosen = every if metafunc.config.getoption("--shots") else marker.args
    looks = [(_SIZES[size], lang) for size, lang in (look.split("-") for look in chosen)]
    metafunc.parametrize(("size", "lang"), looks, ids=chosen)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A central and an enrolled terminal, as processes."""
    folder = tmp_path_factory.mktemp("demo")
    with running_demo(folder, terminal_port=0, central_port=0, tablets=0) as running:
        yield running


@pytest.fixture
def till(demo: Running) -> Iterator[Till]:
    """The shop's POS; what it sold and nobody answered is taken back after the test."""
    till = Till(demo=demo)
    yield till
    till.withdraw_all()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens pages, each in a browser of its own; an error in a console or script fails the test.

    `may_lose=True` for a page whose server goes away on purpose: requests may fail there.
    """
    contexts, complaints = [], []

    def open_one(size: tuple[int, int] = LANDSCAPE, *, locale: str = "zh-CN", may_lose: bool = False) -> Page:
        # Without motion a page is what it is at once, also for those who measure its contrast.
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=locale, reduced_motion="reduce"
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if message.type == "error" and not (may_lose and "Failed to load resource" in message.text)
                else None
            ),
        )
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def examine(request: pytest.FixtureRequest) -> Examine:
    """Nothing is found on the page by axe-core, no word of another language stands there, and nothing has to be
    scrolled sideways; `--shots` takes its picture.
    """
    shots: str | None = request.config.getoption("--shots", default=None)
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-")
    numbers = count(1)

    def examine_page(page: Page) -> None:
        if shots is not None:
            Path(shots).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(shots, f"{name}-{next(numbers):02d}.png"), full_page=True)
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        assert foreign_words(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    return examine_page
