"""What everybody may see, and what nobody must."""

from __future__ import annotations

import re

import pytest

from merchant_agent.central.web.figures import percent
from merchant_agent.evidence.query_code import query_code
from tests.central.web.office import SCRIPT, Office, credit_code

LANGS = ("zh", "en")
NOT_SENT = query_code(bytes(32))


@pytest.mark.parametrize("lang", LANGS)
def test_every_public_page_renders_in_both_languages(office: Office, lang: str) -> None:
    merchant, sender = office.open_shop()
    sent = sender.rate(sender.ask(), 5)
    sender.upload_all(office.central)
    for released in (False, True):
        for path in (
            *("/", "/check", f"/check?code={sent.query_code}", f"/check?code={NOT_SENT}"),
            *("/merchants", "/merchants?q=zzz", f"/m/{merchant}"),
        ):
            page = office.text(path, lang)
            assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}"' in page
            assert "style=" not in page
            assert "<script" not in page
        if not released:
            office.release(merchant, (1, 0, 2, 3, 9))


def test_empty_pages_teach(office: Office) -> None:
    assert "appear here as soon as the bureau has entered them" in office.text("/")
    assert "No shop is registered yet" in office.text("/merchants")


def test_shops_are_found_by_name_street_and_credit_code(office: Office) -> None:
    office.register(1, shop_name="北街小馆")
    office.register(2, shop_name="李记包子铺")
    for search in ("李记", credit_code(2)):
        page = office.text(f"/merchants?q={search}")
        assert "李记包子铺" in page
        assert "北街小馆" not in page
    assert "No shop found" in office.text("/merchants?q=南门")


def test_long_list_goes_on_at_the_next_page_and_keeps_the_search(office: Office) -> None:
    for number in range(51):
        office.register(number, shop_name=f"示范店{number:02d}")
    first = office.text("/merchants?q=示范")
    assert first.count('class="shop"') == 50
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    assert office.text(following[1].replace("&amp;", "&")).count('class="shop"') == 1


def test_mistyped_query_code_is_told_apart_from_one_that_is_on_its_way(office: Office) -> None:
    wrong = NOT_SENT[:-1] + ("0" if NOT_SENT[-1] != "0" else "1")
    mistyped = office.get(f"/check?code={wrong}")
    assert mistyped.status_code == 422
    assert "This is no query code" in mistyped.get_data(as_text=True)
    page = office.text(f"/check?code={NOT_SENT}")
    assert "Not received yet" in page
    assert "a code proves nothing" in page


def test_received_record_is_confirmed_without_what_was_said(office: Office) -> None:
    merchant, sender = office.open_shop()
    sent = sender.rate(sender.ask(), 1, comment="汤是凉的")
    assert "Not received yet" in office.text(f"/check?code={sent.query_code}")
    sender.upload_all(office.central)
    typed = sent.query_code.replace("-", " ").lower()
    page = office.browser.get("/check", query_string={"code": typed}, headers={"Accept-Language": "en"})
    text = page.get_data(as_text=True)
    assert "Received and checked" in text
    assert f'href="/m/{merchant}"' in text
    assert "汤是凉的" not in text
    assert "Very dissatisfied" not in text


def test_query_code_is_shown_as_text_whatever_it_holds(office: Office) -> None:
    page = office.browser.get("/check", query_string={"code": f'">{SCRIPT}'}).get_data(as_text=True)
    assert SCRIPT not in page


def test_shop_without_a_release_shows_no_figure(office: Office) -> None:
    merchant, sender = office.open_shop()
    sender.rate(sender.ask(), 5)
    sender.upload_all(office.central)
    page = office.text(f"/m/{merchant}")
    assert "No figures yet" in page
    assert "%" not in re.sub(r"95% Wilson", "", page)


def test_figures_are_of_the_last_release_with_n_interval_band_and_definition(office: Office) -> None:
    merchant = office.register()
    office.release(merchant, (9, 9, 9, 9, 9), day="2026-05-19")
    office.release(merchant, (1, 1, 2, 3, 13), day="2026-05-20")
    page = office.text(f"/m/{merchant}")
    for words in (
        *("90.0%", "n = 20", "Figures of 2026-05-20", "25–50%"),
        *("69.9%", "97.2%", "(very satisfied + satisfied + mostly satisfied) / all valid ratings"),
    ):
        assert words in page
    assert "n = 45" not in page


def test_no_star_under_ten_ratings(office: Office) -> None:
    few, enough = office.register(1), office.register(2)
    office.release(few, (0, 0, 0, 0, 9))
    office.release(enough, (0, 0, 0, 0, 10))
    assert "No star yet" in office.text(f"/m/{few}")
    assert "★" not in office.text(f"/m/{few}")
    assert "★" in office.text(f"/m/{enough}")


def test_bars_have_their_numbers_as_text(office: Office) -> None:
    merchant = office.register()
    office.release(merchant, (2, 0, 0, 0, 6))
    rows = re.findall(
        r'<th scope="row">([^<]+)</th>.*?<td class="number">([^<]+)<',
        office.text(f"/m/{merchant}"),
        re.DOTALL,
    )
    assert [(level, share.strip()) for level, share in rows] == [
        ("Very satisfied", "75.0%"),
        ("Satisfied", "0%"),
        ("Mostly satisfied", "0%"),
        ("Dissatisfied", "0%"),
        ("Very dissatisfied", "25.0%"),
    ]


def test_share_is_never_rounded_to_all_or_nothing() -> None:
    shares = (0.0, 0.0004, 0.0012, 0.5, 0.9996, 1.0)
    assert [percent(share) for share in shares] == ["0%", "<0.1%", "0.1%", "50.0%", ">99.9%", "100%"]


def test_comments_and_levels_of_single_ratings_stay_inside(office: Office) -> None:
    merchant, sender = office.open_shop()
    sender.rate(sender.ask(), 1, comment="汤是凉的")
    sender.complain(comment="少找了钱", amount="64.00 CNY")
    sender.upload_all(office.central)
    office.release(merchant, (1, 0, 0, 0, 0))
    for path in ("/", "/merchants", f"/m/{merchant}"):
        page = office.text(path, "zh")
        for said in ("汤是凉的", "少找了钱", "64.00"):
            assert said not in page


def test_names_of_shops_are_shown_as_text(office: Office) -> None:
    merchant = office.register(shop_name=SCRIPT)
    for path in ("/merchants", f"/m/{merchant}"):
        assert SCRIPT not in office.text(path)


def test_unknown_shop_is_a_page_and_unknown_page_too(office: Office) -> None:
    for path in ("/m/AAAAAAAAAAA", "/nowhere"):
        answer = office.get(path)
        assert answer.status_code == 404
        assert "Not found" in answer.get_data(as_text=True)


def test_health_is_json_without_personal_data(office: Office) -> None:
    office.register()
    answer = office.get("/healthz")
    assert answer.get_json()["state"] == "ok"
    assert "北街小馆" not in answer.get_data(as_text=True)


def test_pages_allow_no_foreign_content(office: Office) -> None:
    answer = office.get("/")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "http://" not in answer.get_data(as_text=True)
