"""Signed requests: the same bytes once, with either of two secrets while one is changed, and not much later."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from merchant_agent.terminal.pos.rates import Rates
from merchant_agent.terminal.pos.signatures import HEADER, WINDOW_S, sign_request
from merchant_agent.terminal.pos.tokens import (
    end_former_secret,
    forget_secrets,
    list_terms,
    make_secret,
    set_dry_run,
)
from tests.clocks import ManualClock
from tests.terminal.collect.shop import TILL, Shop
from tests.terminal.web.doors import Till, make_app_of

BODY = b'{"order": "087", "till": "till-1", "amount": "64.00"}'
PATH = "/pos/v1/sales"


class Signing:
    """A till whose token asks for signatures."""

    def __init__(self, app: Flask, shop: Shop) -> None:
        self._till = Till.of(app, shop)
        self._shop = shop
        self._ids: dict[str, str] = {}
        with shop.terminal.store.read() as reader:
            self.token_id = list_terms(reader)[0].id
        self.secret = self.change()
        self._count = 0

    def change(self) -> bytes:
        """The manager makes another secret."""
        with self._shop.terminal.store.write() as writer:
            return make_secret(writer, self.token_id).encode()

    def restart(self, app: Flask) -> None:
        """Goes on with the terminal as it was started anew."""
        self._till = Till(client=app.test_client(), token=self._till.token)

    def sign(
        self,
        body: bytes = BODY,
        *,
        secret: bytes | None = None,
        late_s: int = 0,
        method: str = "POST",
        path: str = PATH,
    ) -> str:
        """A header such as the till makes."""
        self._count += 1
        t = int(self._shop.clock.now().timestamp()) - late_s
        return sign_request(
            secret or self.secret, t=t, n=f"request{self._count}", method=method, path=path, body=body
        )

    def send(self, header: str | None, body: bytes = BODY) -> TestResponse:
        """Sends a body with that header."""
        headers = self._till.headers | ({} if header is None else {HEADER: header})
        answer = self._till.client.post(PATH, data=body, content_type="application/json", headers=headers)
        if answer.status_code in {200, 201}:
            self._ids[json.loads(body)["order"]] = answer.get_json()["prompt"]["id"]
        return answer

    def withdraw(self, order: str) -> Callable[[], TestResponse]:
        """Takes a sale back; sends the same request again each time that it is called."""
        path = f"{PATH}/{self._ids[order]}"
        header = self.sign(b"", late_s=-WINDOW_S, method="DELETE", path=path)

        def send() -> TestResponse:
            return self._till.client.delete(path, headers=self._till.headers | {HEADER: header})

        assert send().status_code == 200
        return send


@pytest.fixture
def app(shop: Shop) -> Flask:
    return make_app_of(shop)


@pytest.fixture
def signing(app: Flask, shop: Shop) -> Signing:
    return Signing(app, shop)


def _code(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_signed_request_is_taken(signing: Signing) -> None:
    assert signing.send(signing.sign()).status_code == 201
    assert signing.send(signing.sign()).status_code == 200


@pytest.mark.parametrize("header", [None, "", "t=1,n=abcdefgh,v1=00", "v1=" + "0" * 64])
def test_request_without_a_signature_is_refused(signing: Signing, header: str | None) -> None:
    assert _code(signing.send(header)) == (401, "pos-signature")


def test_changed_white_space_is_another_body(signing: Signing, shop: Shop) -> None:
    same_json = BODY.replace(b": ", b":")
    assert json.loads(same_json) == json.loads(BODY)
    assert _code(signing.send(signing.sign(), same_json)) == (401, "pos-signature")
    assert signing.send(signing.sign(same_json), same_json).status_code == 201
    assert shop.story() == ["prompt"]


def test_signature_of_another_method_or_path_is_refused(signing: Signing) -> None:
    assert _code(signing.send(signing.sign(method="DELETE"))) == (401, "pos-signature")


def test_replay_is_refused(signing: Signing) -> None:
    header = signing.sign()
    assert signing.send(header).status_code == 201
    assert _code(signing.send(header)) == (401, "pos-replay")


@pytest.mark.parametrize("late_s", [WINDOW_S + 1, -WINDOW_S - 1])
def test_signature_of_long_ago_or_of_the_future_is_refused(signing: Signing, late_s: int) -> None:
    assert _code(signing.send(signing.sign(late_s=late_s))) == (401, "pos-signature-time")
    assert signing.send(signing.sign(late_s=late_s // 2)).status_code == 201


def test_replay_is_refused_for_as_long_as_the_time_would_do(signing: Signing, clock: ManualClock) -> None:
    header = signing.sign(late_s=-WINDOW_S)
    assert signing.send(header).status_code == 201
    clock.advance(2 * WINDOW_S)
    assert _code(signing.send(header)) == (401, "pos-replay")
    clock.advance(1)
    assert _code(signing.send(header)) == (401, "pos-signature-time")


def test_requests_that_are_replayed_after_a_restart_make_nothing(
    signing: Signing, shop: Shop, clock: ManualClock
) -> None:
    """What was used is known in memory alone: every request must do nothing when it is repeated."""
    clock.advance(15.99 * 3600)
    headers, bodies = [], [BODY, BODY.replace(b"087", b"088").replace(b"64.00", b"7.00")]
    for body in bodies:
        headers.append(signing.sign(body, late_s=-WINDOW_S))
        assert signing.send(headers[-1], body).status_code == 201
    taken_back = signing.withdraw("088")
    assert shop.story() == ["prompt", "prompt", "lapse withdrawn"]
    shop.restart()
    signing.restart(make_app_of(shop))
    clock.advance(2 * WINDOW_S - 1)
    for header, body in zip(headers, bodies, strict=True):
        assert signing.send(header, body).status_code == 200
    assert taken_back().status_code == 200
    assert shop.story() == ["prompt", "prompt", "lapse withdrawn"]


def test_two_secrets_are_taken_while_one_is_changed(signing: Signing, shop: Shop) -> None:
    former, newer = signing.secret, signing.change()
    for secret in (former, newer):
        assert signing.send(signing.sign(secret=secret)).status_code in {200, 201}
    with shop.terminal.store.write() as writer:
        end_former_secret(writer, signing.token_id)
    assert _code(signing.send(signing.sign(secret=former))) == (401, "pos-signature")
    assert signing.send(signing.sign(secret=newer)).status_code == 200


def test_third_secret_ends_the_first(signing: Signing) -> None:
    first = signing.secret
    signing.change()
    signing.change()
    assert _code(signing.send(signing.sign(secret=first))) == (401, "pos-signature")


def test_without_secrets_no_signature_is_asked_for(signing: Signing, shop: Shop) -> None:
    with shop.terminal.store.write() as writer:
        forget_secrets(writer, signing.token_id)
    assert signing.send(None).status_code == 201


def test_dry_run_takes_a_sale_and_asks_nobody(app: Flask, shop: Shop) -> None:
    till = Till.of(app, shop)
    with shop.terminal.store.write() as writer:
        set_dry_run(writer, list_terms(writer)[0].id, dry_run=True)
    answer = till.report()
    assert (answer.status_code, answer.get_json()) == (202, {"prompt": None, "invitation": None})
    assert shop.story() == []


def test_batch_answers_each_sale_for_itself(app: Flask, shop: Shop) -> None:
    till = Till.of(app, shop)
    till.report("1", amount="5.00")
    sales = [
        {"order": "1", "till": TILL, "amount": "5.00"},
        {"order": "1", "till": TILL, "amount": "6.00"},
        {"order": "2", "till": TILL},
        {"order": "3", "till": "another"},
        {"order": "4", "till": TILL, "kind": "refund"},
        {"order": 5, "till": TILL},
    ]
    answer = till.client.post("/pos/v1/sales/batch", json={"sales": sales}, headers=till.headers)
    assert answer.status_code == 200
    results = answer.get_json()["results"]
    assert [(one["status"], one["code"]) for one in results] == [
        (200, ""),
        (409, "order-amount"),
        (201, ""),
        (403, "till"),
        (202, ""),
        (422, "request"),
    ]
    assert results[2]["invitation"]["url"]
    assert shop.story() == ["prompt", "prompt"]


@pytest.mark.parametrize("count", [0, 101])
def test_batch_of_none_or_too_many_is_refused(app: Flask, shop: Shop, count: int) -> None:
    till = Till.of(app, shop)
    sales = [{"order": str(number), "till": TILL} for number in range(count)]
    answer = till.client.post("/pos/v1/sales/batch", json={"sales": sales}, headers=till.headers)
    assert _code(answer) == (422, "request")


def test_caller_beyond_its_rate_waits_and_others_do_not(clock: ManualClock) -> None:
    rates = Rates(clock, burst=10, a_second=2)
    for _ in range(10):
        rates.take("a")
    with pytest.raises(Exception, match="locked out for 1 s"):
        rates.take("a")
    rates.take("b")
    clock.advance(0.5)
    rates.take("a")


def test_guessing_tokens_is_slowed(app: Flask, shop: Shop) -> None:
    client = app.test_client()
    headers = {"Authorization": "Bearer wrong"}
    codes = [client.get("/pos/v1/sales/x", headers=headers).status_code for _ in range(31)]
    assert codes == [401] * 30 + [429]
    assert Till.of(app, shop).report().status_code == 201
