"""Every page of the shop in both languages."""

from __future__ import annotations

import re

import pytest

from tests.terminal.collect.shop import Shop
from tests.terminal.web.doors import Kiosk
from tests.terminal.web.people import Person, words_of

# What is Chinese on an English page too: the shop's own words and the way back to Chinese.
_NAMES = ("示例面馆", "示例路 1 号", "示例餐饮有限公司", "中文", "太慢了")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _require_english(page: str) -> None:
    words = words_of(page)
    for name in _NAMES:
        words = words.replace(name, "")
    assert _CHINESE.search(words) is None


def _require_chinese(page: str) -> None:
    assert _CHINESE.search(words_of(page))
    assert '<html lang="zh-CN"' in page


@pytest.mark.parametrize("page", ["/counter/sign-in", "/manager/sign-in"])
def test_sign_in(anybody: Person, page: str) -> None:
    _require_chinese(anybody.see(page))
    _require_english(anybody.see(f"{page}?lang=en"))


def test_counter(staff: Person, kiosk: Kiosk, shop: Shop) -> None:
    shop.sell("087")
    body = {
        "prompt": None,
        "categories": ["quality"],
        "remedies": ["refund"],
        "comment": "太慢了",
        "lang": "zh",
    }
    kiosk.post(f"complaints/{kiosk.new_id()}", body)
    _require_chinese(staff.see("/counter"))
    _require_english(staff.see("/counter?lang=en"))
    _require_english(staff.send("/counter", "/counter/links").get_data(as_text=True))


def test_manager(manager: Person, shop: Shop) -> None:
    shop.done(shop.sell("087"), 4)
    _require_chinese(manager.see("/manager"))
    _require_english(manager.see("/manager?lang=en"))
    _require_english(manager.send("/manager/pos", "/manager/pos/tokens", till="1").get_data(as_text=True))


def test_the_browsers_language_counts_until_somebody_chooses(anybody: Person) -> None:
    english = anybody.client.get("/counter/sign-in", headers={"Accept-Language": "en-GB,zh;q=0.5"})
    _require_english(english.get_data(as_text=True))
    anybody.see("/counter/sign-in?lang=zh")
    chosen = anybody.client.get("/counter/sign-in", headers={"Accept-Language": "en"})
    _require_chinese(chosen.get_data(as_text=True))
