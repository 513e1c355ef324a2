"""What a shop promises: entered by an officer in a plain form, shown to everybody."""

from __future__ import annotations

import re

import pytest

from merchant_agent.central.merchants import find_merchant, promises_of
from merchant_agent.domain.promises import Promise
from tests.central.web.office import SCRIPT, Office, credit_code

FORM = {
    "name": "示例餐饮有限公司",
    "shop_name": "北街小馆",
    "credit_code": credit_code(1),
    "address": "晋原街道北街18号",
    "trade": "catering",
    "programme": "site",
}
RETURN = {
    "promise-no_reason_return": "1",
    "promise-no_reason_return-days": "7",
    "promise-no_reason_return-goods": "未拆封的商品",
    "promise-no_reason_return-terms": "凭小票",
}
NO_FAKES = {"promise-no_fakes": "1", "promise-no_fakes-terms": "假一赔十"}
NEW = "/officer/merchants/new"


def _register(office: Office, **promised: str) -> str:
    added = office.send(NEW, NEW, **FORM, **promised)
    assert added.status_code == 303
    return added.location.rsplit("/", 1)[1]


def _promises(office: Office, merchant: str) -> tuple[Promise, ...]:
    with office.central.store.read() as reader:
        return promises_of(find_merchant(reader, merchant))


def _fields(page: str) -> dict[str, str]:
    """What a browser would send of the promises as they stand in the form."""
    sent = {}
    for field in re.findall(r"<input [^>]*>", page):
        name = re.search(r'name="(promise-[^"]+)"', field)
        value = re.search(r'value="([^"]*)"', field)
        if name and value and ('type="checkbox"' not in field or " checked" in field):
            sent[name[1]] = value[1]
    return sent


def test_promises_are_added_changed_and_removed_by_form(office: Office) -> None:
    office.staffed()
    merchant = _register(office, **RETURN, **NO_FAKES)
    returned = Promise(code="no_reason_return", days=7, goods="未拆封的商品", terms="凭小票")
    assert _promises(office, merchant) == (returned, Promise(code="no_fakes", terms="假一赔十"))
    edit = f"/officer/merchants/{merchant}/edit"
    sent = _fields(office.text(edit))
    assert {**RETURN, **NO_FAKES}.items() <= sent.items()
    sent["promise-no_reason_return-days"] = "15"
    del sent["promise-no_fakes"]
    assert office.send(edit, edit, **FORM, **sent).status_code == 303
    changed = Promise(code="no_reason_return", days=15, goods="未拆封的商品", terms="凭小票")
    assert _promises(office, merchant) == (changed,)
    assert "within 15 days" in office.text(f"/officer/merchants/{merchant}")


def test_promise_that_does_not_fit_is_marked_and_comes_back_as_it_was_typed(office: Office) -> None:
    office.staffed()
    answer = office.send(NEW, NEW, **FORM, **{**RETURN, "promise-no_reason_return-days": "91"}, **NO_FAKES)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Enter how many days: 1 to 90." in page
    assert 'id="promise-no_reason_return-days-error"' in page
    assert _fields(page)["promise-no_reason_return-days"] == "91"
    assert _fields(page)["promise-no_fakes-terms"] == "假一赔十"


def test_details_of_a_promise_that_is_not_ticked_are_no_promise(office: Office) -> None:
    office.staffed()
    untouched = {name: text for name, text in RETURN.items() if name != "promise-no_reason_return"}
    assert _promises(office, _register(office, **untouched)) == ()


@pytest.mark.parametrize(("lang", "words"), [("zh", "7天无理由退换货"), ("en", "within 7 days")])
def test_everybody_reads_what_the_shop_promises(office: Office, lang: str, words: str) -> None:
    office.staffed()
    merchant = _register(office, **{**RETURN, "promise-no_reason_return-goods": SCRIPT})
    for path in (f"/m/{merchant}", f"/p/{merchant}"):
        page = office.text(path, lang)
        assert words in page
        assert "凭小票" in page
        assert SCRIPT not in page


def test_shop_without_promises_has_no_empty_list(office: Office) -> None:
    office.staffed()
    merchant = _register(office)
    for path in (f"/m/{merchant}", f"/p/{merchant}"):
        assert "What the shop promises" not in office.text(path)
    assert "None registered" in office.text(f"/officer/merchants/{merchant}")
