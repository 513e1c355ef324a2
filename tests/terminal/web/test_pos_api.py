from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from merchant_agent.clock import format_at
from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.devices import list_pos_tokens, revoke_pos_token
from tests.clocks import ManualClock
from tests.terminal.collect.shop import CENTRAL, TILL, Shop
from tests.terminal.web.doors import Till, make_app_of


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    with Shop(tmp_path / "terminal", clock) as shop:
        yield shop


@pytest.fixture
def app(shop: Shop) -> Flask:
    return make_app_of(shop)


@pytest.fixture
def till(app: Flask, shop: Shop) -> Till:
    return Till.of(app, shop)


def _code(answer: TestResponse) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    body = answer.get_json()
    assert body["status"] == answer.status_code
    assert body.keys() == {"type", "title", "status", "code", "detail"}
    return answer.status_code, body["code"]


def test_a_sale_is_answered_as_the_interface_says(till: Till) -> None:
    answer = till.report(
        "087", kind="takeaway", amount="64.00", currency="CNY", at="2026-05-20T11:59:58+08:00"
    )
    assert answer.status_code == 201
    assert answer.content_type == "application/json"
    body = answer.get_json()
    assert body.keys() == {"prompt", "invitation"}
    assert body["prompt"].keys() == {"id", "seq", "state"}
    assert (body["prompt"]["seq"], body["prompt"]["state"]) == (0, "asked")
    assert body["invitation"]["url"].startswith(f"{CENTRAL}/i/")
    assert body["invitation"]["expires_at"] == "2026-06-03T12:00:00.000+08:00"


def test_order_and_till_are_enough(till: Till) -> None:
    assert till.report().status_code == 201


def test_the_same_order_again_is_the_same_answer(till: Till) -> None:
    first, again = till.report(amount="64.00"), till.report(amount="64")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()


def test_the_same_order_with_another_amount_is_a_conflict_and_an_alarm(till: Till, shop: Shop) -> None:
    till.report(amount="64.00")
    assert _code(till.report(amount="46.00")) == (409, "order-amount")
    assert shop.alarms() == [("order-amount", f"{TILL}/087")]


def test_a_refund_is_accepted_and_prompts_nobody(till: Till, shop: Shop) -> None:
    answer = till.report(kind="refund", amount="64.00")
    assert answer.status_code == 202
    assert answer.get_json() == {"prompt": None, "invitation": None}
    assert shop.story() == []


def test_a_sale_can_be_asked_after_and_withdrawn(till: Till) -> None:
    made = till.report().get_json()
    prompt = made["prompt"]["id"]
    assert till.ask(prompt).get_json() == made
    for _ in range(2):
        gone = till.withdraw(prompt)
        assert (gone.status_code, gone.get_json()["prompt"]["state"]) == (200, "withdrawn")
    assert till.ask(prompt).get_json()["prompt"]["state"] == "withdrawn"


def test_a_touched_sale_is_not_withdrawn(till: Till, shop: Shop) -> None:
    prompt = till.report().get_json()["prompt"]["id"]
    shop.tap(shop.sell("087"), 1)
    assert _code(till.withdraw(prompt)) == (409, "transition")
    assert till.ask(prompt).get_json()["prompt"]["state"] == "answering"


def test_a_backlog_sale_is_prompted_without_waking_the_tablet(till: Till, shop: Shop) -> None:
    now = shop.clock.now()
    answer = till.report(at=format_at(now.replace(hour=9)))
    assert answer.status_code == 201
    assert answer.get_json()["prompt"]["state"] == "not_asked"
    assert answer.get_json()["invitation"]["url"]
    assert shop.shown() is None


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic dTpw", "Bearer \u00ff"])
def test_without_a_token_in_force_nothing_is_answered(app: Flask, shop: Shop, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    client = app.test_client()
    for answer in (
        client.post("/pos/v1/sales", json={"order": "087", "till": TILL}, headers=headers),
        client.get("/pos/v1/sales/x", headers=headers),
        client.delete("/pos/v1/sales/x", headers=headers),
    ):
        assert _code(answer) == (401, "pos-token")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert shop.story() == []


def test_a_revoked_token_is_refused(till: Till, shop: Shop) -> None:
    with shop.terminal.store.write() as writer:
        (token,) = list_pos_tokens(writer)
        revoke_pos_token(writer, token.id, at=shop.clock.now())
    assert _code(till.report()) == (401, "pos-token")


def test_a_token_reports_its_own_tills_sales_alone(app: Flask, shop: Shop, till: Till) -> None:
    assert _code(till.report(till="till-2")) == (403, "till")
    other = Till.of(app, shop, "till-2")
    prompt = till.report().get_json()["prompt"]["id"]
    assert _code(other.ask(prompt)) == (404, "prompt")
    assert _code(other.withdraw(prompt)) == (404, "prompt")
    assert Till.of(app, shop, "").ask(prompt).status_code == 200
    assert shop.story() == ["prompt"]


def test_an_unknown_prompt_is_not_found(till: Till, shop: Shop) -> None:
    assert _code(till.ask(new_id(shop.clock.now()))) == (404, "prompt")
    assert _code(till.withdraw("087")) == (404, "prompt")


@pytest.mark.parametrize(
    ("code", "members"),
    [
        ("order", {"order": ""}),
        ("order", {"order": "x" * 65}),
        ("order", {"order": "08\n7"}),
        ("till", {"till": "x" * 33}),
        ("amount", {"amount": "-1.00"}),
        ("amount", {"amount": "1e3"}),
        ("amount", {"amount": "64,00"}),
        ("currency", {"currency": "yuan"}),
        ("at", {"at": "2026-05-20T12:00:00"}),
        ("at", {"at": "0001-01-01T00:00:00+14:00"}),
        ("request", {"order": 87}),
        ("request", {"amount": 64.0}),
        ("request", {"kind": "gift"}),
        ("request", {"amount": None, "tip": "1.00"}),
        ("request", {"till": None}),
    ],
)
def test_a_sale_that_is_not_as_the_interface_says_changes_nothing(
    till: Till, shop: Shop, code: str, members: dict[str, Any]
) -> None:
    assert _code(till.report(**members)) == (422, code)
    assert shop.story() == []


def test_bodies_that_are_no_messages_are_refused(till: Till, shop: Shop) -> None:
    def send(body: bytes, content_type: str = "application/json") -> TestResponse:
        return till.client.post("/pos/v1/sales", data=body, content_type=content_type, headers=till.headers)

    assert _code(send(b'{"order":"087"')) == (400, "format")
    assert _code(send(b"\xff\xfe")) == (400, "format")
    assert _code(send(b'{"order":' + b"[" * 10_000)) == (422, "request")
    assert _code(send(b'{"order":"087"}')) == (422, "request")
    assert _code(send(b"{}" + b" " * 70_000)) == (413, "too-large")
    assert send(b"order=087&till=1", "application/x-www-form-urlencoded").status_code == 415
    assert shop.story() == []


def test_a_page_of_another_origin_cannot_report_a_sale(till: Till, shop: Shop) -> None:
    headers = till.headers | {"Origin": "http://evil.example"}
    answer = till.client.post("/pos/v1/sales", json={"order": "087", "till": TILL}, headers=headers)
    assert _code(answer) == (403, "origin")
    assert shop.story() == []


def test_a_full_disk_is_told_to_the_till(till: Till, shop: Shop) -> None:
    till.report("001")
    answers = []
    with shop.full_disk():
        for number in range(100, 200):
            answers.append(till.report(str(number)))
            if answers[-1].status_code != 201:
                break
    assert _code(answers[-1]) == (507, "store-full")
    assert till.report(str(number)).status_code == 201


def test_a_till_does_not_wait(till: Till) -> None:
    till.report("000")
    times = []
    for number in range(1, 51):
        begun = perf_counter()
        till.report(str(number))
        times.append(perf_counter() - begun)
    assert sorted(times)[25] < 0.05
