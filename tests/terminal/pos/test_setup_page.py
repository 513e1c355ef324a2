"""The manager connects a POS from the page alone."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest
from flask import Flask

from merchant_agent.evidence.bodies import ReceiptWord, SettingsBody
from merchant_agent.terminal.app import create_app
from merchant_agent.terminal.pos.connections import Connections
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.uploader import Uploader
from tests.terminal.collect.shop import Shop
from tests.terminal.pos.printer.machines import Printer, print_job, until
from tests.terminal.pos.printer.papers import job
from tests.terminal.web.doors import Kiosk
from tests.terminal.web.people import Person, manager_of, words_of

ODD = job("小店\n桌牌 77\n面  12.00\n收您 12.00")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
def app(shop: Shop, connections: Connections) -> Flask:
    connections.start()
    uploader = Uploader(shop.terminal, Client())
    return create_app(shop.terminal, uploader, is_open=False, connections=connections)


@pytest.fixture
def manager(app: Flask, shop: Shop) -> Person:
    return manager_of(app, shop)


@pytest.fixture
def printer() -> Iterator[Printer]:
    made = Printer()
    yield made
    made.close()


def _connect_printer(manager: Person, printer: Printer, port: str = "0") -> str:
    answer = manager.send(
        "/manager/pos",
        "/manager/pos/ways",
        kind="printer",
        name="前台",
        address=printer.address,
        host="127.0.0.1",
        port=port,
        lang="zh",
        till="1",
    )
    assert answer.location is not None
    return str(answer.location)


def _print(connections: Connections, octets: bytes) -> None:
    print_job(connections.printer(1).relay, octets)


def test_printer_is_connected_tested_tried_and_then_asks(
    manager: Person, shop: Shop, connections: Connections, printer: Printer
) -> None:
    page = _connect_printer(manager, printer)
    assert "就绪" in words_of(manager.see(page))
    manager.send(page, f"{page}/check")
    assert "刚刚测试：就绪" in words_of(manager.see(page))
    manager.send(page, f"{page}/print")
    until(lambda: len(printer.jobs) == 2)  # the test connected, too
    _print(connections, job("小店\n单号: 087\n合计: 64.00"))
    until(lambda: "试运行：会算一笔交易 087 64.00 元" in words_of(manager.see(f"{page}/seen")))
    assert shop.story() == []
    manager.send(page, f"{page}/dry-run", on="0")
    _print(connections, job("小店\n单号: 088\n合计: 64.00"))
    assert shop.story() == ["prompt"]
    assert "一笔交易 088" in words_of(manager.see(page))


def test_word_is_chosen_on_the_shops_own_receipt_and_signed(
    manager: Person, shop: Shop, connections: Connections, printer: Printer
) -> None:
    page = _connect_printer(manager, printer)
    _print(connections, ODD)
    seen = words_of(manager.see(f"{page}?paper=0"))
    assert "没找到合计" in seen
    assert "77 (桌牌)" in seen
    manager.send(page, f"{page}/word", sort="order", word="桌牌", paper="0")
    manager.send(page, f"{page}/word", sort="total", word="收您", paper="0")
    assert "现在读作顾客小票 单号77 合计12.00" in words_of(manager.see(f"{page}?paper=0"))
    body = shop.records()[-1].body
    assert isinstance(body, SettingsBody)
    assert body.words == (ReceiptWord(sort="order", word="桌牌"), ReceiptWord(sort="total", word="收您"))
    _print(connections, ODD)
    assert "试运行：会算一笔交易 77 12.00 元" in words_of(manager.see(page))
    manager.send(page, f"{page}/forget-word", sort="order", word="桌牌")
    body = shop.records()[-1].body
    assert isinstance(body, SettingsBody)
    assert body.words == (ReceiptWord(sort="total", word="收您"),)


def test_title_of_the_shops_makes_a_paper_no_sale(
    manager: Person, connections: Connections, printer: Printer
) -> None:
    page = _connect_printer(manager, printer)
    paper = job("小店\n出杯条\n单号: 5\n合计: 12.00")
    _print(connections, paper)
    manager.send(page, f"{page}/word", sort="kitchen", word="出杯条", paper="0")
    _print(connections, paper)
    assert "厨房单 因为“出杯条”" in words_of(manager.see(page))


def test_word_that_is_the_shops_own_name_leaves_nobody_out_and_the_page_says_so(
    manager: Person, connections: Connections, printer: Printer
) -> None:
    page = _connect_printer(manager, printer)
    paper = job("示例面馆\n单号: 5\n合计: 12.00")
    _print(connections, paper)
    manager.send(page, f"{page}/word", sort="kitchen", word="示例面馆", paper="0")
    _print(connections, paper)
    seen = words_of(manager.see(f"{page}?paper=0"))
    assert "试运行：会算一笔交易 5 12.00 元" in seen
    assert "现在读作顾客小票 单号5 合计12.00" in seen


def test_what_a_test_found_is_how_the_printer_stands(manager: Person) -> None:
    gone = Printer()
    page = _connect_printer(manager, gone)
    gone.close()
    manager.send(page, f"{page}/check")
    assert "刚刚测试：就绪" not in words_of(manager.see(page))
    assert "就绪" not in words_of(manager.see(page))


def test_what_a_test_found_is_how_a_folder_stands(manager: Person, shop: Shop) -> None:
    folder = shop.settings.data.parent / "drop"
    folder.mkdir()
    made = manager.send("/manager/pos", "/manager/pos/ways", kind="folder", path=str(folder))
    until(lambda: "就绪" in words_of(manager.see(str(made.location))))
    folder.rmdir()
    manager.send("/manager/pos", f"{made.location}/check")
    assert words_of(manager.see(str(made.location))).count("文件夹不在") > 1


def test_word_is_not_changed_while_nothing_can_be_signed(
    manager: Person, shop: Shop, printer: Printer
) -> None:
    page = _connect_printer(manager, printer)
    shop.terminal.journal.put_on_hold("frozen", "test")
    assert manager.send(page, f"{page}/word", sort="order", word="桌牌").status_code == 503
    assert "桌牌" not in manager.see(page)


def test_line_to_copy_reports_a_sale(app: Flask, manager: Person, shop: Shop) -> None:
    page = manager.send("/manager/pos", "/manager/pos/tokens", till="1").get_data(as_text=True)
    found = re.search(r"<code>(curl -X POST .*?)</code>", page)
    assert found is not None
    line = shlex.split(found[1].replace("&#39;", "'").replace("&#34;", '"'))
    headers = dict(part.split(": ") for part in line if ": " in part)
    answer = app.test_client().post(line[3].removeprefix("http://localhost"), data=line[-1], headers=headers)
    assert (answer.status_code, shop.story()) == (202, [])
    (token_id,) = set(re.findall(r"/manager/pos/tokens/([0-9a-f]{16})/", page))
    assert "试运行：会算一笔交易 001 64.00 元" in words_of(manager.see(f"/manager/pos/tokens/{token_id}"))
    manager.send("/manager/pos", f"/manager/pos/tokens/{token_id}/dry-run", on="0")
    app.test_client().post("/pos/v1/sales", data=line[-1], headers=headers)
    assert shop.story() == ["prompt"]


def test_wrong_token_shows_the_manager_why(app: Flask, manager: Person) -> None:
    page = manager.send("/manager/pos", "/manager/pos/tokens", till="1").get_data(as_text=True)
    token_id = re.findall(r"/manager/pos/tokens/([0-9a-f]{16})/", page)[0]
    app.test_client().post("/pos/v1/sales", json={}, headers={"Authorization": "Bearer TOKEN"})
    assert "缺少令牌，或令牌无效" in words_of(manager.see(f"/manager/pos/tokens/{token_id}/seen"))


def test_secret_is_shown_once_and_two_are_told(manager: Person) -> None:
    page = manager.send("/manager/pos", "/manager/pos/tokens", till="1").get_data(as_text=True)
    token_id = re.findall(r"/manager/pos/tokens/([0-9a-f]{16})/", page)[0]
    here = f"/manager/pos/tokens/{token_id}"
    first = manager.send("/manager/pos", f"{here}/secret").get_data(as_text=True)
    secret = re.findall(r'<p class="code address">([\w-]{43})</p>', first)
    assert len(secret) == 1
    assert secret[0] not in manager.see(here)
    manager.send("/manager/pos", f"{here}/secret")
    assert "新旧两个密钥都有效" in words_of(manager.see(here))
    manager.send("/manager/pos", f"{here}/end-former")
    assert "新旧两个密钥都有效" not in words_of(manager.see(here))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kind": "printer", "address": "not an address"}, "这不是打印机地址"),
        ({"kind": "printer", "address": "127.0.0.1:9100", "port": "9100"}, "这不是打印机地址"),
        ({"kind": "printer", "address": "printer", "port": "x"}, "端口是不超过65535的数字"),
        ({"kind": "printer", "address": "printer", "host": "anywhere"}, "请选择谁可以打印到这里"),
        ({"kind": "folder", "path": ""}, "请填写文件夹的完整路径"),
        ({"kind": "odoo", "url": "shop.odoo.com"}, "请填写浏览器里打开Odoo的地址"),
    ],
)
def test_what_was_mistyped_is_told_and_nothing_is_made(
    manager: Person, fields: dict[str, str], told: str
) -> None:
    given = {"host": "127.0.0.1", "port": "9100", "database": "d", "login": "l", "api_key": "k"} | fields
    answer = manager.send("/manager/pos", "/manager/pos/ways", **given)
    page = words_of(manager.see(str(answer.location)))
    assert told in page
    assert "还没有。请在下面选一种方式" in page


def test_what_was_typed_stands_in_the_form_again_but_no_key(manager: Person) -> None:
    typed = {"url": "shop.odoo.com", "database": "shop", "login": "reader", "api_key": "a-secret-key"}
    answer = manager.send("/manager/pos", "/manager/pos/ways", kind="odoo", till="2", **typed)
    page = manager.see(str(answer.location))
    for name in ("url", "database", "login"):
        assert f'value="{typed[name]}"' in page
    assert "a-secret-key" not in page
    assert "shop.odoo.com" not in re.sub('placeholder="[^"]*"', "", manager.see(str(answer.location)))


def test_language_is_chosen_on_a_page_that_a_button_made(manager: Person) -> None:
    page = manager.send("/manager/pos", "/manager/pos/tokens", till="1").get_data(as_text=True)
    (token_id,) = set(re.findall(r"/manager/pos/tokens/([0-9a-f]{16})/", page))
    assert manager.client.get("/manager/pos/tokens?lang=en").location == "/manager/pos"
    here = f"/manager/pos/tokens/{token_id}"
    manager.send("/manager/pos", f"{here}/secret")
    assert manager.client.get(f"{here}/secret?lang=zh").location == here


def test_folder_and_odoo_tell_how_they_stand(manager: Person, shop: Shop) -> None:
    folder = shop.settings.data.parent / "drop"
    made = manager.send("/manager/pos", "/manager/pos/ways", kind="folder", path=str(folder))
    manager.send("/manager/pos", f"{made.location}/check")
    assert "文件夹不在" in words_of(manager.see(str(made.location)))
    folder.mkdir()
    until(lambda: "就绪" in words_of(manager.see(str(made.location))))
    made = manager.send(
        "/manager/pos",
        "/manager/pos/ways",
        kind="odoo",
        url="http://127.0.0.1:9",
        database="shop",
        login="reader",
        api_key="a-secret-key",
    )
    manager.send("/manager/pos", f"{made.location}/check")
    page = manager.see(str(made.location))
    assert "连不上" in words_of(page)
    assert "a-secret-key" not in page
    manager.send("/manager/pos", f"{made.location}/remove")
    assert manager.client.get(str(made.location)).status_code == 404


def test_pages_read_in_both_languages(manager: Person, connections: Connections, printer: Printer) -> None:
    page = _connect_printer(manager, printer)
    _print(connections, job("Shop\nNo: 5\n\n12.00"))
    token = manager.send("/manager/pos", "/manager/pos/tokens", till="1").get_data(as_text=True)
    token_id = re.findall(r"/manager/pos/tokens/([0-9a-f]{16})/", token)[0]
    for path in ("/manager/pos", f"{page}?paper=0", f"/manager/pos/tokens/{token_id}"):
        assert _CHINESE.search(words_of(manager.see(path)))
        english = words_of(manager.see(path + ("&" if "?" in path else "?") + "lang=en"))
        for name in ("示例面馆", "中文", "前台", "单号,金额,时间"):
            english = english.replace(name, "")
        assert _CHINESE.search(english) is None, english
        manager.see("/manager/pos?lang=zh")


@pytest.mark.parametrize(
    "page", ["/manager/pos", "/manager/pos/ways/1", "/manager/pos/tokens/x", "/manager/pos/ways/1/seen"]
)
def test_nobody_else_comes_in(app: Flask, shop: Shop, page: str) -> None:
    for client in (Person.of(app).client, Kiosk.of(app, shop).client):
        assert client.get(page).status_code in {302, 401}
