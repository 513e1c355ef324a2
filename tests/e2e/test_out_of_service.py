"""A shop that closes for good: its tablet says so, in both languages, and takes nothing more."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from merchant_agent.demo.processes import stop_all
from merchant_agent.demo.running import running_demo
from tests.e2e.conftest import OpenPage
from tests.e2e.people import Tablet, Till, health
from tests.programs import run_program


def test_a_terminal_that_ended_is_out_of_service_on_its_tablet(tmp_path: Path, open_page: OpenPage) -> None:
    with running_demo(tmp_path, terminal_port=0, central_port=0, tablets=0) as demo:
        tablet = Tablet(page=open_page(may_lose=True))
        tablet.pair(demo.kiosk)
        till = Till(demo=demo)
        till.sell("E-1")
        tablet.is_asked("E-1")
        stop_all([demo.terminal])
        ended = run_program("terminal", "end", "--data", str(demo.folder.terminal), "--reason", "closed")
        assert ended.code == 0, ended
        demo.terminal.start()
        shown = tablet.screen("ended")
        expect(shown).to_be_visible(timeout=15_000)
        expect(shown).to_contain_text("已停止使用")
        tablet.speak("en")
        expect(shown).to_contain_text("Out of service")
        assert health(demo)["hold"] == "ended"
        assert health(demo)["waiting"] == 0
