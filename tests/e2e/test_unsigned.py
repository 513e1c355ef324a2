"""A terminal whose key is gone: the customer is thanked, and shown where else to say it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from merchant_agent.demo.processes import stop_all
from merchant_agent.demo.running import Running, running_demo
from tests.e2e.conftest import Examine, OpenPage
from tests.e2e.people import Tablet, Till
from tests.e2e.test_sizes import dress


@pytest.fixture(scope="module")
def keyless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A demo whose terminal lost its key."""
    folder = tmp_path_factory.mktemp("keyless")
    with running_demo(folder, terminal_port=0, central_port=0, tablets=0) as demo:
        stop_all([demo.terminal])
        (key,) = (demo.folder.terminal / "keys").glob("*.pem")
        key.unlink()
        demo.terminal.start()
        yield demo


@pytest.mark.looks("landscape-zh", "portrait-en")
@pytest.mark.parametrize("large", [False, True], ids=["normal", "large"])
def test_a_rating_that_cannot_be_signed_is_thanked_with_the_authoritys_own_page(
    keyless: Running, open_page: OpenPage, examine: Examine, *, size: tuple[int, int], lang: str, large: bool
) -> None:
    tablet, order = Tablet(page=open_page(size)), f"U-{lang}-{size[0]}-{large:d}"
    tablet.pair(keyless.kiosk)
    sold = Till(demo=keyless).sell(order)
    assert (sold["prompt"]["seq"], sold["prompt"]["state"], sold["invitation"]) == (None, "asked", None)
    tablet.is_asked(order)
    dress(tablet, lang, large=large)
    expect(tablet.page.locator("[data-do=phone]")).to_be_hidden()
    examine(tablet.page)
    tablet.tap(2)
    tablet.press("done")
    thanks = tablet.screen("thanks-rating")
    expect(thanks.locator("[data-when=unsigned]")).to_be_visible()
    expect(thanks.locator("[data-qr] svg")).to_be_visible()
    expect(thanks.locator("[data-slot=page]")).to_contain_text(f"{keyless.central.url}/p/")
    expect(thanks.locator(".code")).to_be_hidden()
    expect(thanks.locator("h1")).to_be_visible()
    examine(tablet.page)
