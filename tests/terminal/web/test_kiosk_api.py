from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from merchant_agent.evidence.bodies import RatingBody
from merchant_agent.evidence.query_code import parse_query_code
from merchant_agent.evidence.slip import claim_hash, new_claim, parse_slip
from merchant_agent.terminal.collect.prompts import withdraw_sale
from merchant_agent.terminal.devices import list_tablets, revoke_tablet
from tests.clocks import ManualClock
from tests.terminal.collect.shop import CENTRAL, TILL, Shop
from tests.terminal.web.doors import Kiosk, Till, make_app_of


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    with Shop(tmp_path / "terminal", clock) as shop:
        yield shop


@pytest.fixture
def app(shop: Shop) -> Flask:
    return make_app_of(shop)


@pytest.fixture
def kiosk(app: Flask, shop: Shop) -> Kiosk:
    return Kiosk.of(app, shop)


def _code(answer: TestResponse) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    return answer.status_code, answer.get_json()["code"]


def test_a_tablet_rests_without_a_sale(kiosk: Kiosk) -> None:
    screen = kiosk.screen()
    assert screen.keys() == {"version", "page", "kind", "at", "question"}
    assert screen["at"] == "2026-05-20T12:00:00.000+08:00"
    assert (screen["kind"], screen["question"]) == ("rest", None)


def test_a_question_has_what_the_page_needs(kiosk: Kiosk, shop: Shop) -> None:
    sale = shop.sell("087")
    question = kiosk.screen()["question"]
    assert question.pop("invitation").startswith(f"{CENTRAL}/i/")
    assert question == {
        "prompt": sale.prompt_id,
        "order": "087",
        "till": TILL,
        "sale": "counter",
        "manual": False,
        "amount": "64.00",
        "at": "2026-05-20T12:00:00.000+08:00",
        "held": None,
    }


def test_a_page_loaded_anew_finds_what_was_tapped(kiosk: Kiosk, shop: Shop) -> None:
    sale, answer = shop.sell(), kiosk.new_id()
    kept = kiosk.keep(
        answer, sale.prompt_id, 2, aspects={"service": 1}, tags=["waited_long"], comment="慢", lang="en"
    )
    assert (kept.status_code, kept.get_json()) == (200, {"kept": True})
    assert kiosk.screen()["question"]["held"] == {
        "answer": answer,
        "level": 2,
        "aspects": {"service": 1},
        "tags": ["waited_long"],
        "comment": "慢",
        "lang": "en",
    }


def test_a_sale_over_http_wakes_the_tablet_within_300_ms(app: Flask, shop: Shop, kiosk: Kiosk) -> None:
    till = Till.of(app, shop)
    version = kiosk.screen()["version"]
    woken: list[tuple[float, str]] = []

    def wait() -> None:
        screen = kiosk.screen(version)
        woken.append((perf_counter(), screen["question"]["order"]))

    tablet = threading.Thread(target=wait)
    tablet.start()
    sold = perf_counter()
    assert till.report("087").status_code == 201
    tablet.join()
    ((at, order),) = woken
    assert order == "087"
    assert at - sold < 0.3


def test_a_waiting_tablet_is_let_go_when_the_program_stops(kiosk: Kiosk, shop: Shop) -> None:
    version = kiosk.screen()["version"]
    tablet = threading.Thread(target=kiosk.screen, args=(version,))
    begun = perf_counter()
    tablet.start()
    shop.terminal.bell.close()
    tablet.join()
    assert perf_counter() - begun < 4


def test_tap_and_done_leave_one_signed_rating(kiosk: Kiosk, shop: Shop) -> None:
    sale, answer = shop.sell(), kiosk.new_id()
    kiosk.keep(answer, sale.prompt_id, 4)
    members = {"aspects": {"service": 5, "waiting": 2}, "tags": ["waited_long"], "comment": "好"}
    first = kiosk.done(answer, sale.prompt_id, 4, **members)
    again = kiosk.done(answer, sale.prompt_id, 4, **members)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()
    assert parse_query_code(first.get_json()["query_code"]) == first.get_json()["query_code"]
    body = shop.records()[-1].body
    assert isinstance(body, RatingBody)
    assert [(given.aspect, given.level) for given in body.aspects] == [("service", 5), ("waiting", 2)]
    assert shop.story() == ["prompt", "rating 4 done"]
    assert kiosk.screen()["kind"] == "rest"


def test_every_thanks_has_the_address_of_a_slip_and_the_claim_that_was_signed(
    kiosk: Kiosk, shop: Shop
) -> None:
    claim = claim_hash(new_claim())
    prompt = shop.sell().prompt_id
    words = {"prompt": prompt, "comment": "慢", "lang": "zh", "claim": claim}
    for told in (
        kiosk.done(kiosk.new_id(), prompt, 2, claim=claim),
        kiosk.post(f"suggestions/{kiosk.new_id()}", words),
        kiosk.post(f"complaints/{kiosk.new_id()}", words),
    ):
        assert told.status_code == 201
        said = told.get_json()
        assert said.keys() == {"query_code", "slip", "claim", "page", "as_sent", "prints"}
        assert said["slip"].startswith(f"{CENTRAL}/s/")
        assert parse_slip(said["slip"].rpartition("/")[2])
        assert said["claim"] == claim


def test_an_answer_that_states_no_hash_is_refused(kiosk: Kiosk, shop: Shop) -> None:
    sale = shop.sell()
    assert _code(kiosk.keep(kiosk.new_id(), sale.prompt_id, 2, claim="x")) == (422, "claim")


def test_what_came_after_the_signature_is_told(kiosk: Kiosk, shop: Shop) -> None:
    sale, answer = shop.sell(), kiosk.new_id()
    kiosk.done(answer, sale.prompt_id, 4)
    late = kiosk.done(answer, sale.prompt_id, 4, comment="后来写的")
    assert (late.status_code, late.get_json()["as_sent"]) == (200, False)


def test_a_second_answer_is_a_conflict(kiosk: Kiosk, shop: Shop) -> None:
    sale = shop.sell()
    kiosk.done(kiosk.new_id(), sale.prompt_id, 1)
    assert _code(kiosk.done(kiosk.new_id(), sale.prompt_id, 5)) == (409, "answered")


def test_the_second_tablet_of_a_till_comes_too_late(app: Flask, kiosk: Kiosk, shop: Shop) -> None:
    other, sale = Kiosk.of(app, shop), shop.sell()
    assert kiosk.keep(kiosk.new_id(), sale.prompt_id, 2).status_code == 200
    assert _code(other.keep(other.new_id(), sale.prompt_id, 5)) == (409, "answered-elsewhere")
    assert other.screen()["kind"] == "rest"


def test_an_answer_to_a_withdrawn_question_is_refused(kiosk: Kiosk, shop: Shop) -> None:
    sale = shop.sell()
    withdraw_sale(shop.terminal, sale.prompt_id)
    assert _code(kiosk.keep(kiosk.new_id(), sale.prompt_id, 5)) == (409, "transition")
    assert _code(kiosk.done(kiosk.new_id(), sale.prompt_id, 5)) == (409, "transition")


def test_taking_back_and_declining(kiosk: Kiosk, shop: Shop) -> None:
    sale, answer = shop.sell(), kiosk.new_id()
    kiosk.keep(answer, sale.prompt_id, 1)
    assert _code(kiosk.post(f"prompts/{sale.prompt_id}/decline", {})) == (409, "transition")
    kiosk.keep(answer, sale.prompt_id, None)
    for _ in range(2):
        declined = kiosk.post(f"prompts/{sale.prompt_id}/decline", {})
        assert (declined.status_code, declined.get_json()) == (200, {})
    assert shop.story() == ["prompt", "lapse declined"]


def test_a_suggestion_is_thanked_with_its_code(kiosk: Kiosk, shop: Shop) -> None:
    path, body = f"suggestions/{kiosk.new_id()}", {"prompt": None, "comment": "加个儿童椅", "lang": "zh"}
    first, again = kiosk.post(path, body), kiosk.post(path, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json()["query_code"] == again.get_json()["query_code"]
    assert shop.story() == ["suggestion"]


def test_a_complaint_is_thanked_with_its_code(kiosk: Kiosk, shop: Shop) -> None:
    sale = shop.sell()
    path = f"complaints/{kiosk.new_id()}"
    body = {
        "prompt": sale.prompt_id,
        "categories": ["measure"],
        "remedies": ["refund"],
        "comment": "少了二两",
        "order": "087",
        "occurred_at": "2026-05-20T11:58",
        "amount": "64.00",
        "lang": "zh",
    }
    first, again = kiosk.post(path, body), kiosk.post(path, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json()["query_code"] == again.get_json()["query_code"]
    assert _code(kiosk.post(path, body | {"comment": "别的"})) == (409, "answer-id")
    assert shop.story() == ["prompt", "complaint"]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("answers/{id}/done", {"prompt": "x"}, "request"),
        ("answers/{id}/done", {"phone": "13800000000"}, "request"),
        ("suggestions/{id}", {"prompt": None, "comment": "", "lang": "zh"}, "comment"),
        ("suggestions/{id}", {"prompt": None, "comment": "x", "lang": "zh", "phone": "1"}, "request"),
        ("suggestions/123", {"prompt": None, "comment": "x", "lang": "zh"}, "id"),
        ("complaints/{id}", {"prompt": None, "lang": "zh"}, "complaint"),
        ("complaints/{id}", {"prompt": None, "comment": "x", "lang": "zh", "contact": "1"}, "contact"),
        ("complaints/{id}", {"prompt": None, "categories": "measure", "lang": "zh"}, "request"),
    ],
)
def test_what_the_page_would_never_send_is_refused(
    kiosk: Kiosk, shop: Shop, path: str, body: dict[str, object], code: str
) -> None:
    assert _code(kiosk.post(path.replace("{id}", kiosk.new_id()), body)) == (422, code)
    assert shop.story() == []


def test_ended_is_one_of_three(kiosk: Kiosk, shop: Shop) -> None:
    sale = shop.sell()
    assert _code(kiosk.done(kiosk.new_id(), sale.prompt_id, 5, ended="recovered")) == (422, "request")
    assert _code(kiosk.done(kiosk.new_id(), sale.prompt_id, None, ended="left")) == (422, "level")
    assert kiosk.done(kiosk.new_id(), sale.prompt_id, 5, ended="idle").status_code == 201


def test_a_browser_that_is_no_tablet_gets_nothing(app: Flask, shop: Shop) -> None:
    sale = shop.sell()
    stranger = Kiosk(client=app.test_client(), shop=shop)
    assert _code(stranger.client.get("/kiosk/api/screen")) == (401, "tablet")
    for answer in (
        stranger.keep(stranger.new_id(), sale.prompt_id, 5),
        stranger.done(stranger.new_id(), sale.prompt_id, 5),
        stranger.post(f"prompts/{sale.prompt_id}/decline", {}),
        stranger.post(f"suggestions/{stranger.new_id()}", {"prompt": None, "comment": "x", "lang": "zh"}),
        stranger.post(f"complaints/{stranger.new_id()}", {"prompt": None, "comment": "x", "lang": "zh"}),
    ):
        assert _code(answer) == (401, "tablet")
    assert shop.story() == ["prompt"]


def test_a_revoked_tablet_gets_nothing(kiosk: Kiosk, shop: Shop) -> None:
    sale = shop.sell()
    with shop.terminal.store.write() as writer:
        (tablet,) = list_tablets(writer)
        revoke_tablet(writer, tablet.id, at=shop.clock.now())
    assert _code(kiosk.done(kiosk.new_id(), sale.prompt_id, 5)) == (401, "tablet")
    assert kiosk.client.get("/kiosk/api/screen").status_code == 401


def test_a_page_of_another_origin_cannot_answer_for_the_customer(kiosk: Kiosk, shop: Shop) -> None:
    sale = shop.sell()
    body = {"prompt": sale.prompt_id, "level": 5, "lang": "zh", "ended": "done", "dwell_ms": 1}
    path = f"/kiosk/api/answers/{kiosk.new_id()}/done"
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {}):
        assert _code(kiosk.client.post(path, json=body, headers=headers)) == (403, "origin")
    assert shop.story() == ["prompt"]


def test_a_full_disk_is_told_as_not_saved_and_keeps_the_question(kiosk: Kiosk, shop: Shop) -> None:
    sale, answer = shop.sell(), kiosk.new_id()
    comment = "满" * 1000
    kiosk.keep(answer, sale.prompt_id, 1)
    with shop.full_disk():
        assert _code(kiosk.done(answer, sale.prompt_id, 1, comment=comment)) == (507, "store-full")
        assert kiosk.screen()["question"]["held"]["level"] == 1
    assert kiosk.done(answer, sale.prompt_id, 1, comment=comment).status_code == 201
