"""What customers meet on their phones only now and then: slips and cases in every state, refused forms, errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from merchant_agent.central.turns import POSTERS, take_turn
from tests.e2e.bureau import Bureau, served
from tests.e2e.looks import PHONE, Look, looking
from tests.e2e.people import at_shop
from tests.e2e.phone_states import behind, states
from tests.e2e.phones import WECHAT, Lang, as_files, photo


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    """A central of the test's own."""
    with served(tmp_path) as bureau:
        yield bureau


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A phone; pages that refuse something are no error here."""
    size = {"width": PHONE[0], "height": PHONE[1]}
    context = browser.new_context(viewport=size, user_agent=WECHAT, locale="zh-CN", reduced_motion="reduce")  # type: ignore[arg-type]
    context.set_default_timeout(10_000)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    context.close()
    assert troubles == []


@pytest.fixture
def examine(request: pytest.FixtureRequest) -> Look:
    """As `looking`, under names that tell the language."""
    lang = request.node.name.rpartition("-")[2].rstrip("]")
    return looking(request.config.getoption("--shots", default=None), f"phone-{lang}")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_state_that_time_shops_and_officers_bring(
    bureau: Bureau, page: Page, examine: Look, lang: Lang
) -> None:
    for state in states(bureau):
        page.goto(f"{at_shop(bureau.url)}{state.path}?lang={lang}{behind(state)}")
        if state.claim and "revoked" not in state.name:
            expect(page.locator("#said-title")).to_be_visible()
        if state.key:
            page.locator("#claim-text").fill("2222-2222-2222-2222")
            page.locator("main form button[type=submit]").click()
            expect(page.locator("main [role=alert]")).to_be_visible()
            examine(f"{state.name}-refused", page)
            page.locator("#claim-text").fill(state.key)
            page.locator("main form button[type=submit]").click()
            expect(page.locator(".course")).to_be_visible()
        if state.form:
            _send(page, state.form)
        examine(state.name, page)


def _send(page: Page, form: str) -> None:
    """One of the forms of a slip's page, with what its heading opens."""
    inside = page.locator(f"form[action$='/{form}']")
    heading = page.locator(f"details:has(form[action$='/{form}']) > summary")
    if heading.count():
        heading.click()
    inside.locator("button").first.click()
    expect(page.locator("main .notice-done")).to_be_visible()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_form_says_what_to_correct(bureau: Bureau, page: Page, examine: Look, lang: Lang) -> None:
    shop = bureau.register("示例面馆")
    poster = f"{at_shop(bureau.url)}/p/{shop}"

    def refused(name: str) -> None:
        page.locator("main form button[type=submit].wide").last.click()
        expect(page.locator("main [role=alert]:visible")).to_have_count(1)
        examine(f"refused-{name}", page)

    def begin(form: str) -> None:
        page.goto(f"{poster}/{form}?lang={lang}")
        page.evaluate("document.querySelector('textarea').removeAttribute('maxlength')")

    begin("suggest")
    page.locator("textarea").fill("长" * 1001)
    refused("suggestion")
    begin("complain")
    page.locator("textarea").fill("少给了两件")
    page.locator("#amount").fill("六十四块")
    refused("amount")
    begin("complain")
    page.locator("textarea").fill("少给了两件")
    page.locator(".calling > summary").click()
    page.locator("#contact").fill("13800005678")
    refused("consents")
    begin("complain")
    page.locator("input[type=file]").set_input_files(as_files(drawing=b"<svg/>"))
    expect(page.locator("[data-trouble]")).to_be_visible()
    examine("refused-file", page)
    pictures = {name: photo(name, (320, 240)) for name in ("red", "blue", "green", "black")}
    page.locator("input[type=file]").set_input_files(as_files(**pictures))
    expect(page.locator(".previews canvas")).to_have_count(3)
    examine("refused-fourth-photo", page)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_error_is_told_on_a_page(bureau: Bureau, page: Page, examine: Look, lang: Lang) -> None:
    central = at_shop(bureau.url)
    shop = bureau.register("示例面馆")
    for name, path in {
        "no-shop": "/p/nobody",
        "no-case": "/c/2222-2222-222",
        "nowhere": "/i/x/nowhere",
    }.items():
        page.goto(f"{central}{path}?lang={lang}")
        examine(f"error-{name}", page)
    page.goto(f"{central}/p/{shop}/suggest?lang={lang}")
    for _ in range(POSTERS.most):
        take_turn(bureau.central, POSTERS, "127.0.0.1")
    page.locator("textarea").fill("多放两把椅子")
    page.locator("main form button[type=submit]").click()
    examine("error-too-many", page)
