"""Every error has a status, a code and words in both languages."""

from __future__ import annotations

import pytest

from merchant_agent.errors import (
    ConflictError,
    FormatError,
    InvalidError,
    LockedOutError,
    MerchantAgentError,
    NotFoundError,
    SignInError,
    StoreConflictError,
    StoreCorruptError,
    StoreFullError,
    StoreLockedError,
    TooLargeError,
    TransitionError,
    VerificationError,
)
from merchant_agent.web.problems import status_of
from tests.web.conftest import Site

CASES: list[tuple[MerchantAgentError, int, str]] = [
    (InvalidError("amount", "two decimals"), 422, "amount"),
    (NotFoundError("prompt", "none"), 404, "prompt"),
    (ConflictError("order-amount", "64.00 before"), 409, "order-amount"),
    (TransitionError("rated", "withdraw"), 409, "transition"),
    (TooLargeError("too-large", "9"), 413, "too-large"),
    (FormatError("no JSON"), 400, "format"),
    (SignInError("token", "unknown"), 401, "token"),
    (StoreFullError("SQLITE_FULL"), 507, "store-full"),
    (StoreLockedError("busy"), 503, "store-locked"),
    (StoreCorruptError("damaged"), 503, "store-corrupt"),
    (VerificationError("V3", "signature"), 500, "verification"),
]


@pytest.mark.parametrize(("error", "status", "code"), CASES)
def test_program_gets_a_problem_with_status_and_code(
    site: Site, error: MerchantAgentError, status: int, code: str
) -> None:
    site.failure = error
    answer = site.app.test_client().get("/api/fails")
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    problem = answer.get_json(force=True)
    assert (problem["status"], problem["code"]) == (status, code)
    assert (problem["detail"] == "") == (status == 500 or code == "store-corrupt")
    assert status_of(error) == status


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(("error", "status", "code"), CASES)
def test_person_gets_a_page_with_advice_and_no_detail(
    site: Site, error: MerchantAgentError, status: int, code: str, lang: str
) -> None:
    site.failure = error
    answer = site.app.test_client().get(f"/fails?lang={lang}")
    page = answer.get_data(as_text=True)
    assert answer.status_code == status
    assert f"<code>{code}</code>" in page
    assert str(error) not in page
    assert ("保存" in page or "改动" in page or "网址" in page) == (lang == "zh")


def test_damaged_database_is_told_as_one_and_to_be_tried_again(site: Site) -> None:
    site.failure = StoreCorruptError("damaged")
    answer = site.app.test_client().get("/fails?lang=en")
    assert answer.headers["Retry-After"] == "1"
    assert "The database has to be put right: this was not saved" in answer.get_data(as_text=True)


def test_locked_out_says_when_to_come_back(site: Site) -> None:
    site.failure = LockedOutError(90)
    answer = site.app.test_client().get("/api/fails")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "90")


def test_defect_is_told_without_its_words_and_the_process_goes_on(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.failure = KeyError("13800138000")
    client = site.app.test_client()
    answer = client.get("/api/fails")
    assert answer.status_code == 500
    assert answer.get_json(force=True)["code"] == "internal"
    assert "13800138000" not in answer.get_data(as_text=True)
    assert any(record.exc_info for record in caplog.records)
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(("class_", "status"), [(StoreConflictError, 500), (StoreCorruptError, 503)])
def test_what_a_database_says_is_not_logged(
    site: Site, caplog: pytest.LogCaptureFixture, class_: type[MerchantAgentError], status: int
) -> None:
    site.failure = class_("DETAIL: Key (phone)=(13800138000) exists")
    site.failure.__cause__ = ValueError("13800138000")
    answer = site.app.test_client().get("/api/fails")
    assert answer.status_code == status
    assert "13800138000" not in answer.get_data(as_text=True)
    assert class_.__name__ in caplog.text
    assert "in api_fails" in caplog.text
    assert "13800138000" not in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/api/nothing", 404, "not-found"), ("PUT", "/api/orders", 405, "method-not-allowed")],
)
def test_what_flask_refuses_is_a_problem_too(
    site: Site, method: str, path: str, status: int, code: str
) -> None:
    answer = site.app.test_client().open(path, method=method)
    assert answer.status_code == status
    assert answer.get_json(force=True)["code"] == code
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize("number", ["2147483648", "9" * 20, "9" * 5000, "٣"])
def test_number_in_an_address_that_no_database_holds_has_no_page(site: Site, number: str) -> None:
    site.app.add_url_rule("/numbers/<int:number>", "numbers", "{number}".format)
    client = site.app.test_client()
    assert client.get("/numbers/17").text == "17"
    assert client.get(f"/numbers/{number}").status_code == 404
