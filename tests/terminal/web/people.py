"""People of a shop in their browsers: they open pages, fill in forms and sign in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from merchant_agent.terminal.accounts import set_password, set_pin
from tests.terminal.collect.shop import Shop
from tests.terminal.web.doors import ORIGIN

PIN = "271828"
PASSWORD = "correct horse battery"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True, kw_only=True)
class Person:
    """A browser with its cookies."""

    client: FlaskClient

    @classmethod
    def of(cls, app: Flask) -> Person:
        """A browser that was never here."""
        return cls(client=app.test_client())

    def see(self, path: str) -> str:
        """The page at `path`, which is shown at once."""
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.status_code
        return answer.get_data(as_text=True)

    def send(self, page: str, action: str, **fields: str) -> TestResponse:
        """Sends a form to `action` as the page `page` would."""
        token = _TOKEN.search(self.client.get(page).get_data(as_text=True))
        assert token is not None
        return self.client.post(action, data={"csrf_token": token[1], **fields}, headers={"Origin": ORIGIN})

    def sign_in(self, secret: str, page: str = "/counter/sign-in") -> TestResponse:
        """Tries a secret."""
        return self.send(page, page, secret=secret)


def staff_of(app: Flask, shop: Shop) -> Person:
    """Somebody at the counter with the PIN."""
    set_pin(shop.terminal.store, shop.clock, PIN, who="test")
    person = Person.of(app)
    assert person.sign_in(PIN).status_code == 302
    return person


def manager_of(app: Flask, shop: Shop) -> Person:
    """The manager with the password."""
    set_password(shop.terminal.store, shop.clock, PASSWORD, who="test")
    person = Person.of(app)
    assert person.sign_in(PASSWORD, "/manager/sign-in").status_code == 302
    return person


def words_of(page: str) -> str:
    """What a reader sees of a page, blanks made one."""
    reader = _Reader()
    reader.feed(page)
    return " ".join("".join(reader.parts).split())


class _Reader(HTMLParser):
    """Collects text; knows that styles and scripts are none."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
