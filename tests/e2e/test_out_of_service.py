"""A shop that closes for good: its tablet says so, in both languages, and takes nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from merchant_agent.demo.processes import stop_all
from merchant_agent.demo.running import Running, running_demo
from tests.e2e.conftest import Examine, OpenPage
from tests.e2e.people import Tablet, Till, at_shop, health
from tests.e2e.test_sizes import dress
from tests.programs import run_program


def _end(demo: Running) -> None:
    stop_all([demo.terminal])
    ended = run_program("terminal", "end", "--data", str(demo.folder.terminal), "--reason", "closed")
    assert ended.code == 0, ended
    demo.terminal.start()


def test_a_terminal_that_ended_is_out_of_service_on_its_tablet(tmp_path: Path, open_page: OpenPage) -> None:
    with running_demo(tmp_path, terminal_port=0, central_port=0, tablets=0) as demo:
        tablet = Tablet(page=open_page(may_lose=True))
        tablet.pair(demo.kiosk)
        till = Till(demo=demo)
        till.sell("E-1")
        tablet.is_asked("E-1")
        _end(demo)
        shown = tablet.screen("ended")
        expect(shown).to_be_visible(timeout=15_000)
        expect(shown).to_contain_text("已停止使用")
        tablet.speak("en")
        expect(shown).to_contain_text("Out of service")
        assert health(demo)["hold"] == "ended"
        assert health(demo)["waiting"] == 0


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A demo whose shop has closed."""
    folder = tmp_path_factory.mktemp("closed")
    with running_demo(folder, terminal_port=0, central_port=0, tablets=0) as demo:
        _end(demo)
        yield demo


@pytest.mark.looks("landscape-zh", "portrait-en")
def test_nothing_is_found_on_a_tablet_out_of_service(
    closed: Running, open_page: OpenPage, examine: Examine, size: tuple[int, int], lang: str
) -> None:
    page: Page = open_page(size)
    page.goto(at_shop(closed.kiosk))
    tablet = Tablet(page=page)
    expect(tablet.screen("ended")).to_be_visible()
    for large in (False, True):
        dress(tablet, lang, large=large)
        examine(page)
