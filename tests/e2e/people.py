"""What the people of a story do in their browsers, in their own words."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Literal

import urllib3
import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from merchant_agent.demo.running import Running

# Not 127.0.0.1, which browsers trust like HTTPS: a tablet in a shop is on plain HTTP.
HOST = "shop.test"
LANDSCAPE, PORTRAIT = (1280, 800), (800, 1280)


def at_shop(url: str) -> str:
    """The address by which the shop's network knows it."""
    return url.replace("127.0.0.1", HOST, 1)


@dataclass(frozen=True, kw_only=True)
class Till:
    """The shop's POS; `prompts` are those of its sales."""

    demo: Running
    prompts: list[str] = field(default_factory=list)

    def sell(self, order: str, *, amount: str | None = None, till: str = "1") -> dict[str, Any]:
        """Reports a sale; the interface's answer."""
        body = {"order": order, "till": till} | ({"amount": amount} if amount else {})
        answer = self._call("POST", "", json.dumps(body))
        assert answer.status in {200, 201}, answer.data
        sold: dict[str, Any] = answer.json()
        self.prompts.append(sold["prompt"]["id"])
        return sold

    def withdraw_all(self) -> None:
        """Takes back every sale that nobody answers."""
        for prompt in self.prompts:
            assert self._call("DELETE", f"/{prompt}").status in {200, 409}

    def _call(self, method: str, path: str, body: str | None = None) -> urllib3.BaseHTTPResponse:
        headers = {
            "Authorization": f"Bearer {self.demo.state.pos_token}",
            "Content-Type": "application/json",
        }
        url = f"{self.demo.terminal.url}/pos/v1/sales{path}"
        return urllib3.request(method, url, headers=headers, body=body)


@dataclass(frozen=True, kw_only=True)
class Tablet:
    """A tablet at the counter and the customer before it."""

    page: Page

    def pair(self, kiosk: str) -> None:
        """Opens the pairing link."""
        self.page.goto(at_shop(kiosk))
        expect(self.screen("rest")).to_be_visible()

    def screen(self, name: str) -> Locator:
        """The screen of that name, while it is shown."""
        return self.page.locator(f"#stage [data-screen={name}]")

    def pause(self) -> None:
        """Waits until a second tap at the same place is meant."""
        self.page.evaluate("new Promise(done => setTimeout(done, 450))")

    def press(self, what: str) -> None:
        """The button that does so."""
        self.page.locator(f"[data-do={what}]:visible").first.click()

    def leave_unanswered(self, what: str = "decline") -> None:
        """A button that ends the question, until the terminal has heard of it."""
        with self.page.expect_response("**/decline"):
            self.press(what)

    def speak(self, lang: Literal["zh", "en"]) -> None:
        """Chooses the language."""
        wanted = "zh-CN" if lang == "zh" else "en"
        if self.page.locator("html").get_attribute("lang") != wanted:
            self.press("lang")
        expect(self.page.locator("html")).to_have_attribute("lang", wanted)

    def is_asked(self, order: str) -> None:
        """Waits for the question about an order."""
        expect(self.screen("ask").locator("[data-slot=order]")).to_have_text(order)

    def tap(self, level: int) -> None:
        """One of the five faces."""
        self.screen("ask").locator(f".faces [data-level='{level}']").click()

    def write(self, comment: str) -> None:
        """Words about the visit."""
        self.press("comment")
        self.screen("ask").locator("[data-field=comment]").fill(comment)

    def thanked(self, kind: str) -> str:
        """Waits for the thanks; the query code that they show."""
        code = self.screen(f"thanks-{kind}").locator("[data-slot=code]")
        expect(code).not_to_be_empty()
        return code.inner_text()

    def complain(self, *, category: str, remedy: str, comment: str, amount: str, number: str = "") -> str:
        """The whole complaint, with a number for the bureau if there is one; its query code."""
        self.press("complain")
        self.screen("complain-what").locator(f"[data-category={category}]").click()
        self.press("next")
        self.screen("complain-want").locator(f"[data-remedy={remedy}]").click()
        self.press("next")
        words = self.screen("complain-words")
        words.locator("[data-field=comment]").fill(comment)
        words.locator("[data-field=amount]").click()
        words.locator("[data-field=amount]").fill("")
        for key in amount:
            words.locator(f"[data-key='{key}']").click()
        if number:
            self.leave(number)
        self.hand_in()
        return self.thanked("complaint")

    def hand_in(self, first: Literal["shop", "station"] = "shop") -> None:
        """The end of a complaint, from its words or the number on."""
        self.press("next")
        self.screen("complain-first").locator(f"[data-first={first}]").click()

    def leave(self, number: str) -> None:
        """A telephone number, which the bureau may call: first without saying so."""
        self.press("number")
        contact = self.screen("complain-contact")
        expect(contact.locator("[data-consent][aria-pressed=true]")).to_have_count(0)
        for key in number:
            contact.locator(f"[data-key='{key}']").click()
        self.press("next")
        expect(contact.locator("[data-fault=consents]")).to_be_visible()
        contact.locator("[data-consent=authority]").click()


@dataclass(frozen=True, kw_only=True)
class Staff:
    """Somebody who signs in with a secret alone, at the counter or as the manager."""

    page: Page

    def sign_in(self, url: str, secret: str) -> None:
        """Opens the page, which asks for the secret first."""
        self.page.goto(at_shop(url))
        self.page.locator("input[type=password]").fill(secret)
        self.page.locator("form:has(input[type=password]) button[type=submit]").click()
        expect(self.page).to_have_url(at_shop(url))

    def reports(self, order: str) -> None:
        """A sale typed in by hand."""
        self.page.locator("input[name=order]").fill(order)
        self.page.locator(".sale-form button[type=submit]").click()


@dataclass(frozen=True, kw_only=True)
class Officer:
    """Somebody at the bureau."""

    page: Page
    demo: Running

    def sign_in(self, name: str, secret: str) -> None:
        """Opens the first page, which asks for name and password."""
        self.page.goto(f"{self._central}/officer")
        self.page.locator("input[name=name]").fill(name)
        self.page.locator("input[name=secret]").fill(secret)
        self.page.locator("form:has(input[type=password]) button[type=submit]").click()
        expect(self.page).to_have_url(f"{self._central}/officer")

    def reads(self, kind: str) -> Locator:
        """The newest ratings, complaints or suggestions."""
        self.page.goto(f"{self._central}/officer/{kind}")
        return self.page.locator(".voice")

    @property
    def _central(self) -> str:
        return at_shop(self.demo.central.url)


def read_code(shown: Locator) -> str:
    """What a phone reads off a picture of it."""
    picture = Image.open(io.BytesIO(shown.screenshot()))
    (found,) = zxingcpp.read_barcodes(picture)
    return str(found.text)


def health(demo: Running) -> dict[str, Any]:
    """What the terminal says of itself."""
    told: dict[str, Any] = urllib3.request("GET", f"{demo.terminal.url}/healthz").json()
    return told


def until(holds: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Returns once it holds; fails when it does not in time."""
    ends = monotonic() + timeout_s
    waiting = threading.Event()
    while not holds():
        assert monotonic() < ends
        waiting.wait(0.1)


def answer_first(first: Tablet, second: Tablet) -> None:
    """Both tap a face; what the second one says arrives after the first one's."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    second.page.route("**/kiosk/api/answers/*", hold)
    with second.page.expect_request("**/kiosk/api/answers/*"):
        second.tap(2)
    with first.page.expect_response("**/kiosk/api/answers/*"):
        first.tap(5)
    held[0].continue_()
    expect(second.screen("elsewhere")).to_be_visible()
