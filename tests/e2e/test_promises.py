"""An officer registers what a shop promises, and its tablet shows it although nobody touches it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from playwright.sync_api import Page, expect

from merchant_agent.terminal.devices import make_pairing_link
from merchant_agent.terminal.inbox import Inbox, Seen
from merchant_agent.web.sign_in import set_secret
from tests.clocks import ManualClock
from tests.e2e.conftest import Examine, OpenPage
from tests.e2e.people import Tablet, at_shop
from tests.e2e.served import Served
from tests.e2e.test_sizes import dress
from tests.enrolled import ask, rate
from tests.live_central import LiveCentral
from tests.terminal.station import Station

MINUTE_S = 60
OFFICER, PASSWORD = "officer", "correct horse battery"
RETURNS = "promise-no_reason_return"
# Nothing of what is read lies under the buttons; on a phone it is scrolled.
_APART = """() => {
    const foot = document.querySelector("#stage .bottom").getBoundingClientRect();
    const lead = document.querySelector("#stage .rest .lead").getBoundingClientRect();
    return lead.bottom <= foot.top;
}"""


class County:
    """A real central, and a shop's terminal that reads its inbox when it is told to."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        self.clock = clock
        self.central = LiveCentral(path / "central", clock)
        set_secret(self.central.central.store, clock, name=OFFICER, role="officer", secret=PASSWORD, who="x")
        self.station = Station(path / "terminal", clock, self.central)

    def __enter__(self) -> Self:
        with ExitStack() as ends:
            ends.callback(self.central.close)
            self.central.start()
            terminal = ends.enter_context(self.station).enrol().terminal
            self.inbox = Inbox(terminal, self.station.client)
            served = Served(terminal, uploader=self.station.uploader, is_open=False)
            self.served = ends.enter_context(served)
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()

    def kiosk(self) -> str:
        """The address that makes a tablet of a browser."""
        with self.station.terminal.store.write() as writer:
            link = make_pairing_link(writer, at=self.clock.now(), uses=9, valid_s=MINUTE_S * MINUTE_S)
        return f"{self.served.url}/kiosk/pair/{link}"

    def look(self) -> None:
        """A minute later the terminal looks into its inbox."""
        self.clock.advance(MINUTE_S)
        assert self.inbox.look(self.central.url) is Seen.READ

    def edit(self, page: Page) -> None:
        """An officer's browser at the form of the shop."""
        page.goto(f"{self.central.url}/officer/merchants/{self.central.merchant}/edit")
        if page.locator("[name=secret]").count():
            page.locator("[name=name]").fill(OFFICER)
            page.locator("[name=secret]").fill(PASSWORD)
            page.locator("main [type=submit]").click()
        expect(page.locator("[name=credit_code]")).to_be_visible()


@pytest.fixture
def county(tmp_path: Path, clock: ManualClock) -> Iterator[County]:
    with County(tmp_path, clock) as county:
        yield county


def _promise_returns(form: Page, goods: str, terms: str = "") -> None:
    form.locator(f"[name={RETURNS}]").check()
    form.locator(f"[name={RETURNS}-days]").fill("7")
    form.locator(f"[name={RETURNS}-goods]").fill(goods)
    form.locator(f"[name={RETURNS}-terms]").fill(terms)


def _save(form: Page) -> None:
    with form.expect_navigation():
        form.locator("main [type=submit]").click()


def test_a_resting_tablet_shows_a_new_promise_and_a_corrected_name_by_itself(
    county: County, open_page: OpenPage
) -> None:
    tablet = Tablet(page=open_page())
    tablet.pair(county.kiosk())
    expect(tablet.screen("rest").locator(".promises")).to_have_count(0)
    form = open_page()
    county.edit(form)
    form.locator("[name=shop_name]").fill("示例面馆总店")
    _promise_returns(form, "未拆封的商品", "凭小票")
    _save(form)
    expect(form.locator(".promised")).to_contain_text("未拆封的商品")
    county.look()
    expect(tablet.screen("rest").locator(".shop-name")).to_have_text("示例面馆总店")
    expect(tablet.screen("rest").locator(".promises li")).to_have_text(
        ["7天无理由退换货未拆封的商品 · 凭小票"]
    )
    county.edit(form)
    form.locator(f"[name={RETURNS}]").uncheck()
    _save(form)
    county.look()
    expect(tablet.screen("rest").locator(".promises")).to_have_count(0)


def test_a_change_waits_until_the_customer_has_gone(county: County, open_page: OpenPage) -> None:
    tablet = Tablet(page=open_page())
    tablet.pair(county.kiosk())
    tablet.press("suggest")
    tablet.screen("suggest").locator("[data-field=comment]").fill("多放点辣")
    form = open_page()
    county.edit(form)
    _promise_returns(form, "未拆封的商品")
    _save(form)
    with tablet.page.expect_response("**/kiosk/api/screen?*"):
        county.look()
    expect(tablet.screen("suggest").locator("[data-field=comment]")).to_have_value("多放点辣")
    tablet.press("cancel")
    tablet.press("discard")
    rate(county.station.terminal.journal, ask(county.station.terminal.journal, till="2", asks=False))
    county.station.terminal.nudges.nudge_all()
    expect(tablet.screen("rest").locator(".promises li")).to_have_count(1)


@pytest.mark.looks("landscape-zh", "portrait-en", "narrow-zh")
def test_three_long_promises_do_not_crowd_the_resting_tablet(
    county: County, open_page: OpenPage, examine: Examine, size: tuple[int, int], lang: str
) -> None:
    form = open_page()
    county.edit(form)
    _promise_returns(
        form,
        "未拆封、未使用且不影响再次销售的预包装食品和日用百货，生鲜、熟食和贴身用品除外",
        "凭购物小票或电子支付记录到原购买门店办理，赠品须一并退回，退款在三个工作日内原路退回",
    )
    for code in ("full_weight", "clear_prices", "no_fakes"):
        form.locator(f"[name=promise-{code}]").check()
    form.locator("[name=promise-no_fakes-terms]").fill("假一赔十，最低赔五百元")
    _save(form)
    county.look()
    tablet = Tablet(page=open_page(size))
    tablet.page.goto(at_shop(county.kiosk()))
    expect(tablet.screen("rest").locator(".promises li")).to_have_count(3)
    for large in (False, True):
        dress(tablet, lang, large=large)
        examine(tablet.page)
        assert tablet.page.evaluate(_APART)
