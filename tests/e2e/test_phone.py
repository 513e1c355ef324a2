"""The phone's pages in a small browser that calls itself WeChat's: readable, reachable, and private."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import OpenPage
from tests.e2e.looks import PHONE, Look, looking
from tests.e2e.people import LANDSCAPE, Officer, Tablet, Till, at_shop, read_code
from tests.e2e.phones import NUMBER, WECHAT, Customer, Lang, as_files, photo

_CHOSEN = """async () => Promise.all([...document.querySelector("input[type=file]").files].map(async (file) => {
    const text = new TextDecoder("latin1").decode(await file.arrayBuffer());
    return [file.name, file.type, text.includes("SECRETCAMERA") || text.includes("Exif")];
}))"""
_LAST_PICTURE = """async () => {
    const address = [...document.querySelectorAll(".pictures img")].at(-1).src;
    const octets = new Uint8Array(await (await fetch(address)).arrayBuffer());
    return btoa(octets.reduce((text, octet) => text + String.fromCharCode(octet), ""));
}"""


@pytest.fixture
def handset(browser: Browser) -> Iterator[Page]:
    """A phone with WeChat; pages that refuse a form are no error here."""
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]},
        user_agent=WECHAT,
        locale="zh-CN",
        reduced_motion="reduce",
        has_touch=True,
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "console",
        lambda message: (
            troubles.append(message.text) if message.type == "error" and "422" not in message.text else None
        ),
    )
    yield page
    context.close()
    assert troubles == []


@pytest.fixture
def examine(request: pytest.FixtureRequest) -> Look:
    """As `looking`, under names that tell the language."""
    lang = request.node.name.rpartition("-")[2].rstrip("]")
    return looking(request.config.getoption("--shots", default=None), f"phone-{lang}")


def _ignore(_name: str, _page: Page) -> None:
    """Walks on without a look."""


def _invitation(till: Till, order: str) -> str:
    url: str = till.sell(order, amount="64.50")["invitation"]["url"]
    return url


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_of_an_invitation(
    demo: Running, handset: Page, examine: Look, *, till: Till, lang: Lang
) -> None:
    invitation = _invitation(till, f"I-{lang}")
    customer = Customer(page=handset, lang=lang, look=examine)
    customer.rate(invitation)
    customer.suggest(invitation)
    case = customer.complain(invitation)
    customer.add()
    customer.urge(invitation)
    for name, url in {
        "poster": f"{demo.central.url}/p/{demo.merchant}",
        "invitation-invalid": f"{demo.central.url}/i/nonsense",
        "slip-invalid": f"{demo.central.url}/s/nonsense",
    }.items():
        customer.open(url)
        examine(name, handset)
    handset.context.clear_cookies()
    customer.open(case)
    examine("case-locked", handset)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_of_a_complaint_s_slip(
    demo: Running, handset: Page, examine: Look, *, open_page: OpenPage, lang: Lang
) -> None:
    tablet = Tablet(page=open_page(LANDSCAPE))
    tablet.pair(demo.kiosk)
    tablet.complain(category="price", remedy="refund", comment="结账价和标价不一样", amount="12")
    address = read_code(tablet.screen("thanks-complaint").locator("[data-qr]"))
    public, _, claim = address.partition("#")
    customer = Customer(page=handset, lang=lang, look=examine)
    customer.open(public)
    examine("slip-without-claim", handset)
    handset.goto(f"{at_shop(public)}?again=1#{claim}")
    expect(handset.locator("#said-title")).to_be_visible()
    expect(handset.locator(".course")).to_be_visible()
    examine("slip", handset)
    customer.add()
    for summary in handset.locator(".action > summary, .technical > summary").all():
        summary.click()
    examine("slip-opened", handset)


def test_all_five_faces_are_of_one_size_and_on_the_first_screen(handset: Page, till: Till) -> None:
    """Whoever has to scroll for the bad ones taps a good one."""
    for lang in ("zh", "en"):
        handset.goto(f"{at_shop(_invitation(till, f'FACES-{lang}'))}?lang={lang}")
        boxes = [face.bounding_box() for face in handset.locator(".face-button").all()]
        sizes = {(box["width"], box["height"]) for box in boxes if box is not None}
        assert (len(boxes), len(sizes)) == (5, 1)
        assert max(box["y"] + box["height"] for box in boxes if box is not None) <= PHONE[1]


def test_the_whole_way_of_a_rating_takes_seconds(handset: Page, till: Till) -> None:
    invitation = _invitation(till, "FAST")
    handset.goto(at_shop(invitation))
    began = handset.evaluate("Date.now()")
    handset.locator(".face-button").first.tap()
    handset.locator("main button.wide").tap()
    expect(handset.locator(".big-code")).to_be_visible()
    assert handset.evaluate("Date.now()") - began < 6_000


def test_after_sending_going_back_shows_nothing_of_it(demo: Running, handset: Page, till: Till) -> None:
    invitation = at_shop(_invitation(till, "BACK"))
    for base in (invitation, f"{at_shop(demo.central.url)}/p/{demo.merchant}"):
        handset.goto(f"{base}/complain")
        handset.locator("textarea").fill("少给了两件衣服")
        handset.locator(".calling > summary").click()
        handset.locator("#contact").fill(NUMBER)
        handset.locator("input[name=consent]").first.check(force=True)
        handset.locator("main button.wide[type=submit]").tap()
        expect(handset.locator(".course")).to_be_visible()
        handset.go_back()
        typed = "[...document.querySelectorAll('textarea, input[type=tel]')].map((one) => one.value).join('')"
        assert handset.evaluate(typed) == ""
        assert handset.locator("input:checked").count() == 0
        assert "少给了两件衣服" not in handset.content()
    handset.goto(f"{invitation}/complain")
    expect(handset).to_have_url(invitation)


def test_nothing_that_was_typed_stands_in_an_address(demo: Running, handset: Page, till: Till) -> None:
    asked: list[str] = []
    handset.on("request", lambda request: asked.append(request.url))
    invitation = _invitation(till, "PRIVATE")
    customer = Customer(page=handset, lang="zh", look=_ignore)
    customer.rate(invitation)
    customer.complain(invitation)
    key = handset.locator(".key").inner_text()
    customer.add()
    customer.urge(invitation)
    assert len(asked) > 20
    for secret in (NUMBER, "%E", key, "level=", "64.5"):
        assert not [url for url in asked if secret in url]
    assert {url.split("/")[2] for url in asked} == {at_shop(demo.central.url).split("/")[2]}


def test_photos_leave_the_phone_small_and_without_their_place(handset: Page, till: Till) -> None:
    invitation = _invitation(till, "PHOTO")
    customer = Customer(page=handset, lang="zh", look=_ignore)
    customer.open(f"{invitation}/complain")
    customer.choose("red", "blue", "green")
    handset.locator("input[type=file]").set_input_files(as_files(fourth=photo("black", (90, 60))))
    expect(handset.locator("[data-trouble]")).to_have_text(
        "最多三张照片，多的没有加上。想换一张，请先去掉一张。"
    )
    handset.locator(".previews button").nth(1).tap()
    expect(handset.locator(".previews canvas")).to_have_count(2)
    handset.locator("textarea").fill("少给了两件")
    assert handset.evaluate(_CHOSEN) == [["photo.jpg", "image/jpeg", False]] * 2
    handset.locator("main button.wide[type=submit]").tap()
    expect(handset.locator(".pictures img")).to_have_count(2)
    octets = base64.b64decode(handset.evaluate(_LAST_PICTURE))
    assert b"Exif" not in octets
    with Image.open(io.BytesIO(octets)) as picture:
        assert picture.size == (1600, 1200)
        _, green, _ = picture.convert("RGB").getpixel((800, 600))  # type: ignore[misc]
        assert green > 100


def test_a_file_that_is_no_picture_is_told_on_the_page(handset: Page, till: Till) -> None:
    Customer(page=handset, lang="en", look=_ignore).open(f"{_invitation(till, 'FILE')}/complain")
    handset.locator("input[type=file]").set_input_files(as_files(drawing=b"<svg/>"))
    expect(handset.locator("[data-trouble]")).to_have_text(
        "This file is no picture and was not added. Please choose another one."
    )
    expect(handset.locator(".previews")).to_be_hidden()


def test_everything_works_without_scripts(browser: Browser, till: Till) -> None:
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, java_script_enabled=False, locale="zh-CN"
    )
    page = context.new_page()
    invitation = at_shop(_invitation(till, "PLAIN"))
    page.goto(invitation)
    page.locator(".face-button").last.click()
    page.locator("main button.wide").click()
    expect(page.locator(".big-code")).to_be_visible()
    page.goto(f"{invitation}/complain")
    page.locator("textarea").fill("菜是凉的")
    page.locator("input[type=file]").set_input_files(as_files(only=photo("red")))
    page.locator("main button.wide[type=submit]").click()
    expect(page.locator(".pictures img")).to_have_count(1)
    page.locator(".action summary").first.click()
    page.locator("form[action$='/add'] textarea").fill("也没有人道歉")
    page.locator("form[action$='/add'] button[type=submit]").click()
    expect(page.locator(".notice-done")).to_be_visible()
    context.close()


def test_the_authority_alone_hears_that_a_rating_was_asked_for(
    demo: Running, handset: Page, *, open_page: OpenPage, till: Till
) -> None:
    customer = Customer(page=handset, lang="zh", look=_ignore)
    customer.urge(_invitation(till, "URGED"))
    officer = Officer(page=open_page(LANDSCAPE), demo=demo)
    officer.sign_in("officer", demo.state.officer)
    told = officer.reads("urgings")
    expect(told.first).to_contain_text("给好评送了一瓶水")
    central = demo.folder.central
    files = [path for path in demo.folder.path.rglob("*") if path.is_file() and central not in path.parents]
    assert len(files) > 3
    assert not [path for path in files if "给好评送了一瓶水".encode() in path.read_bytes()]


def test_an_officer_looks_at_the_photos_and_the_customer_sees_that_they_did(
    demo: Running, handset: Page, *, open_page: OpenPage, till: Till
) -> None:
    customer = Customer(page=handset, lang="zh", look=_ignore)
    case = customer.complain(_invitation(till, "LOOK"))
    officer = Officer(page=open_page(LANDSCAPE), demo=demo)
    officer.sign_in("officer", demo.state.officer)
    newest = officer.reads("complaints").first
    newest.locator("form[action$='/photos'] button").click()
    expect(officer.page.locator(".evidence-photos img")).to_have_count(2)
    assert officer.page.evaluate(
        "[...document.querySelectorAll('.evidence-photos img')].every((one) => one.naturalWidth === 1600)"
    )
    handset.goto(case)
    expect(handset.locator(".course")).to_contain_text("工作人员查看了您的照片")


def test_the_code_of_an_answer_reads_the_same_everywhere(demo: Running, handset: Page, till: Till) -> None:
    customer = Customer(page=handset, lang="zh", look=_ignore)
    case = customer.complain(_invitation(till, "CODE"))
    code = handset.locator(".big-code").inner_text()
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{3}", code)
    assert case.endswith(f"/c/{code}")
    handset.goto(f"{at_shop(demo.central.url)}/check")
    handset.locator("main input[name=code]").fill(code)
    handset.locator("main form button").click()
    expect(handset.locator("main")).to_contain_text(code)
