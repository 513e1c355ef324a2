"""A manager connects the shop's printer on the page alone, and the next receipt asks its customer."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import OpenPage
from tests.e2e.people import Staff, Tablet, at_shop
from tests.terminal.pos.printer.machines import Printer, until
from tests.terminal.pos.printer.papers import job


@pytest.fixture
def printer() -> Iterator[Printer]:
    made = Printer()
    yield made
    made.close()


def test_printer_is_connected_from_the_page(demo: Running, open_page: OpenPage, printer: Printer) -> None:
    page = open_page()
    Staff(page=page).sign_in(f"{demo.terminal.url}/manager", demo.state.manager)
    page.goto(at_shop(f"{demo.terminal.url}/manager/pos?way=printer"))
    way = page.locator("details.way").first
    port = _free_port()
    way.locator("input[name=name]").fill("POS 1")
    way.locator("input[name=address]").fill(printer.address.removeprefix("tcp://"))
    way.locator("input[name=port]").fill(str(port))
    way.locator("button[type=submit]").click()
    page.locator("form[action$='/check'] button").click()
    expect(page.locator(".notice-done")).to_be_visible()
    _print(port, job(f"Shop\nReceipt No: {port}\nTotal: 64.00"))
    expect(page.locator(".seen strong").first).to_have_text(str(port))
    page.locator("form[action$='/dry-run'] button").click()
    _print(port, job(f"Shop\nReceipt No: {port + 1}\nTotal: 64.00"))
    until(lambda: b"/i/" in printer.jobs[-1])
    tablet = Tablet(page=open_page())
    tablet.page.goto(at_shop(demo.kiosk))
    expect(tablet.screen("ask")).to_contain_text(str(port + 1))
    tablet.page.get_by_role("button", name="这次不评").click()
    expect(tablet.screen("rest")).to_be_visible()
    page.locator("details.way summary").last.click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("form[action$='/remove'] button").click()
    expect(page.locator("details.way").first).to_be_visible()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _print(port: int, octets: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10.0) as pos:
        pos.sendall(octets)
        pos.shutdown(socket.SHUT_WR)
        while pos.recv(4096):
            pass
