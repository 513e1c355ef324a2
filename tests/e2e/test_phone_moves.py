"""A complaint that was begun on the tablet and goes on on the phone: what was chosen comes along, and nothing else."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import OpenPage
from tests.e2e.looks import PHONE
from tests.e2e.people import LANDSCAPE, Officer, Tablet, Till, at_shop, read_code

_TICKED = "[...document.querySelectorAll('input:checked')].map((box) => box.value).sort()"
_ALL = """() => [...document.querySelectorAll("#stage [data-category], #stage [data-remedy]")]
    .filter((chip) => chip.getAttribute("aria-pressed") === "false").forEach((chip) => chip.click())"""


def _begin(tablet: Tablet) -> None:
    """A complaint with one thing of each list's visible and hidden part, and with words and an amount."""
    tablet.press("complain")
    what = tablet.screen("complain-what")
    what.locator("[data-category=price]").click()
    tablet.press("more")
    what.locator("[data-category=after_sales]").click()
    tablet.press("next")
    tablet.screen("complain-want").locator("[data-remedy=refund]").click()
    tablet.press("next")
    words = tablet.screen("complain-words")
    words.locator("[data-field=comment]").fill("多收了十二块")
    words.locator("[data-field=amount]").fill("64")
    tablet.press("phone")


def _code(tablet: Tablet) -> str:
    return read_code(tablet.screen("complain-phone").locator("[data-qr]"))


def test_what_was_chosen_is_ticked_on_the_phone_and_arrives(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet, phone = Tablet(page=open_page()), open_page(PHONE)
    tablet.pair(demo.kiosk)
    sold = till.sell("MOVES", amount="64.00")
    tablet.is_asked("MOVES")
    _begin(tablet)
    address = _code(tablet)
    invitation = sold["invitation"]["url"]
    assert address == f"{invitation}/complain#what=price.after_sales&want=refund"
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    phone.goto(at_shop(address))
    expect(phone.locator("[data-brought]")).to_be_visible()
    assert phone.evaluate(_TICKED) == ["after_sales", "price", "refund"]
    assert phone.url == at_shop(f"{invitation}/complain")
    assert phone.locator("textarea").input_value() == phone.locator("#amount").input_value() == ""
    assert not [url for url in asked if "after_sales" in url]
    phone.locator("textarea").fill("多收了十二块，问了没有人理")
    phone.locator("main button.wide[type=submit]").click()
    expect(phone.locator(".course")).to_be_visible()
    tablet.press("scanned")
    officer = Officer(page=open_page(LANDSCAPE), demo=demo)
    officer.sign_in("officer", demo.state.officer)
    arrived = officer.reads("complaints").filter(has_text="多收了十二块，问了没有人理")
    for words in ("没标价、多收钱", "不给退、换、修", "退钱"):
        expect(arrived).to_contain_text(words)


def test_the_page_in_the_other_language_is_ticked_too(demo: Running, open_page: OpenPage) -> None:
    phone = open_page(PHONE)
    phone.goto(f"{at_shop(demo.central.url)}/p/{demo.merchant}/complain#what=price&want=refund")
    phone.locator(".site-nav a[hreflang]").click()
    expect(phone.locator("html")).to_have_attribute("lang", "en")
    expect(phone.locator("[data-brought]")).to_be_visible()
    assert phone.evaluate(_TICKED) == ["price", "refund"]
    assert "#" not in phone.url


@pytest.mark.parametrize(
    "behind",
    [
        "what=nothing.of.it&want=<b>",
        "what=",
        "want=price",
        "what=%",
        f"what={'price-' * 3000}",
        "what=refund&contact=138",
    ],
)
def test_codes_that_nobody_knows_tick_nothing(demo: Running, open_page: OpenPage, behind: str) -> None:
    phone = open_page(PHONE)
    form = f"{at_shop(demo.central.url)}/p/{demo.merchant}/complain"
    phone.goto(f"{form}#{behind}")
    expect(phone).to_have_url(form)
    assert phone.evaluate(_TICKED) == []
    expect(phone.locator("[data-brought]")).to_be_hidden()


def test_a_code_read_after_the_complaint_was_sent_leads_to_it_and_is_forgotten(
    open_page: OpenPage, till: Till
) -> None:
    invitation = at_shop(till.sell("MOVED")["invitation"]["url"])
    phone = open_page(PHONE)
    phone.goto(f"{invitation}/complain#what=price")
    phone.locator("main button.wide[type=submit]").click()
    expect(phone.locator(".course")).to_be_visible()
    phone.goto(f"{invitation}/complain#what=price")
    expect(phone).to_have_url(invitation)


def test_without_scripts_the_form_is_empty_and_works(demo: Running, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page: Page = context.new_page()
    page.goto(f"{at_shop(demo.central.url)}/p/{demo.merchant}/complain#what=price")
    expect(page.locator("[data-brought]")).to_be_hidden()
    expect(page.locator("input:checked")).to_have_count(0)
    page.locator("textarea").fill("多收了十二块")
    page.locator("main button.wide[type=submit]").click()
    expect(page.locator(".course")).to_be_visible()
    context.close()


def test_a_code_with_everything_chosen_can_still_be_read(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = Tablet(page=open_page())
    tablet.pair(demo.kiosk)
    till.sell("ALL")
    tablet.is_asked("ALL")
    tablet.press("complain")
    tablet.page.evaluate(_ALL)
    tablet.press("next")
    tablet.page.evaluate(_ALL)
    tablet.press("phone")
    what, _, want = _code(tablet).partition("#")[2].partition("&")
    assert (what.count("."), want.count(".")) == (15, 8)
    tablet.press("scanned")
