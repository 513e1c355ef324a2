"""Addresses and forms that hold what no database takes: refused, on either one, and never an error of ours."""

from __future__ import annotations

import re

import pytest

from merchant_agent.central.app import create_app
from merchant_agent.central.services import Central

NUL = "a%00b"


@pytest.mark.parametrize(
    "path",
    [
        *(f"/m/{NUL}", f"/p/{NUL}", f"/c/{NUL}", f"/s/{NUL}", f"/i/{NUL}"),
        *(f"/api/v1/terminals/{NUL}/inbox", f"/api/v1/terminals/{NUL}/head?nonce={NUL}"),
        *(f"/merchants?q={NUL}", f"/merchants?{NUL}=1", f"/check?code={NUL}", f"/log/tile/0/{NUL}"),
    ],
)
def test_nothing_stands_at_an_address_with_a_nul(central: Central, path: str) -> None:
    headers = {"Authorization": f"Merchant-Agent 1.{'A' * 86}"}
    assert create_app(central).test_client().get(path, headers=headers).status_code == 404


def test_nobody_signs_in_under_a_name_with_a_nul(central: Central) -> None:
    browser = create_app(central).test_client()
    page = browser.get("/officer/sign-in").get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    form = {"csrf_token": token[1], "name": "li\0wei", "secret": "x", "next": ""}
    answer = browser.post("/officer/sign-in", data=form, headers={"Origin": "http://localhost"})
    assert answer.status_code in {401, 422}
