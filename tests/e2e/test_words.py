"""The measure of words that every examined page is held to; the pages themselves are in `test_access` and beside it."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import OpenPage
from tests.e2e.words import foreign_words, has_foreign
from tests.translations import committed, extracted, identifiers


@pytest.mark.parametrize(
    "text",
    ["已保存 saved", "Complain", "请看 counter 页面", "评价 Rating", "查询码 ABCD-1234 copied"],
)
def test_english_in_a_chinese_text_is_found(text: str) -> None:
    assert has_foreign(text, "zh")


@pytest.mark.parametrize(
    "text",
    [
        "收银系统（POS）",
        "打开 http://shop.test:8700/kiosk，输入数字",
        "查询码 G0TP-9A7R-GYJ",
        "取餐号 087",
        "单号 A-zh",
        "导出 CSV",
    ],
)
def test_codes_addresses_and_names_are_no_english(text: str) -> None:
    assert not has_foreign(text, "zh")


@pytest.mark.parametrize(
    ("text", "found"), [("Saved 已保存", True), ("Saved at 北街面馆", False), ("中", True)]
)
def test_chinese_in_an_english_text_is_found_but_names_are_not(text: str, *, found: bool) -> None:
    assert has_foreign(text, "en") is found


def test_what_is_hidden_from_eyes_but_spoken_counts_too(open_page: OpenPage) -> None:
    page = open_page()
    page.set_content(
        """<html lang="zh-CN"><title>平板</title><body><button aria-label="Close">×</button>
        <a lang="en" href="#">English</a><p hidden>Hidden</p><p class="words">what they wrote</p><p>Shown</p></body></html>"""
    )
    assert foreign_words(page) == ["Shown", "Close"]


def test_the_catalogue_has_every_text_filled_and_none_to_be_looked_at_again() -> None:
    assert identifiers(committed()) == identifiers(extracted())
    assert [m.id for m in committed() if m.id and (m.fuzzy or not m.string or not all(m.string))] == []
