"""The tablet's page: everything it will ever show, in both languages, without anything from elsewhere."""

from __future__ import annotations

import re

import msgspec
import pytest

from merchant_agent.domain.catalogue import Trade
from merchant_agent.domain.promises import Promise
from merchant_agent.web.locale import LANGS
from tests.terminal.collect.shop import Shop
from tests.terminal.web.doors import Kiosk
from tests.terminal.web.people import Person, words_of

SCREENS = [
    *("top", "countdown", "unconnected-strip", "rest", "ask", "saving", "phone", "suggest"),
    *("complain-what", "complain-want", "complain-words", "complain-contact", "complain-first"),
    *("complain-phone",),
    *("thanks-rating", "thanks-suggestion", "thanks-complaint", "unsaved", "unconnected", "unpaired"),
    *("elsewhere", "discard"),
]


def _screens(page: str, lang: str) -> str:
    """The page's screens in one language."""
    found = re.search(rf'<template data-lang="{lang}">(.*?)</template>', page, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def page(kiosk: Kiosk) -> str:
    return kiosk.client.get("/kiosk").get_data(as_text=True)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_is_there_in_both_languages(page: str, screen: str, lang: str) -> None:
    assert _screens(page, lang).count(f'data-screen="{screen}"') == 1


def test_the_languages_do_not_mix(page: str) -> None:
    chinese, english = (words_of(_screens(page, lang)) for lang in LANGS)
    assert "How satisfied" not in chinese
    names = ("示例面馆", "示例路 1 号", "中文")
    for name in names:
        english = english.replace(name, "")
    assert not re.search(r"[\u4e00-\u9fff]", english)


@pytest.mark.parametrize("lang", LANGS)
def test_the_faces_are_one_radio_group_with_words_and_one_tab_stop(page: str, shop: Shop, lang: str) -> None:
    faces = re.search(r'<div class="faces" role="radiogroup".*?</div>', _screens(page, lang), re.DOTALL)
    assert faces is not None
    assert re.findall(r'data-level="(\d)"', faces[0]) == ["5", "4", "3", "2", "1"]
    assert words_of(faces[0]) == " ".join(level.text(lang) for level in shop.terminal.catalogue.levels)
    assert faces[0].count('tabindex="0"') == 1


def test_reasons_are_those_of_the_shops_trade(page: str, shop: Shop) -> None:
    trade: Trade = shop.terminal.catalogue.trade("restaurant")
    assert tuple(re.findall(r'data-tag="(\w+)"', _screens(page, "zh"))) == trade.tags
    assert tuple(re.findall(r'data-aspect="(\w+)"', _screens(page, "zh"))) == trade.aspects


def test_a_complaint_offers_every_problem_and_every_remedy_once(page: str, shop: Shop) -> None:
    catalogue = shop.terminal.catalogue
    screens = _screens(page, "zh")
    assert sorted(re.findall(r'data-category="(\w+)"', screens)) == sorted(
        item.code for item in catalogue.categories
    )
    assert sorted(re.findall(r'data-remedy="(\w+)"', screens)) == sorted(
        item.code for item in catalogue.remedies
    )


def test_a_complaint_says_that_it_is_no_formal_one_and_no_consent_is_given_beforehand(page: str) -> None:
    screens = _screens(page, "zh")
    assert "还不是12315正式投诉" in words_of(screens)
    assert re.findall(r'aria-pressed="(\w+)" data-consent="(\w+)"', screens) == [
        ("false", "authority"),
        ("false", "shop"),
    ]
    assert not re.search(r'type="(tel|email)"|data-field="(name|email)"', screens)


def test_the_page_runs_nothing_inline_and_loads_nothing_from_elsewhere(page: str) -> None:
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", page)
    assert not [url for url in re.findall(r'(?:src|href)="([^"]+)"', page) if not url.startswith(("/", "#"))]


def test_the_page_renews_the_tablets_cookie(kiosk: Kiosk) -> None:
    assert "tablet=" in kiosk.client.get("/kiosk").headers["Set-Cookie"]


@pytest.mark.parametrize(("lang", "words"), [("zh", "六位数字"), ("en", "six digits")])
def test_an_unpaired_browser_is_told_what_to_do(anybody: Person, lang: str, words: str) -> None:
    answer = anybody.client.get(f"/kiosk?lang={lang}")
    assert answer.status_code == 401
    assert words in words_of(answer.get_data(as_text=True))


PROMISES = (
    Promise(code="pay_first"),
    Promise(code="no_fakes", terms="假一赔十"),
    Promise(code="of_later"),
    Promise(code="clear_prices"),
    Promise(code="no_reason_return", days=7, goods="<b>未拆封</b>", terms="凭小票"),
)


def _promise(shop: Shop, *promises: Promise) -> None:
    journal = shop.terminal.journal
    journal.change_shop(msgspec.structs.replace(journal.identity.merchant, promises=promises))


@pytest.mark.parametrize(("lang", "words"), [("zh", "7天无理由退换货"), ("en", "within 7 days")])
def test_at_rest_three_promises_are_shown_in_their_order(
    kiosk: Kiosk, shop: Shop, lang: str, words: str
) -> None:
    _promise(shop, *PROMISES)
    screens = _screens(kiosk.client.get("/kiosk").get_data(as_text=True), lang)
    shown = re.findall(r"<li><p>(.*?)</p>(?:<p class=\"theirs\">(.*?)</p>)?</li>", screens)
    assert words in shown[0][0]
    assert [theirs for _, theirs in shown] == ["&lt;b&gt;未拆封&lt;/b&gt; · 凭小票", "", "假一赔十"]


def test_without_promises_the_rest_screen_has_no_empty_list(page: str) -> None:
    assert 'class="promises"' not in page


def test_the_mark_of_the_page_changes_with_what_it_is_made_of_alone(kiosk: Kiosk, shop: Shop) -> None:
    def mark() -> str:
        told: str = kiosk.client.get("/kiosk/api/screen").json["page"]  # type: ignore[index]
        return told

    before = mark()
    assert f"&#34;page&#34;: &#34;{before}&#34;" in kiosk.client.get("/kiosk").get_data(as_text=True)
    shop.sell("087")
    assert mark() == before
    _promise(shop, *PROMISES)
    assert mark() != before
    _promise(shop)
    assert mark() == before
