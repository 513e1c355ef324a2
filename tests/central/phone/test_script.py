"""The slip's page in a real browser: the claim gets there by script, with a key where there can be one."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from merchant_agent.central.services import Central
from merchant_agent.central.store.models import SlipOpening
from merchant_agent.evidence.octets import encode_b64u
from tests.central.phone.customers import Visitor

NO_KEY = "浏览器不能生成密钥"


@pytest.fixture
def page(browser: Browser) -> Page:
    """A phone of 360 by 740 pixels."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="zh-CN")
    context.set_default_timeout(15_000)
    return context.new_page()


@pytest.mark.parametrize("host", ["127.0.0.1", "central.test"])
def test_the_page_opens_with_what_stands_behind_the_hash(
    central: Central, visitor: Visitor, port: int, page: Page, host: str
) -> None:
    """Browsers make keys only in secure contexts: HTTPS, or this very machine."""
    has_key = host == "127.0.0.1"
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    slip = visitor.slip(visitor.rate(comment="汤有点咸"))
    visitor.upload()
    claim = encode_b64u(visitor.claim)
    page.goto(f"http://{host}:{port}/s/{slip}#{claim}")
    page.get_by_text("汤有点咸").wait_for()
    assert (NO_KEY in page.content()) is not has_key
    with central.store.read() as reader:
        rows: list[SlipOpening] = reader.all(SlipOpening.select())
    assert [row.key is not None for row in rows] == [has_key]
    assert complaints == []
    assert not any(claim in url.partition("#")[0] for url in asked)
    page.reload()
    page.get_by_text("汤有点咸").wait_for()


def test_the_same_phone_is_the_same_device_again(
    central: Central, visitor: Visitor, port: int, page: Page
) -> None:
    """Without its cookie it is still known by its key."""
    slip = visitor.slip(visitor.rate(comment="汤有点咸"))
    visitor.upload()
    address = f"http://127.0.0.1:{port}/s/{slip}#{encode_b64u(visitor.claim)}"
    for _ in range(2):
        page.goto(address)
        page.get_by_text("汤有点咸").wait_for()
        page.context.clear_cookies()
        page.goto("about:blank")
    with central.store.read() as reader:
        assert len(reader.all(SlipOpening.select())) == 1


def test_a_wrong_claim_is_told(visitor: Visitor, port: int, page: Page) -> None:
    slip = visitor.slip(visitor.rate())
    visitor.upload()
    page.goto(f"http://127.0.0.1:{port}/s/{slip}#AAAAAAAAAAAAAA")
    page.get_by_text("与这张凭条不符").wait_for()
