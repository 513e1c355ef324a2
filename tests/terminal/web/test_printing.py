"""A customer's slip on paper: asked for on the tablet, printed at the counter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from merchant_agent.errors import NotFoundError
from merchant_agent.terminal.collect.said import Thanks
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.printing import SlipPrinting
from tests.terminal.collect.shop import Shop
from tests.terminal.pos.printer.machines import Printer
from tests.terminal.web.doors import Kiosk, make_app_of

_TABLET = Tablet(id="tablet", till="1")
_URL = "https://central.example/s/ABCDEFGH"
_THANKS = Thanks(
    query_code="K7M2-9QX4",
    place=None,
    slip_url=_URL,
    page_url=None,
    claim="a" * 43,
    created=True,
    as_sent=True,
)


@pytest.fixture
def printer() -> Iterator[Printer]:
    printer = Printer()
    yield printer
    printer.close()


def _at(shop: Shop, address: str) -> Shop:
    """The shop with a receipt printer for slips."""
    shop.terminal = replace(shop.terminal, settings=replace(shop.terminal.settings, slip_printer=address))
    return shop


def _answered(kiosk: Kiosk, shop: Shop) -> dict[str, object]:
    prompt = shop.sell("087").prompt_id
    thanks: dict[str, object] = kiosk.done(kiosk.new_id(), prompt, 1, comment="面凉了").get_json()
    return thanks


def test_without_a_printer_nothing_is_offered(kiosk: Kiosk, shop: Shop) -> None:
    assert _answered(kiosk, shop)["prints"] is False


def test_a_slip_is_printed_once_without_level_words_or_claim(shop: Shop, printer: Printer) -> None:
    kiosk = Kiosk.of(make_app_of(_at(shop, printer.address)), shop)
    thanks = _answered(kiosk, shop)
    assert thanks["prints"] is True
    asked = {"query_code": thanks["query_code"], "lang": "zh"}
    assert kiosk.post("prints", asked).get_json() == {"printed": True}
    assert printer.ended.wait(5)
    (paper,) = printer.jobs
    text = paper.decode("gb18030", "replace")
    assert str(thanks["query_code"]) in text
    assert str(thanks["slip"]).encode() in paper
    assert "示例面馆" in text
    assert paper.startswith(b"\x1b@")
    assert paper.endswith(b"\x1dV\x00")
    for secret in ("面凉了", "满意", str(thanks["claim"])):
        assert secret not in text
    assert kiosk.post("prints", asked).status_code == 404


def test_the_slip_speaks_the_customers_language(shop: Shop, printer: Printer) -> None:
    kiosk = Kiosk.of(make_app_of(_at(shop, printer.address)), shop)
    thanks = _answered(kiosk, shop)
    kiosk.post("prints", {"query_code": thanks["query_code"], "lang": "en"})
    assert printer.ended.wait(5)
    assert b"Query code" in printer.jobs[0]


def test_a_slip_is_printed_for_the_tablet_that_gave_the_thanks_alone(shop: Shop, printer: Printer) -> None:
    app = make_app_of(_at(shop, printer.address))
    kiosk, other = Kiosk.of(app, shop), Kiosk.of(app, shop)
    thanks = _answered(kiosk, shop)
    asked = {"query_code": thanks["query_code"], "lang": "zh"}
    assert other.post("prints", asked).status_code == 404
    assert app.test_client().post("/kiosk/api/prints", json=asked).status_code == 401
    assert kiosk.post("prints", asked | {"lang": "fr"}).status_code == 422
    assert kiosk.post("prints", asked).status_code == 200


def test_a_printer_that_is_off_is_told_and_may_be_tried_again(app: Flask, shop: Shop) -> None:
    off = Printer()
    off.close()
    printing = SlipPrinting(_at(shop, off.address).terminal, lambda _till: None)
    with app.test_request_context():
        assert printing.offer(_TABLET, _THANKS)
        assert printing.print(_TABLET, _THANKS.query_code, "zh") is False
        assert printing.print(_TABLET, _THANKS.query_code, "zh") is False


def test_where_the_till_prints_through_us_the_slip_goes_the_same_way(
    app: Flask, shop: Shop, printer: Printer
) -> None:
    jobs: list[bytes] = []

    class Tap:
        def print(self, octets: bytes) -> None:
            jobs.append(octets)

    printing = SlipPrinting(_at(shop, printer.address).terminal, lambda till: Tap() if till == "1" else None)
    with app.test_request_context():
        assert printing.offer(_TABLET, _THANKS)
        assert printing.print(_TABLET, _THANKS.query_code, "zh")
    assert _URL.encode() in jobs[0]
    assert printer.jobs == []


def test_what_has_no_slip_yet_is_not_offered(app: Flask, shop: Shop, printer: Printer) -> None:
    printing = SlipPrinting(_at(shop, printer.address).terminal, lambda _till: None)
    assert not printing.offer(_TABLET, replace(_THANKS, slip_url=None, query_code=""))
    with app.test_request_context(), pytest.raises(NotFoundError):
        printing.print(_TABLET, "", "zh")
