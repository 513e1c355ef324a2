"""Chinese first; English for whoever asks for it."""

from __future__ import annotations

import pytest

from merchant_agent.web.locale import money, wall_time
from tests.web.conftest import Site


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [
        ("", "zh-CN"),
        ("zh-CN,zh;q=0.9", "zh-CN"),
        ("zh-Hant-TW", "zh-CN"),
        ("en-GB,en;q=0.9", "en"),
        ("fr-FR,en;q=0.5", "en"),
        ("fr", "zh-CN"),
        ("x-!!,,;q=9", "zh-CN"),
        ("de,zh;q=0.4,en;q=0.3", "zh-CN"),
    ],
)
def test_browser_preference_decides_at_first(site: Site, accepted: str, lang: str) -> None:
    page = site.app.test_client().get("/", headers={"Accept-Language": accepted}).get_data(as_text=True)
    assert f'<html lang="{lang}"' in page


def test_choice_in_the_address_is_remembered(site: Site) -> None:
    client = site.app.test_client()
    assert '<html lang="en"' in client.get("/?lang=en").get_data(as_text=True)
    assert '<html lang="en"' in client.get("/", headers={"Accept-Language": "zh"}).get_data(as_text=True)
    assert '<html lang="zh-CN"' in client.get("/?lang=zh").get_data(as_text=True)


def test_unknown_language_changes_nothing(site: Site) -> None:
    answer = site.app.test_client().get("/?lang=fr")
    assert '<html lang="zh-CN"' in answer.get_data(as_text=True)
    assert "lang=" not in answer.headers.get("Set-Cookie", "")


def test_link_to_the_other_language_keeps_the_rest_of_the_address(site: Site) -> None:
    page = site.app.test_client().get("/?q=a%26b&page=2&lang=zh").get_data(as_text=True)
    assert 'href="/?q=a%26b&amp;page=2&amp;lang=en"' in page


@pytest.mark.parametrize(
    ("lang", "amount", "told"),
    [
        ("zh", "88.80 CNY", "88.80 元"),
        ("en", "88.80 CNY", "88.80 CNY"),
        ("zh", "88.80 USD", "88.80 USD"),
        ("zh", "88.80", "88.80"),
    ],
)
def test_money_is_written_as_the_reader_writes_it(site: Site, lang: str, amount: str, told: str) -> None:
    with site.app.test_request_context(f"/?lang={lang}"):
        assert money(amount) == told


def test_a_time_on_the_wall_is_written_without_a_letter() -> None:
    assert wall_time("2026-11-24T18:34") == "2026-11-24 18:34"
