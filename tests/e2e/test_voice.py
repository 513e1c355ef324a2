"""Screens that are read aloud, by a voice of the device alone, and never what somebody answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import OpenPage
from tests.e2e.people import Tablet, Till

# The browser of the tests has no voice: this one writes down what it is told to say.
_VOICES = """(voices) => {
    window.said = [];
    const engine = {
        getVoices: () => voices,
        addEventListener: () => {},
        cancel: () => { window.said.push("(silence)"); },
        speak: (text) => {
            window.said.push(`${text.lang}: ${text.text}`);
            if (!window.isSlow) setTimeout(() => text.onend(), 0);
        },
    };
    Object.defineProperty(window, "speechSynthesis", { value: engine });
    window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
}"""
DEVICE = [{"lang": "zh-CN", "localService": True}, {"lang": "en_GB", "localService": True}]


def give_voice(page: Page, voices: list[dict[str, Any]]) -> None:
    """Before it is opened: a device with these voices."""
    page.add_init_script(f"({_VOICES})({json.dumps(voices)})")


def _tablet(demo: Running, page: Page, voices: list[dict[str, Any]]) -> Tablet:
    give_voice(page, voices)
    tablet = Tablet(page=page)
    tablet.pair(demo.kiosk)
    return tablet


def _said(tablet: Tablet) -> list[str]:
    said: list[str] = tablet.page.evaluate("window.said")
    return said


def _read_all(tablet: Tablet) -> str:
    """All that is read of a screen that asks nothing."""
    tablet.page.evaluate("window.said.length = 0")
    tablet.press("read")
    expect(tablet.page.locator("[data-do=read]")).to_have_attribute("aria-pressed", "false")
    return " ".join(_said(tablet))


@pytest.mark.parametrize(
    "voices", [[], [{"lang": "zh-CN", "localService": False}]], ids=["none", "of the network"]
)
def test_without_a_voice_of_the_device_reading_is_not_offered(
    demo: Running, open_page: OpenPage, voices: list[dict[str, Any]]
) -> None:
    tablet = _tablet(demo, open_page(), voices)
    expect(tablet.page.locator("[data-do=read]")).to_be_hidden()


def test_reading_is_offered_in_the_languages_that_the_device_speaks(
    demo: Running, open_page: OpenPage
) -> None:
    tablet = _tablet(demo, open_page(), DEVICE[:1])
    expect(tablet.page.locator("[data-do=read]")).to_be_visible()
    tablet.speak("en")
    expect(tablet.page.locator("[data-do=read]")).to_be_hidden()


@pytest.mark.parametrize(("lang", "locale"), [("zh", "zh-CN"), ("en", "en_GB")])
def test_question_and_faces_are_read_in_the_chosen_language(
    demo: Running, open_page: OpenPage, till: Till, lang: str, locale: str
) -> None:
    tablet = _tablet(demo, open_page(), DEVICE)
    till.sell(f"V-{lang}")
    tablet.is_asked(f"V-{lang}")
    tablet.speak("en" if lang == "en" else "zh")
    ask = tablet.screen("ask")
    _read_all(tablet)
    said = _said(tablet)
    for shown in (ask.locator("h1"), *ask.locator(".face").all()):
        assert f"{locale}: {shown.inner_text().strip()}" in said
    tablet.leave_unanswered()


def test_reading_stops_when_asked_to_and_with_the_screen(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = _tablet(demo, open_page(), DEVICE)
    till.sell("V-1")
    tablet.is_asked("V-1")
    tablet.page.evaluate("window.isSlow = true")
    read = tablet.page.locator("[data-do=read]")
    tablet.press("read")
    expect(read).to_have_attribute("aria-pressed", "true")
    tablet.pause()
    tablet.press("read")
    expect(read).to_have_attribute("aria-pressed", "false")
    assert _said(tablet)[-1] == "(silence)"
    tablet.pause()
    tablet.press("read")
    expect(read).to_have_attribute("aria-pressed", "true")
    tablet.tap(3)
    tablet.press("done")
    tablet.thanked("rating")
    assert _said(tablet)[-1] == "(silence)"


def test_no_answer_is_ever_read(demo: Running, open_page: OpenPage, till: Till) -> None:
    tablet = _tablet(demo, open_page(), DEVICE)
    till.sell("V-3")
    tablet.is_asked("V-3")
    tablet.tap(1)
    tablet.write("不该让旁人听见的话")
    read = _read_all(tablet)
    assert "不该让旁人听见的话" not in read
    assert "满意" not in read
    tablet.press("done")
    code = tablet.thanked("rating")
    read = _read_all(tablet)
    assert code not in read
    tablet.press("complain")
    tablet.screen("complain-what").locator("[data-category]").first.click()
    tablet.press("next")
    tablet.press("next")
    words = tablet.screen("complain-words")
    words.locator("[data-field=comment]").fill("也不该听见")
    words.locator("[data-field=amount]").fill("64.5")
    tablet.press("number")
    number = tablet.screen("complain-contact").locator("[data-field=contact]")
    number.fill("13912345678")
    assert "13912345678" not in _read_all(tablet)
    tablet.press("back")
    read = _read_all(tablet)
    assert "也不该听见" not in read
    assert "64" not in read
