"""The manager reads what the authority found and explains it; staff are told to fetch the manager."""

from __future__ import annotations

import pytest

from merchant_agent.evidence.bodies import Body, DisputeBody, FindingBody, FindingCode
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import decode_record
from merchant_agent.terminal.alarms import raise_alarm
from merchant_agent.terminal.inbox import FINDING_ALARM, INBOX_ALARM
from merchant_agent.terminal.store.inbox import Told, keep_told
from merchant_agent.terminal.store.models import Reply
from merchant_agent.terminal.web.message_words import message_saying
from tests.enrolled import ask, rate
from tests.terminal.collect.shop import Shop
from tests.terminal.test_inbox import Word, finding
from tests.terminal.web.people import Person, words_of

PAGE = "/manager/messages"


def tell(shop: Shop, *bodies: Body) -> None:
    """Central's word has reached the terminal."""
    word = Word(shop.central, shop.clock)
    told = []
    for body in bodies:
        octets = word.say(body)
        told.append(Told(record=decode_record(decode_jws(octets, Typ.RECORD).payload), octets=octets))
    with shop.terminal.store.write() as writer:
        keep_told(writer, word.grant, told, shop.clock.now())
        raise_alarm(writer, at=shop.clock.now(), code=FINDING_ALARM, detail="7HZ9-QJ9G-VJP")


def test_without_messages_the_page_says_what_would_come(manager: Person) -> None:
    assert "三个工作日作出说明" in words_of(manager.see(PAGE))
    assert "监管部门的消息" in words_of(manager.see("/manager"))


def test_staff_are_told_to_tell_the_manager(staff: Person, shop: Shop) -> None:
    tell(shop, finding())
    page = words_of(staff.see("/counter"))
    assert "监管部门发现本店有情况需要说明 7HZ9-QJ9G-VJP" in page
    assert "请告诉店长" in page
    assert staff.client.get(PAGE).status_code == 302


def test_a_contradiction_has_words_of_its_own(staff: Person, shop: Shop) -> None:
    with shop.terminal.store.write() as writer:
        raise_alarm(writer, at=shop.clock.now(), code=INBOX_ALARM)
    assert "监管部门的消息前后矛盾" in words_of(staff.see("/counter"))


def test_the_manager_reads_what_it_is_about_and_explains_it_once(manager: Person, shop: Shop) -> None:
    rating = rate(shop.terminal.journal, ask(shop.terminal.journal))
    tell(shop, finding(rating.place, leaf=encode_b64u(rating.leaf)))
    assert "有 1 条需要说明" in words_of(manager.see("/manager"))
    page = words_of(manager.see(PAGE))
    assert f"查询码{rating.query_code}" in page
    assert "最早公开时间2026-05-26 00:00" in page
    action = f"{PAGE}/0/explanation"
    assert manager.send(PAGE, action, text="停电<script>").status_code == 303
    page = manager.see(PAGE)
    assert "停电&lt;script&gt;" in page
    assert "说明已签署，正在发往监管部门。" in page
    assert "已说明，正在发送" in page
    assert "<textarea" not in page
    assert manager.send(PAGE, action, text="又停电").status_code == 303
    assert "没有改动" in manager.see(PAGE)
    with shop.terminal.store.read() as reader:
        assert [row.comment for row in reader.all(Reply.select())] == ["停电<script>"]
    assert "没有需要说明的" in words_of(manager.see("/manager"))


@pytest.mark.parametrize("text", ["", " \r\n ", "很" * 501, "停\u202e电"])
def test_an_explanation_that_cannot_be_signed_is_kept_in_the_form(
    manager: Person, shop: Shop, text: str
) -> None:
    tell(shop, finding())
    answer = manager.send(PAGE, f"{PAGE}/0/explanation", text=text)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "说明需要 1 到 500 个字" in page
    assert text.strip() in page
    with shop.terminal.store.read() as reader:
        assert reader.all(Reply.select()) == []


def test_lines_count_once_each(manager: Person, shop: Shop) -> None:
    """A browser sends two characters for a line's end."""
    tell(shop, finding())
    manager.send(PAGE, f"{PAGE}/0/explanation", text="\r\n".join(["停"] * 250))
    with shop.terminal.store.read() as reader:
        (row,) = reader.all(Reply.select())
    assert len(row.comment or "") == 499


def test_while_nothing_can_be_signed_the_words_wait_in_the_form(manager: Person, shop: Shop) -> None:
    tell(shop, finding())
    shop.terminal.journal.put_on_hold("epoch")
    page = manager.send(PAGE, f"{PAGE}/0/explanation", text="停电两小时").get_data(as_text=True)
    assert "目前不能签署" in page
    assert "停电两小时" in page


def test_nothing_can_be_explained_that_was_not_found(manager: Person, shop: Shop) -> None:
    rating = rate(shop.terminal.journal, ask(shop.terminal.journal))
    tell(shop, DisputeBody(place=rating.place, contested=False), finding())
    assert manager.send(PAGE, f"{PAGE}/0/explanation", text="不是").status_code == 404
    assert manager.send(PAGE, f"{PAGE}/9/explanation", text="不是").status_code == 404


@pytest.mark.parametrize(
    "code", ["broken_promise", "conflict", "late", "disputed", "split_view", "silent", "customer"]
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_message_has_words(manager: Person, shop: Shop, code: FindingCode, lang: str) -> None:
    rating = rate(shop.terminal.journal, ask(shop.terminal.journal))
    body: Body = FindingBody(code=code, place=None, leaf=None, due_at=None)
    if str(code) == "customer":
        body = DisputeBody(place=rating.place, contested=True)
    tell(shop, body)
    with manager.client.application.test_request_context(f"/?lang={lang}"):
        title = str(message_saying(code).title)
        assert title != str(message_saying("unheard-of").title)
    assert title in words_of(
        manager.client.get(f"{PAGE}?lang={lang}", follow_redirects=True).get_data(as_text=True)
    )
