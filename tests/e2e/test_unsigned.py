"""A terminal whose key is gone: the customer is thanked, and shown where else to say it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from merchant_agent.demo.processes import stop_all
from merchant_agent.demo.running import running_demo
from tests.e2e.conftest import OpenPage
from tests.e2e.people import Tablet, Till


def test_a_rating_that_cannot_be_signed_is_thanked_with_the_authoritys_own_page(
    tmp_path: Path, open_page: OpenPage
) -> None:
    with running_demo(tmp_path / "demo", terminal_port=0, central_port=0, tablets=0) as demo:
        tablet = Tablet(page=open_page(may_lose=True))
        tablet.pair(demo.kiosk)
        stop_all([demo.terminal])
        (key,) = (demo.folder.terminal / "keys").glob("*.pem")
        key.unlink()
        demo.terminal.start()
        sold = Till(demo=demo).sell("U-1")
        assert (sold["prompt"]["seq"], sold["prompt"]["state"], sold["invitation"]) == (None, "asked", None)
        tablet.is_asked("U-1")
        expect(tablet.page.locator("[data-do=phone]")).to_be_hidden()
        tablet.tap(2)
        tablet.press("done")
        thanks = tablet.screen("thanks-rating")
        expect(thanks.locator("[data-when=unsigned]")).to_be_visible()
        expect(thanks.locator("[data-qr] svg")).to_be_visible()
        expect(thanks.locator("[data-slot=page]")).to_contain_text(f"{demo.central.url}/p/")
        expect(thanks.locator(".code")).to_be_hidden()
        expect(thanks.locator("h1")).to_be_visible()
