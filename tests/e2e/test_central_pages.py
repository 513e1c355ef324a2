"""Every page of officers and of the public at central, in each of its states."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from merchant_agent.evidence.query_code import query_code
from tests.central.web.office import PASSWORD, credit_code
from tests.e2e.bureau import LOCKED_OUT, OFFICER, TROUBLES, Bureau, Busy, make_busy, served
from tests.e2e.conftest import Examine, OpenPage
from tests.e2e.people import at_shop

_HEADS = "名称,店名,统一社会信用代码,地址,行业,联系电话,创建状态\r\n"
_LIST = f"{_HEADS}示例花店有限公司,示例花店,{credit_code(99)},示例路 99 号,餐饮,,\r\n"
_LIST_WITH_FAULTS = (
    f"{_HEADS},示例一店,{credit_code(98)},示例路 9 号,餐饮,,\r\n"
    "示例二店有限公司,,91510129MA0000007I,,月球,电话,\r\n"
).encode()

_wide_and_narrow = pytest.mark.looks("landscape-zh", "narrow-en")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Busy]:
    """Everything has happened there."""
    with served(tmp_path_factory.mktemp("busy")) as bureau:
        yield make_busy(bureau)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Bureau]:
    """Nothing has happened there; its log was not begun."""
    with served(tmp_path, is_logged=False) as bureau:
        yield bureau


class Visit:
    """Somebody at central with a browser of some size and language."""

    def __init__(self, page: Page, bureau: Bureau, lang: str, examine: Examine) -> None:
        self.page = page
        self._url = at_shop(bureau.url)
        self._lang = lang
        self._examine = examine

    def go(self, path: str) -> None:
        self.page.goto(f"{self._url}{path}{'&' if '?' in path else '?'}lang={self._lang}")

    def look(self, *paths: str) -> None:
        """Examines the page that is open, or all at these paths."""
        for path in paths:
            self.go(path)
            self._examine(self.page)
        if not paths:
            self._examine(self.page)

    def send(self, form: str) -> None:
        """The first such form, and what it leads to."""
        with self.page.expect_navigation():
            self.page.locator(f"main form{form} button[type=submit]").first.click()

    def sign_in(self, name: str = OFFICER, secret: str = PASSWORD) -> None:
        self.page.locator("input[name=name]").fill(name)
        self.page.locator("input[name=secret]").fill(secret)
        self.send("")

    def enter(self) -> None:
        """As an officer."""
        self.go("/officer/sign-in")
        self.sign_in()
        expect(self.page).to_have_url(f"{self._url}/officer")


@_wide_and_narrow
def test_public_pages(
    busy: Busy, open_page: OpenPage, examine: Examine, size: tuple[int, int], lang: str
) -> None:
    visit = Visit(open_page(size), busy.bureau, lang, examine)
    visit.look("/", "/merchants", "/merchants?q=%E5%B0%8F%E5%90%83", "/merchants?q=7777")
    visit.look("/log")
    visit.look(f"/m/{busy.noodles.merchant}", f"/m/{busy.few.merchant}", f"/m/{busy.new}")


@_wide_and_narrow
def test_check_of_a_query_code(
    busy: Busy, open_page: OpenPage, examine: Examine, size: tuple[int, int], lang: str
) -> None:
    visit = Visit(open_page(size, may_lose=True), busy.bureau, lang, examine)
    visit.look(
        "/check",
        f"/check?code={busy.came}",
        f"/check?code={query_code(bytes(32))}",
        "/check?code=7K4M-2QPX-9RU",
    )


@_wide_and_narrow
def test_first_pages_of_a_fresh_central(
    fresh: Bureau, open_page: OpenPage, examine: Examine, size: tuple[int, int], lang: str
) -> None:
    visit = Visit(open_page(size), fresh, lang, examine)
    visit.look("/", "/merchants", "/log", "/officer/sign-in")
    fresh.hire(OFFICER)
    visit.enter()
    visit.look("/officer", "/officer/complaints", "/officer/ratings", "/officer/suggestions")
    visit.look("/officer/urgings", "/officer/calls", "/officer/calls?which=settled", "/officer/findings")


@_wide_and_narrow
def test_signing_in_wrongly(
    busy: Busy, open_page: OpenPage, examine: Examine, size: tuple[int, int], lang: str
) -> None:
    visit = Visit(open_page(size, may_lose=True), busy.bureau, lang, examine)
    visit.look("/officer/sign-in")
    visit.sign_in("nobody", "wrong wrong wrong")
    visit.look()
    for _ in range(6):
        visit.sign_in(LOCKED_OUT, "wrong wrong wrong")
    visit.look()


@_wide_and_narrow
def test_merchants_and_their_terminals_for_officers(
    busy: Busy, open_page: OpenPage, examine: Examine, size: tuple[int, int], lang: str
) -> None:
    visit = Visit(open_page(size), busy.bureau, lang, examine)
    visit.enter()
    visit.look("/officer", "/officer?q=7777")
    shops = (busy.noodles, busy.frozen, busy.ended, busy.going_on)
    visit.look(*(f"/officer/merchants/{merchant}" for merchant in (busy.waiting, busy.new)))
    visit.look(*(f"/officer/merchants/{shop.merchant}" for shop in shops))
    visit.look(*(shop.key for shop in shops))
    visit.go(f"/officer/merchants/{busy.new}")
    visit.send("[action$='/code']")
    visit.look()
    visit.go(f"/officer/merchants/{busy.new}")
    visit.send("[action$='/sheet']")
    visit.look()


@_wide_and_narrow
def test_registering_merchants(
    busy: Busy, open_page: OpenPage, examine: Examine, size: tuple[int, int], lang: str
) -> None:
    visit = Visit(open_page(size, may_lose=True), busy.bureau, lang, examine)
    visit.enter()
    visit.look("/officer/merchants/new", f"/officer/merchants/{busy.noodles.merchant}/edit")
    visit.page.locator("input[name=credit_code]").fill("91310000MA1K00000I")
    visit.page.locator("input[name=name]").fill("")
    visit.send("")
    visit.look()
    visit.look("/officer/import")
    for file in (_LIST_WITH_FAULTS, b"\xff\xff"):
        chosen: FilePayload = {"name": "merchants.csv", "mimeType": "text/csv", "buffer": file}
        visit.page.locator("input[type=file]").set_input_files(chosen)
        visit.send("")
        visit.look()
    visit.go("/officer/import")
    chosen = {"name": "merchants.csv", "mimeType": "text/csv", "buffer": _LIST.encode()}
    visit.page.locator("input[type=file]").set_input_files(chosen)
    visit.send("")
    visit.look()


@_wide_and_narrow
def test_what_customers_said_for_officers(
    busy: Busy, open_page: OpenPage, examine: Examine, size: tuple[int, int], lang: str
) -> None:
    visit = Visit(open_page(size), busy.bureau, lang, examine)
    visit.enter()
    visit.look("/officer/complaints", "/officer/ratings?page=2", "/officer/ratings?level=1")
    visit.look(f"/officer/suggestions?merchant={busy.noodles.merchant}", "/officer/urgings")
    for look_at in ("contact", "complaint", "photos"):
        visit.go("/officer/complaints")
        visit.send(f"[action$='/officer/{look_at}']")
        visit.look()
    visit.look("/officer/calls", "/officer/calls?which=settled")
    visit.look(busy.disputed, busy.unreached, busy.called)
    visit.look("/officer/findings", "/officer/findings?which=settled", "/officer/findings?which=all")


@_wide_and_narrow
def test_errors_as_people_see_them(
    busy: Busy, open_page: OpenPage, examine: Examine, size: tuple[int, int], lang: str
) -> None:
    visit = Visit(open_page(size, may_lose=True), busy.bureau, lang, examine)
    visit.look("/nothing", *(f"/trouble/{name}" for name in TROUBLES))
