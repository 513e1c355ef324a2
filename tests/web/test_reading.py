"""Bodies and fields are read within limits, or refused with a code."""

from __future__ import annotations

import pytest

from tests.web.conftest import Site


def _post(site: Site, body: bytes, content_type: str = "application/json") -> tuple[int, str]:
    answer = site.app.test_client().post("/api/orders", data=body, content_type=content_type)
    code = answer.get_json(force=True)["code"] if answer.status_code != 200 else answer.get_data(as_text=True)
    return answer.status_code, code


def test_json_of_the_type_is_taken(site: Site) -> None:
    assert _post(site, b'{"number": "087"}') == (200, "087")
    assert _post(site, b'{"number": "087"}', "application/json; charset=utf-8") == (200, "087")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "format"),
        (b"{", 400, "format"),
        (b'{"number": "\xff"}', 400, "format"),
        (b"[" * 90, 422, "request"),
        (b'{"number": 87}', 422, "request"),
        (b'{"number": "1", "more": 1}', 422, "request"),
        (b"{}", 422, "request"),
        (b'{"number": "' + b"1" * 100 + b'"}', 413, "too-large"),
    ],
)
def test_anything_else_is_refused_with_a_code(site: Site, body: bytes, status: int, code: str) -> None:
    assert _post(site, body) == (status, code)


def test_other_media_types_are_refused(site: Site) -> None:
    assert _post(site, b'{"number": "087"}', "text/plain")[0] == 415


@pytest.mark.parametrize(
    ("text", "page"), [("3", "3"), ("0", "1"), ("-1", "1"), ("x", "1"), ("9" * 7, "1"), ("٣", "1")]
)
def test_page_number_is_at_least_one(site: Site, text: str, page: str) -> None:
    answer = site.app.test_client().get("/number", query_string={"page": text})
    assert answer.get_data(as_text=True) == page
