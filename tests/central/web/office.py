"""The pages of one central, as somebody with a browser meets them."""

from __future__ import annotations

import re
from datetime import datetime, time

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from merchant_agent.central.app import create_app
from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Release
from merchant_agent.domain.merchants import Merchant, Programme, check_character
from merchant_agent.web.sign_in import set_secret
from tests.central.sender import Sender, enrol_sender
from tests.clocks import SHANGHAI, ManualClock

OFFICER = "wang.fang"
PASSWORD = "correct horse battery"
ORIGIN = {"Origin": "http://localhost"}
SCRIPT = "<script>alert(1)</script>"

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_CODE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{5}\b")


def credit_code(number: int) -> str:
    """A valid credit code, another one for each number."""
    body = f"91510129MA{number:07d}"
    return body + check_character(body)


def merchant_of(
    number: int = 1, *, shop_name: str = "北街小馆", address: str = "晋原街道北街18号"
) -> Merchant:
    return Merchant(
        name=f"示例餐饮{number}有限公司",
        shop_name=shop_name,
        credit_code=credit_code(number),
        address=address,
        trade="catering",
        programme=Programme.SITE,
    )


class Office:
    """A central, and one browser."""

    def __init__(self, central: Central, clock: ManualClock) -> None:
        self.central = central
        self.clock = clock
        self.app = create_app(central)
        self.browser: FlaskClient = self.app.test_client()

    def hire(self, name: str = OFFICER, role: str = "officer") -> None:
        set_secret(self.central.store, self.clock, name=name, role=role, secret=PASSWORD, who="console")

    def enter(self, *, name: str = OFFICER, secret: str = PASSWORD, target: str = "") -> TestResponse:
        """Sends the sign-in form."""
        return self.send("/officer/sign-in", "/officer/sign-in", name=name, secret=secret, next=target)

    def staffed(self) -> Office:
        """This office with an officer who is signed in."""
        self.hire()
        assert self.enter().status_code == 303
        return self

    def get(self, path: str, lang: str = "en") -> TestResponse:
        return self.browser.get(path, headers={"Accept-Language": lang})

    def text(self, path: str, lang: str = "en") -> str:
        """The page at `path`, which is there."""
        answer = self.get(path, lang)
        assert answer.status_code == 200, path
        return answer.get_data(as_text=True)

    def token(self, page: str) -> str:
        """The form token of a page."""
        found = _TOKEN.search(self.text(page))
        assert found is not None, page
        return found[1]

    def send(self, page: str, action: str, lang: str = "en", **form: object) -> TestResponse:
        """Sends a form that stands on `page` to `action`."""
        return self.browser.post(
            action,
            data={"csrf_token": self.token(page), **form},
            headers={**ORIGIN, "Accept-Language": lang},
        )

    def register(self, number: int = 1, *, shop_name: str = "北街小馆") -> str:
        return add_merchant(self.central, merchant_of(number, shop_name=shop_name), who="console")

    def open_shop(self, number: int = 1) -> tuple[str, Sender]:
        """A merchant with an enrolled terminal."""
        merchant = self.register(number)
        return merchant, enrol_sender(self.central, merchant)

    def make_code(self, merchant: str, kind: str = "code") -> str:
        """A code as the officer reads it off the page."""
        page = f"/officer/merchants/{merchant}"
        answer = self.send(page, f"{page}/{kind}")
        found = _CODE.search(answer.get_data(as_text=True))
        assert found is not None
        return found[0]

    def release(
        self,
        merchant: str,
        counts: tuple[int, int, int, int, int],
        *,
        band: str = "25-50",
        day: str = "2026-05-20",
        fast: int = 0,
        burst: int = 0,
    ) -> None:
        """A daily release as it stands in the table; counts are by level, 1 to 5."""
        levels = {f"level_{level}": count for level, count in enumerate(counts, start=1)}
        until = datetime.combine(datetime.fromisoformat(day), time(), SHANGHAI)
        with self.central.store.write() as tx:
            told = {"answer_band": band, "fast": fast, "burst": burst}
            tx.execute(Release.insert(merchant=merchant, day=day, until=until, **told, **levels))
