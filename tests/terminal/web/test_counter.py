"""What staff see and do; what they must not see."""

from __future__ import annotations

import re

import pytest

from merchant_agent.terminal.alarms import open_alarms, raise_alarm
from tests.terminal.collect.shop import TILL, Shop
from tests.terminal.web.doors import Kiosk
from tests.terminal.web.people import Person, words_of


def _ask(staff: Person, order: str, **fields: str) -> str:
    """What the counter says after a sale was typed in."""
    assert staff.send("/counter", "/counter/sales", order=order, **fields).location == "/counter"
    return words_of(staff.see("/counter"))


def test_a_sale_typed_in_wakes_the_tablet(staff: Person, kiosk: Kiosk) -> None:
    kiosk.screen()
    assert "平板正在询问单号 M7。" in _ask(staff, "M7", amount="64", till=TILL)
    question = kiosk.screen()["question"]
    assert (question["order"], question["manual"], question["amount"]) == ("M7", True, "64.00")


def test_a_sale_typed_in_waits_behind_the_tills_own(staff: Person, kiosk: Kiosk, shop: Shop) -> None:
    shop.sell("087")
    assert "单号 M7 已排队" in _ask(staff, "M7", till=TILL)
    assert kiosk.screen()["question"]["order"] == "087"


def test_a_sale_typed_in_twice_changes_nothing(staff: Person, shop: Shop) -> None:
    _ask(staff, "M7", amount="64")
    assert "单号 M7 在等平板" in _ask(staff, "M7", amount="64")
    assert len(shop.terminal.board.questions()) == 1
    assert "以第一次为准" in _ask(staff, "M7", amount="65")
    with shop.terminal.store.read() as reader:
        assert [alarm.code for alarm in open_alarms(reader)] == ["order-amount"]


@pytest.mark.parametrize(
    ("order", "amount", "told"),
    [
        ("", "", "单号为 1 到 64 个字"),
        ("x" * 65, "", "单号为 1 到 64 个字"),
        ("M7", "6.4.0", "金额请写成"),
        ("M7", "-1", "金额请写成"),
    ],
)
def test_an_entry_that_does_not_fit_is_told_in_words(
    staff: Person, shop: Shop, order: str, amount: str, told: str
) -> None:
    assert told in _ask(staff, order, amount=amount)
    assert shop.terminal.board.questions() == ()


def test_a_sale_is_shown_as_asked_then_answering_then_answered(
    staff: Person, kiosk: Kiosk, shop: Shop
) -> None:
    kiosk.screen()
    sale = shop.sell("087")
    assert "平板正在询问" in words_of(staff.see("/counter/state"))
    answer_id = kiosk.new_id()
    kiosk.keep(answer_id, sale.prompt_id, 1)
    assert "顾客正在回答" in words_of(staff.see("/counter/state"))
    kiosk.done(answer_id, sale.prompt_id, 1)
    assert "顾客已回答" in words_of(staff.see("/counter/state"))


@pytest.mark.parametrize("level", [1, 5])
def test_what_a_customer_answered_is_nowhere_on_the_counter(
    staff: Person, kiosk: Kiosk, shop: Shop, level: int
) -> None:
    sale = shop.sell("087")
    answer_id = kiosk.new_id()
    kiosk.keep(answer_id, sale.prompt_id, level, comment="只说给店长听")
    kiosk.done(answer_id, sale.prompt_id, level, comment="只说给店长听")
    page = words_of(staff.see("/counter"))
    for words in ("满意", "只说给店长听", "★"):
        assert words not in page


def test_a_complaint_is_at_the_counter_at_once_with_what_is_wanted(
    staff: Person, kiosk: Kiosk, shop: Shop
) -> None:
    sale = shop.sell("087")
    body = {
        "prompt": sale.prompt_id,
        "categories": ["measure"],
        "remedies": ["refund", "apologise"],
        "comment": "半斤只有<b>四两</b>",
        "order": "087",
        "occurred_at": "2026-05-20T11:58",
        "amount": "64.00",
        "lang": "zh",
    }
    assert kiosk.post(f"complaints/{kiosk.new_id()}", body).status_code == 201
    page = staff.see("/counter")
    assert "半斤只有&lt;b&gt;四两&lt;/b&gt;" in page
    for words in ("缺斤少两", "退钱 · 道歉", "64.00 元", "087", "2026-05-20 11:58"):
        assert words in words_of(page)


def test_a_suggestion_is_at_the_counter(staff: Person, kiosk: Kiosk) -> None:
    body = {"prompt": None, "comment": "门口放把伞", "lang": "zh"}
    kiosk.post(f"suggestions/{kiosk.new_id()}", body)
    assert "门口放把伞" in words_of(staff.see("/counter"))


def test_an_alarm_is_told_in_words_until_somebody_has_seen_it(staff: Person, shop: Shop) -> None:
    with shop.terminal.store.write() as writer:
        raise_alarm(writer, at=shop.clock.now(), code="hold-frozen")
        raise_alarm(writer, at=shop.clock.now(), code="of a later version")
    page = words_of(staff.see("/counter"))
    assert "监管部门已冻结这台终端" in page
    assert "有事情需要处理" in page
    with shop.terminal.store.read() as reader:
        numbers = [alarm.number for alarm in open_alarms(reader)]
    for number in numbers:
        assert staff.send("/counter", f"/counter/alarms/{number}/dismiss").status_code == 302
    assert "监管部门已冻结这台终端" not in words_of(staff.see("/counter"))
    assert staff.send("/counter", f"/counter/alarms/{numbers[0]}/dismiss").status_code == 404


def test_what_waits_for_the_upload_is_counted_with_its_oldest(staff: Person, shop: Shop) -> None:
    shop.sell("087")
    shop.clock.advance(60)
    shop.sell("088")
    page = words_of(staff.see("/counter/state"))
    assert "2 条等待发送" in page  # two questions
    assert "等待最久的一条05-20 12:00" in page


def test_an_empty_counter_says_what_will_stand_there(staff: Person) -> None:
    page = words_of(staff.see("/counter"))
    for words in ("还没有消费", "还没有配对平板", "没有投诉"):
        assert words in page


def test_the_part_that_brings_itself_up_to_date_is_the_same_as_on_the_page(staff: Person, shop: Shop) -> None:
    shop.sell("087")
    page, state = staff.see("/counter"), staff.see("/counter/state")
    parts = re.split(r'<div data-part="\w+">', state)[1:]
    assert len(parts) == 3
    for part in parts:
        assert words_of(part) in words_of(page)
