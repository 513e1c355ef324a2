"""Every page of the shop's staff and manager in every state: nothing found by axe-core, both languages, each size."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from merchant_agent.evidence.bodies import DisputeBody, FindingBody, FindingCode
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.alarms import raise_alarm
from merchant_agent.terminal.collect.answers import decline
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.devices import list_tablets, make_pairing_link, note_seen, note_tried, pair
from merchant_agent.terminal.store.holds import Reason
from tests.clocks import ManualClock
from tests.e2e.conftest import Examine, OpenPage
from tests.e2e.served import Served
from tests.enrolled import ask, complain, rate
from tests.live_central import LiveCentral
from tests.terminal.collect.shop import Shop
from tests.terminal.pos.odoo.server import DATABASE, KEY, LOGIN, Odoo
from tests.terminal.pos.printer.machines import Printer, print_job
from tests.terminal.pos.printer.papers import job
from tests.terminal.station import Station
from tests.terminal.web.test_messages import tell
from tests.upstream import Reply, Upstream

DAY_S = 24 * 3600

_looks = pytest.mark.looks("landscape-zh", "narrow-en")
_SMALL = """least => [...document.querySelectorAll("button, input:not([type=hidden]), select, summary, a.button, a.tile")]
    .filter(target => target.checkVisibility() && target.offsetHeight < least)
    .map(target => target.outerHTML.slice(0, 90))"""
_LEAST_PX, _LEAST_ON_TABLETS_PX = 48, 60


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    with Shop(tmp_path / "terminal", clock) as shop:
        shop.one = Tablet(id=new_id(clock.now()), till="1")
        yield shop


@pytest.fixture
def served(shop: Shop) -> Iterator[Served]:
    with Served(shop.terminal).set_secrets() as served:
        yield served


@pytest.fixture
def look(examine: Examine) -> Examine:
    """As `examine`, and what is pressed or filled in is large enough for somebody in a hurry."""

    def look_at(page: Page) -> None:
        examine(page)
        least = _LEAST_ON_TABLETS_PX if "/kiosk" in page.url else _LEAST_PX
        assert page.evaluate(_SMALL, least) == []

    return look_at


@_looks
def test_signing_in(
    shop: Shop, open_page: OpenPage, look: Examine, *, size: tuple[int, int], lang: str
) -> None:
    with Served(shop.terminal) as served:
        for place in ("counter", "manager"):
            page = open_page(size, may_lose=True)
            served.see(page, f"/{place}", lang)
            look(page)
        served.set_secrets()
        for place, wrong in (("counter", "111111"), ("manager", "not it")):
            page = open_page(size, may_lose=True)
            served.see(page, f"/{place}", lang)
            look(page)
            for _ in range(6):
                page.locator("input[name=secret]").fill(wrong)
                page.locator("form:has(input[type=password]) button[type=submit]").click()
                expect(page.get_by_role("alert")).to_be_visible()
                if _ == 0:
                    look(page)
            look(page)


@_looks
def test_counter_before_the_first_sale(
    served: Served, open_page: OpenPage, look: Examine, *, size: tuple[int, int], lang: str
) -> None:
    page = open_page(size)
    served.sign_in(page, "/counter", lang)
    look(page)
    page.locator("input[name=order]").fill("087")
    page.locator("input[name=amount]").fill("6.4.0")
    page.locator(".sale-form button").click()
    expect(page.locator("main > .notice-error[role=status]")).to_be_visible()
    look(page)


@_looks
def test_counter_in_the_middle_of_a_day(
    served: Served, shop: Shop, open_page: OpenPage, look: Examine, *, size: tuple[int, int], lang: str
) -> None:
    _a_day(shop)
    _pair(shop, "1")
    _pair(shop, "", ago_s=3600, reached="192.168.1.20")
    page = open_page(size, may_lose=True)
    served.sign_in(page, "/counter", lang)
    look(page)
    page.locator("input[name=order]").fill("093")
    page.locator(".sale-form button").click()
    expect(page.locator("main > .notice-done")).to_be_visible()
    look(page)
    with shop.full_disk():
        for number in range(100):
            page.locator("input[name=order]").fill(f"{number:060}")
            page.locator(".sale-form button").click()
            if page.locator(".sale-form").count() == 0:
                break
        look(page)


@_looks
def test_counter_where_much_is_wrong(
    served: Served, shop: Shop, open_page: OpenPage, look: Examine, *, size: tuple[int, int], lang: str
) -> None:
    with shop.terminal.store.write() as writer:
        for code, detail in (
            ("backup-failed", ""),
            ("order-amount", "1 087"),
            ("upload-rejected", "17 format"),
            ("mark-unwritable", ""),
            ("of-a-later-version", ""),
        ):
            raise_alarm(writer, at=shop.clock.now(), code=code, detail=detail)
    page = open_page(size, may_lose=True)
    served.sign_in(page, "/counter", lang)
    look(page)
    page.route("**/counter/state", lambda route: route.abort())
    expect(page.locator("[data-refresh-failed]")).to_be_visible()
    look(page)


@_looks
def test_while_nothing_is_signed(
    served: Served, shop: Shop, open_page: OpenPage, look: Examine, *, size: tuple[int, int], lang: str
) -> None:
    staff, manager = open_page(size), open_page(size)
    served.sign_in(staff, "/counter", lang)
    served.sign_in(manager, "/manager", lang)
    reasons: tuple[Reason, ...] = ("restored", "key", "frozen", "ended")
    for reason in reasons:
        shop.terminal.journal.put_on_hold(reason)
        staff.reload()
        look(staff)
        if reason == "key":
            manager.reload()
            look(manager)


@_looks
def test_sending_to_the_authority(
    tmp_path: Path,
    clock: ManualClock,
    open_page: OpenPage,
    look: Examine,
    *,
    size: tuple[int, int],
    lang: str,
) -> None:
    page = open_page(size)
    with ExitStack() as ends:
        central = LiveCentral(tmp_path / "central", clock)
        ends.callback(central.close)
        central.start()
        station = ends.enter_context(Station(tmp_path / "terminal", clock, central))
        station.enrol()
        with Served(station.terminal, uploader=station.uploader).set_secrets() as served:
            station.serve(3)
            station.send()
            served.sign_in(page, "/counter", lang)
            look(page)
            central.stop()
            station.serve(17)
            clock.advance(7200)
            station.send()
            page.reload()
            look(page)
        upstream = ends.enter_context(Upstream())
        upstream.script_rest(Reply(status=200, body=b"<html>Wi-Fi</html>"))
        station.settings = {"central_url": upstream.url}
        station.restart()
        with Served(station.terminal, uploader=station.uploader) as served:
            station.send()
            served.see(page, "/counter", lang)
            look(page)


@_looks
def test_pairing_at_the_counter(
    served: Served, shop: Shop, open_page: OpenPage, look: Examine, *, size: tuple[int, int], lang: str
) -> None:
    shop.sell(till="1")
    page, tablet = open_page(size), open_page(size, may_lose=True)
    served.sign_in(page, "/counter", lang)
    _offer(page)
    look(page)
    page.locator("details.typed summary").first.click()
    look(page)
    page.locator("details.typed summary").first.click()
    served.see(tablet, "/kiosk", lang)
    look(tablet)
    digits = _digits(page)
    _enter(tablet, _other(digits))
    look(tablet)
    _enter(tablet, digits)
    expect(tablet).to_have_url(re.compile("/kiosk/ready"))
    look(tablet)
    expect(page.locator("[data-refresh] .notice:not(.waiting)")).to_be_visible()
    look(page)
    tablet.locator("[data-do=wake]").click()
    expect(tablet.locator("[data-part=woken]")).to_be_visible()
    look(tablet)
    tablet.locator("[data-do=try]").first.click()
    expect(tablet.locator("[data-tried]")).to_be_visible()
    look(tablet)
    expect(page.locator("[data-refresh]")).to_contain_text("It woke" if lang == "en" else "能唤醒")
    look(page)
    page.get_by_role("link", name="Back to the counter" if lang == "en" else "回到柜台").click()
    look(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("form[action$='/again'] button").click()
    expect(page.locator(".digits-shown")).to_be_visible()
    look(page)
    page.go_back()
    page.locator("form[action$='/revoke'] button").click()
    expect(page.locator("main > .notice-done")).to_be_visible()
    look(page)


@_looks
def test_codes_of_pairing_that_are_over(
    served: Served, shop: Shop, open_page: OpenPage, look: Examine, *, size: tuple[int, int], lang: str
) -> None:
    page, tablet = open_page(size), open_page(size, may_lose=True)
    served.sign_in(page, "/counter", lang)
    _offer(page)
    digits, link = _digits(page), page.locator("details .address").first.text_content() or ""
    served.see(tablet, "/kiosk", lang)
    for _ in range(5):
        _enter(tablet, _other(digits))
        expect(tablet.locator("#wrong")).not_to_be_empty()
    look(tablet)
    _enter(tablet, digits)
    expect(tablet.locator("#wrong")).not_to_be_empty()
    look(tablet)
    shop.clock.advance(301)
    expect(page.locator("[data-refresh] .notice-alert")).to_be_visible()
    look(page)
    tablet.goto(link)
    expect(tablet.locator("#wrong")).not_to_be_empty()
    look(tablet)


@_looks
def test_pairing_where_only_this_machine_is_reached(
    shop: Shop, open_page: OpenPage, look: Examine, *, size: tuple[int, int], lang: str
) -> None:
    with Served(shop.terminal, is_open=False) as served:
        served.set_secrets()
        page = open_page(size)
        served.sign_in(page, "/counter", lang)
        look(page)
        _offer(page)
        look(page)


@_looks
def test_managers_page(
    shop: Shop, open_page: OpenPage, look: Examine, *, size: tuple[int, int], lang: str
) -> None:
    with Served(shop.terminal, is_open=False) as served:
        served.set_secrets()
        page = open_page(size)
        served.sign_in(page, "/manager", lang)
        look(page)
        page.locator("input[name=pin]").fill("123456")
        page.locator("form[action$='/pin'] button").click()
        expect(page.locator("main > .notice-error")).to_be_visible()
        look(page)
        page.locator("form[action$='/erase'] input[name=code]").fill("7K4M-2QPX-9RT")
        page.on("dialog", lambda dialog: dialog.accept())
        page.locator("form[action$='/erase'] button").click()
        expect(page.locator("main > .notice-error")).to_be_visible()
        look(page)


@_looks
def test_yesterday(
    served: Served, shop: Shop, open_page: OpenPage, look: Examine, *, size: tuple[int, int], lang: str
) -> None:
    page = open_page(size)
    _rated(shop, [5, 4, 2])
    shop.clock.advance(DAY_S)
    served.sign_in(page, "/manager", lang)
    look(page)
    _rated(shop, [5, 5, 5, 4, 4, 3, 5, 5, 1, 4, 5, 5, 2], fast=2, burst=11)
    shop.clock.advance(DAY_S)
    served.sign_in(page, "/manager", lang)
    look(page)


@_looks
def test_word_of_the_authority(
    served: Served, shop: Shop, open_page: OpenPage, look: Examine, *, size: tuple[int, int], lang: str
) -> None:
    page = open_page(size, may_lose=True)
    served.sign_in(page, "/manager/messages", lang)
    look(page)
    rating = rate(shop.terminal.journal, ask(shop.terminal.journal))
    other = rate(shop.terminal.journal, ask(shop.terminal.journal))
    codes: tuple[FindingCode, ...] = ("conflict", "late", "disputed", "split_view", "silent")
    tell(
        shop,
        FindingBody(
            code="broken_promise",
            place=rating.place,
            leaf=encode_b64u(rating.leaf),
            due_at="2026-05-20T11:00:00.000+08:00",
        ),
        *(FindingBody(code=code, place=None, leaf=None, due_at=None) for code in codes),
        DisputeBody(place=other.place, contested=True),
    )
    served.see(page, "/counter", lang)
    page.reload()
    served.see(page, "/manager", lang)
    look(page)
    served.see(page, "/manager/messages", lang)
    look(page)
    form = page.locator("form[action$='/explanation']").last
    form.locator("textarea").fill("停\u202e电")
    form.locator("button").click()
    expect(page.locator("#wrong")).to_be_visible()
    look(page)
    form = page.locator("form[action$='/explanation']").last
    form.locator("textarea").fill("当天上午停电，来电后已补发。")
    form.locator("button").click()
    expect(page.locator("main > .notice-done")).to_be_visible()
    look(page)


@_looks
def test_ways_by_which_a_pos_is_connected(
    served: Served, open_page: OpenPage, look: Examine, *, size: tuple[int, int], lang: str
) -> None:
    page = open_page(size)
    served.sign_in(page, "/manager/pos", lang)
    look(page)
    for way, wrong in (
        ("printer", {"address": "not an address"}),
        ("http", {}),
        ("folder", {"path": " "}),
        ("odoo", {"url": "shop.odoo.com", "database": "shop", "login": "reader", "api_key": "k"}),
    ):
        served.see(page, f"/manager/pos?way={way}", lang)
        look(page)
        form = page.locator("details.way[open] form")
        for name, value in wrong.items():
            form.locator(f"input[name={name}]").fill(value)
        if wrong:
            form.locator("button[type=submit]").click()
            expect(page.locator("main > .notice-error")).to_be_visible()
            look(page)


@_looks
def test_printer_between_the_pos_and_its_papers(
    served: Served, open_page: OpenPage, look: Examine, *, size: tuple[int, int], lang: str
) -> None:
    page, printer, name = open_page(size), Printer(), "Front" if lang == "en" else "前台"
    served.sign_in(page, "/manager/pos?way=printer", lang)
    form = page.locator("details.way[open] form")
    form.locator("input[name=name]").fill(name)
    form.locator("input[name=address]").fill(printer.address.removeprefix("tcp://"))
    form.locator("input[name=port]").fill(str(_free_port()))
    form.locator("input[name=till]").fill("1")
    form.locator("button[type=submit]").click()
    expect(page.locator("h1")).to_contain_text(name)
    look(page)
    page.locator("form[action$='/check'] button").click()
    expect(page.locator("main > .notice-done")).to_be_visible()
    look(page)
    for text in (
        "北街面馆\n单号: 087\n牛肉面  x1  28.00\n合计: 64.00",
        "后厨制作单\n单号: 087\n牛肉面 x1",
        "交班报表\n笔数: 31\n合计: 1204.00",
        "北街面馆\n桌牌 77\n牛肉面  28.00\n收您 28.00",
    ):
        _print(served, job(text))
    page.reload()
    expect(page.locator(".seen li")).to_have_count(4)
    look(page)
    page.locator(".seen a").first.click()
    look(page)
    page.locator("form:has(select[name=word]) button").first.click()
    expect(page.locator("main > .notice-done")).to_be_visible()
    look(page)
    page.locator("form[action$='/dry-run'] button").click()
    _print(served, job("北街面馆\n单号: 088\n牛肉面  x1  28.00\n合计: 28.00"))
    page.locator("details.way summary").last.click()
    look(page)
    printer.close()
    page.locator("form[action$='/check'] button").click()
    expect(page.locator("main > .notice-error")).to_be_visible()
    look(page)
    page.locator("details.way summary").last.click()
    page.locator("form[action$='/switch'] button").click()
    look(page)
    served.see(page, "/manager/pos", lang)
    look(page)


@_looks
def test_tills_that_call_an_address(
    served: Served, open_page: OpenPage, look: Examine, *, size: tuple[int, int], lang: str
) -> None:
    page = open_page(size)
    served.sign_in(page, "/manager/pos?way=http", lang)
    form = page.locator("details.way[open] form")
    form.locator("input[name=till]").fill("1")
    form.locator("button[type=submit]").click()
    token = page.locator(".address").first.inner_text()
    look(page)
    client = served.app.test_client()
    headers = {"Authorization": f"Bearer {token}"}
    for body in (
        {"order": "087", "till": "1", "amount": "64.00"},
        {"order": "", "till": "1"},
        {"order": "88", "till": "9"},
    ):
        client.post("/pos/v1/sales", json=body, headers=headers)
    client.post("/pos/v1/sales", json={}, headers={"Authorization": "Bearer TOKEN"})
    page.locator("details.way summary").first.click()
    page.locator("form[action$='/secret'] button").click()
    look(page)
    page.locator("details.way summary").first.click()
    page.locator("form[action$='/secret'] button").click()
    page.locator("details.way summary").first.click()
    look(page)
    page.locator("form[action$='/dry-run'] button").click()
    look(page)
    served.see(page, "/manager/pos", lang)
    look(page)


@_looks
def test_folders_and_odoo(
    served: Served, open_page: OpenPage, look: Examine, tmp_path: Path, *, size: tuple[int, int], lang: str
) -> None:
    page, odoo = open_page(size), Odoo()
    (tmp_path / "drop").mkdir()
    served.sign_in(page, "/manager/pos?way=folder", lang)
    form = page.locator("details.way[open] form")
    form.locator("input[name=path]").fill(str(tmp_path / "drop"))
    form.locator("button[type=submit]").click()
    page.locator("form[action$='/check'] button").click()
    expect(page.locator("main > .notice-done")).to_be_visible()
    look(page)
    (tmp_path / "drop").rmdir()
    page.locator("form[action$='/check'] button").click()
    expect(page.locator("main > .notice-error")).to_be_visible()
    look(page)
    served.see(page, "/manager/pos?way=odoo", lang)
    form = page.locator("details.way[open] form")
    for name, value in (("url", odoo.url), ("database", DATABASE), ("login", LOGIN), ("api_key", KEY)):
        form.locator(f"input[name={name}]").fill(value)
    form.locator("button[type=submit]").click()
    page.locator("form[action$='/check'] button").click()
    expect(page.locator("main > .notice-done")).to_be_visible()
    look(page)
    odoo.is_allowed = False
    page.locator("form[action$='/check'] button").click()
    expect(page.locator("main > .notice-error")).to_be_visible()
    look(page)
    odoo.close()
    served.see(page, "/manager/pos", lang)
    look(page)


def _pair(shop: Shop, till: str, *, ago_s: int = 0, reached: str = "shop.test") -> None:
    """A tablet that was seen then."""
    with shop.terminal.store.write() as writer:
        now = shop.clock.now()
        token = pair(writer, make_pairing_link(writer, at=now, till=till), at=now)
        note_tried(writer, list_tablets(writer)[-1].id, at=now)
        shop.clock.step_wall(-ago_s)
        note_seen(writer, token, at=shop.clock.now(), address="192.168.1.31", reached=reached)
        shop.clock.step_wall(ago_s)


def _a_day(shop: Shop) -> None:
    """Sales in every state, complaints and suggestions."""
    for order in ("081", "082"):
        shop.done(shop.sell(order, till="1"), 4)
        shop.clock.advance(40)
    decline(shop.terminal, shop.one, shop.sell("083", till="1").prompt_id)
    shop.sell("084", till="1")
    shop.clock.advance(300)
    shop.let_replaced_lapse()
    shop.tap(shop.sell("085", till="1"), 5)
    shop.sell("086", till="2")
    complain(shop.terminal.journal, None, comment="面里有根头发，想退钱。", order="084", amount="28.00 CNY")
    complain(shop.terminal.journal, None, comment="等了四十分钟才上菜，问了三次都说马上。" * 9)


def _rated(shop: Shop, levels: list[int], *, fast: int = 0, burst: int = 0) -> None:
    """A day's customers, some of them too fast to be any."""
    number = 0
    for level in levels:
        number += 1
        shop.done(shop.sell(f"R{number}", till="1"), level)
        shop.clock.advance(60)
    for _ in range(fast):
        number += 1
        shop.done(shop.sell(f"R{number}", till="1"), 5, dwell_ms=300)
        shop.clock.advance(60)
    for _ in range(burst):
        number += 1
        shop.done(shop.sell(f"R{number}", till="1"), 5)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _print(served: Served, octets: bytes) -> None:
    """The POS prints, where the terminal listens now."""
    print_job(served.connections.printer(1).relay, octets)


def _offer(page: Page) -> None:
    page.locator("form[action$='/counter/links'] button").click()
    expect(page.locator(".digits-shown")).to_be_visible()


def _digits(page: Page) -> str:
    """As somebody reads them at the counter."""
    return re.sub(r"\D", "", page.locator(".digits-shown").inner_text())


def _other(digits: str) -> str:
    return f"{(int(digits) + 1) % 1_000_000:06}"


def _enter(page: Page, digits: str) -> None:
    """On the tablet that is to be paired, until it is told what became of them."""
    with page.expect_event("load"):
        for digit in digits:
            page.locator(f"[data-key='{digit}']").click()
