"""What watchdogs read: how far the terminal is, and nothing about anybody."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from merchant_agent.settings import TerminalSettings
from merchant_agent.terminal.app import create_app
from merchant_agent.terminal.metrics import METRICS
from merchant_agent.terminal.pos.connections import Connections
from merchant_agent.terminal.pos.ways import FolderDetails, add_way
from merchant_agent.terminal.services import close_terminal, open_terminal
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.uploader import Uploader
from merchant_agent.web.metrics import CONTENT_TYPE
from tests.clocks import ManualClock
from tests.terminal.collect.shop import Shop
from tests.terminal.pos.printer.machines import until
from tests.terminal.web.doors import Kiosk, Till


def test_health_tells_head_acknowledged_and_waiting(app: Flask, shop: Shop) -> None:
    shop.sell("087")
    answer = app.test_client().get("/healthz")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "status": "ok",
        "head": {"epoch": 1, "seq": 0},
        "acknowledged": {"epoch": 1, "seq": -1},
        "waiting": 1,
        "last_upload_at": None,
        "upload": "ready",
        "hold": None,
    }


def test_health_names_what_holds_up_the_signing(app: Flask, shop: Shop) -> None:
    shop.terminal.journal.put_on_hold("frozen")
    assert app.test_client().get("/healthz").get_json()["hold"] == "frozen"


def test_an_enrolled_terminal_is_ready(app: Flask) -> None:
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.get_json()) == (200, {"ready": True})


def test_a_terminal_before_its_enrolment_is_well_and_not_ready(tmp_path: Path, clock: ManualClock) -> None:
    terminal = open_terminal(TerminalSettings(data=tmp_path, ballast_bytes=0), clock)
    client = create_app(terminal, Uploader(terminal, Client()), is_open=False).test_client()
    health = client.get("/healthz").get_json()
    assert (health["head"], health["acknowledged"], health["upload"]) == (None, None, "not-enrolled")
    assert client.get("/readyz").status_code == 503
    assert client.get("/kiosk").status_code == 401
    close_terminal(terminal)


def test_health_and_answers_hold_nothing_that_people_said(app: Flask, shop: Shop, kiosk: Kiosk) -> None:
    sale = shop.sell("ORDER-087", amount="64.00")
    answer_id = kiosk.new_id()
    kiosk.done(answer_id, sale.prompt_id, 1, comment="我叫张三")
    texts = [
        app.test_client().get(path).get_data(as_text=True) for path in ("/healthz", "/readyz", "/metrics")
    ]
    for secret in ("张三", "ORDER-087", "64.00", sale.prompt_id):
        assert not [text for text in texts if secret in text]


def test_metrics_tell_how_far_the_terminal_is(app: Flask, shop: Shop, kiosk: Kiosk) -> None:
    sale = shop.sell("087")
    kiosk.done(kiosk.new_id(), sale.prompt_id, 1)
    answer = app.test_client().get("/metrics")
    assert (answer.status_code, answer.content_type) == (200, CONTENT_TYPE)
    lines = answer.get_data(as_text=True).splitlines()
    for told in (
        "merchant_agent_terminal_enrolled 1",
        "merchant_agent_terminal_head_seq 1",
        "merchant_agent_terminal_acknowledged_seq -1",
        "merchant_agent_terminal_waiting_records 2",
        "merchant_agent_terminal_prompts_total 1",
        "merchant_agent_terminal_ratings_total 1",
        'merchant_agent_terminal_tablets{state="paired"} 1',
    ):
        assert told in lines
    assert {line.split()[2] for line in lines if line.startswith("# TYPE")} <= {each.name for each in METRICS}


def test_metrics_tell_of_a_hold(app: Flask, shop: Shop) -> None:
    assert "terminal_hold{" not in app.test_client().get("/metrics").get_data(as_text=True)
    shop.terminal.journal.put_on_hold("behind")
    assert 'terminal_hold{reason="behind"} 1' in app.test_client().get("/metrics").get_data(as_text=True)


def test_metrics_tell_how_each_way_of_the_pos_stands(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    with shop.terminal.store.write() as writer:
        add_way(writer, name="here", till="", details=FolderDetails(path=str(tmp_path / "drop")))
        add_way(writer, name="gone", till="", details=FolderDetails(path=str(tmp_path / "gone")))
    connections = Connections(shop.terminal)
    app = create_app(shop.terminal, Uploader(shop.terminal, Client()), is_open=False, connections=connections)
    connections.start()
    try:
        till = Till.of(app, shop)
        till.report("088")
        till.report("088", kind="refund")
        till.report("088", amount="x")
        shop.clock.advance(90)

        def told() -> list[str]:
            text = app.test_client().get("/metrics").get_data(as_text=True)
            return [line for line in text.splitlines() if line.startswith("merchant_agent_terminal_pos_")]

        until(lambda: 'merchant_agent_terminal_pos_ready{way="folder-2"} 0' in told())
        assert told() == [
            'merchant_agent_terminal_pos_ready{way="folder-1"} 1',
            'merchant_agent_terminal_pos_ready{way="folder-2"} 0',
            'merchant_agent_terminal_pos_sales_total{way="folder-1"} 0',
            'merchant_agent_terminal_pos_sales_total{way="folder-2"} 0',
            'merchant_agent_terminal_pos_sales_total{way="http"} 1',
            'merchant_agent_terminal_pos_refused_total{way="folder-1"} 0',
            'merchant_agent_terminal_pos_refused_total{way="folder-2"} 0',
            'merchant_agent_terminal_pos_refused_total{way="http"} 1',
            'merchant_agent_terminal_pos_last_sale_age_seconds{way="http"} 90.0',
        ]
    finally:
        connections.stop()
