"""A shop's two machine interfaces as their users see them: a till with a token, a paired tablet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.app import create_app
from merchant_agent.terminal.devices import make_pairing_link, make_pos_token
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.uploader import Uploader
from tests.terminal.collect.shop import TILL, Shop

ORIGIN = "http://localhost"


def make_app_of(shop: Shop) -> Flask:
    """The shop's terminal as it is served; nothing is uploaded."""
    return create_app(shop.terminal, Uploader(shop.terminal, Client()), is_open=False)


@dataclass(frozen=True, kw_only=True)
class Till:
    """A till that reports sales with its token."""

    client: FlaskClient
    token: str

    @classmethod
    def of(cls, app: Flask, shop: Shop, till: str = TILL) -> Till:
        """A new token of the till; empty: of any till."""
        with shop.terminal.store.write() as writer:
            token = make_pos_token(writer, till, at=shop.clock.now())
        return cls(client=app.test_client(), token=token)

    @property
    def headers(self) -> dict[str, str]:
        """What each request carries."""
        return {"Authorization": f"Bearer {self.token}"}

    def report(self, order: str = "087", **members: object) -> TestResponse:
        """Reports a sale; `members` are the body's other members."""
        body = {"order": order, "till": TILL} | members
        return self.client.post("/pos/v1/sales", json=body, headers=self.headers)

    def ask(self, prompt_id: str) -> TestResponse:
        """Asks after a sale."""
        return self.client.get(f"/pos/v1/sales/{prompt_id}", headers=self.headers)

    def withdraw(self, prompt_id: str) -> TestResponse:
        """Takes a sale back."""
        return self.client.delete(f"/pos/v1/sales/{prompt_id}", headers=self.headers)


@dataclass(frozen=True, kw_only=True)
class Kiosk:
    """A paired tablet's page."""

    client: FlaskClient
    shop: Shop

    @classmethod
    def of(cls, app: Flask, shop: Shop, till: str = TILL) -> Kiosk:
        """A new tablet of the till, paired by its link."""
        with shop.terminal.store.write() as writer:
            link = make_pairing_link(writer, at=shop.clock.now(), till=till)
        client = app.test_client()
        assert client.get(f"/kiosk/pair/{link}").status_code == 302
        return cls(client=client, shop=shop)

    def new_id(self) -> str:
        """An id such as the tablet makes."""
        return new_id(self.shop.clock.now())

    def screen(self, version: str = "") -> dict[str, Any]:
        """What the tablet is to show."""
        answer = self.client.get("/kiosk/api/screen", query_string={"version": version})
        assert answer.status_code == 200
        return dict(answer.get_json())

    def keep(self, answer_id: str, prompt: str, level: int | None, **members: object) -> TestResponse:
        """A tap."""
        body = _answer(prompt, level) | members
        return self.client.put(f"/kiosk/api/answers/{answer_id}", json=body, headers={"Origin": ORIGIN})

    def done(self, answer_id: str, prompt: str, level: int | None, **members: object) -> TestResponse:
        """The end of an answer."""
        body = _answer(prompt, level) | {"ended": "done", "dwell_ms": 4000} | members
        return self.post(f"answers/{answer_id}/done", body)

    def post(self, path: str, body: object) -> TestResponse:
        """Any other message, to the path below `/kiosk/api/`."""
        return self.client.post(f"/kiosk/api/{path}", json=body, headers={"Origin": ORIGIN})


def _answer(prompt: str, level: int | None) -> dict[str, object]:
    return {"prompt": prompt, "level": level, "tags": [], "comment": "", "lang": "zh"}
