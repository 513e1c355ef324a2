"""Requests from foreign pages are refused, on plain HTTP too; every answer carries the headers."""

from __future__ import annotations

import re

import pytest

from tests.web.conftest import Site

BODY = b'{"number": "1"}'


def _order(site: Site, headers: dict[str, str], *, cookie: bool = False) -> int:
    client = site.app.test_client()
    if cookie:
        client.set_cookie("tablet", "x", domain="shop.test")
    answer = client.post(
        "/api/orders",
        data=BODY,
        content_type="application/json",
        headers=headers,
        base_url="http://shop.test:8700",
    )
    return answer.status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.test"},
        {"Origin": "http://shop.test"},
        {"Origin": "http://shop.test:8701"},
        {"Origin": "http://shop.test:8700.evil.test"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Referer": "http://evil.test/http://shop.test:8700/"},
    ],
)
@pytest.mark.parametrize("cookie", [False, True])
def test_foreign_page_is_refused(site: Site, headers: dict[str, str], *, cookie: bool) -> None:
    assert _order(site, headers, cookie=cookie) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://shop.test:8700"},
        {"Origin": "HTTP://SHOP.test:8700"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Referer": "http://shop.test:8700/kiosk"},
    ],
)
def test_own_page_is_let_in(site: Site, headers: dict[str, str]) -> None:
    assert _order(site, headers, cookie=True) == 200


def test_program_without_cookies_is_let_in_and_one_with_cookies_is_not(site: Site) -> None:
    assert _order(site, {}) == 200
    assert _order(site, {}, cookie=True) == 403


def test_every_answer_forbids_what_pages_do_not_need(site: Site) -> None:
    client = site.app.test_client()
    for path in ("/", "/api/nothing", "/static/css/site.css"):
        answer = client.get(path)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        answer.close()
    assert client.get("/").headers["Cache-Control"] == "no-store"


def test_form_without_its_token_is_refused(site: Site) -> None:
    client = site.app.test_client()
    origin = {"Origin": "http://localhost"}
    assert client.post("/form", data={"word": "x"}, headers=origin).status_code == 400
    page = client.get("/sign-in").get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    answer = client.post("/form", data={"word": "x", "csrf_token": found[1]}, headers=origin)
    assert answer.get_data(as_text=True) == "x"
