"""Answers from phones: by invitation, from posters, and beside what the shop signs itself."""

from __future__ import annotations

import re

import pytest

from merchant_agent.central.answers import read_invitation
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Complaint, Disclosure, InvitedAnswer, Rating, Release
from merchant_agent.central.turns import POSTERS, take_turn
from merchant_agent.evidence.bodies import ComplaintBody, Kind, RatingBody
from merchant_agent.evidence.disclosure import open_disclosure
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.seal import open_contact
from tests.central.phone.customers import Phone, Visitor, phone
from tests.clocks import ManualClock


def levels(release: Release) -> list[int]:
    return [getattr(release, f"level_{level}") for level in range(1, 6)]


def send_rating(mine: Phone, base: str, level: int, **fields: object) -> int:
    """Taps a face, then the last button."""
    reasons = mine.post(base, f"{base}/level", level=str(level))
    assert reasons.status_code == 200
    return mine.post(base, f"{base}/rating", level=str(level), **fields).status_code


@pytest.fixture
def invitation(visitor: Visitor) -> str:
    """The path of an invitation to rate a sale, of which central has heard."""
    text = visitor.invitation(visitor.sender.ask())
    visitor.upload()
    return f"/i/{text}"


def test_the_phone_asks_as_the_tablet_does(central: Central, invitation: str) -> None:
    page = phone(central).read(invitation)
    assert "这次消费，您满意吗？" in page
    order = [page.index(f">{words}<") for words in ("非常满意", "满意", "基本满意", "不满意", "非常不满意")]
    assert order == sorted(order)
    assert "How satisfied are you with this visit?" in phone(central, lang="en").read(invitation)


def test_an_invited_rating_stands_in_centrals_chain(
    central: Central, visitor: Visitor, invitation: str
) -> None:
    mine = phone(central)
    assert send_rating(mine, invitation, 4, tag=["taste_good", "waited_long"], comment="再来") == 303
    body = visitor.said(Kind.RATING)[0]
    assert isinstance(body, RatingBody)
    assert (body.level, body.tags, body.channel) == (4, ("taste_good", "waited_long"), "phone")
    with central.store.read() as reader:
        row: Rating | None = reader.first(Rating.select())
    assert row is not None
    assert (row.prompt_issuer, row.prompt_seq, row.comment) == (visitor.sender.issuer, 0, "再来")


def test_the_level_is_shown_to_nobody_before_the_daily_release(
    central: Central, visitor: Visitor, invitation: str
) -> None:
    mine = phone(central)
    send_rating(mine, invitation, 2, comment="太咸")
    page = mine.read(invitation)
    assert "这次消费已经评价过了" in page
    assert "不满意" not in page
    assert "太咸" not in page
    visitor.release()
    page = mine.read(invitation)
    assert "<strong>不满意</strong>" in page
    assert "太咸" in page


def test_an_invitation_is_good_for_one_rating(central: Central, visitor: Visitor, invitation: str) -> None:
    mine = phone(central)
    send_rating(mine, invitation, 2)
    again = phone(central).post(f"{invitation}/suggest", f"{invitation}/rating", level="5")
    assert again.status_code == 303
    assert again.headers["Location"].endswith(invitation)
    assert len(visitor.said(Kind.RATING)) == 1


def test_a_lapse_does_not_end_an_invitation(central: Central, visitor: Visitor) -> None:
    prompt = visitor.sender.ask()
    visitor.sender.lapse(prompt, "declined")
    base = f"/i/{visitor.invitation(prompt)}"
    visitor.upload()
    assert send_rating(phone(central), base, 3) == 303
    assert levels(visitor.release()) == [0, 0, 1, 0, 0]


def test_a_five_signed_in_advance_does_not_hide_the_one_from_the_phone(
    central: Central, visitor: Visitor
) -> None:
    """The shop rates itself on its own tablet as soon as a sale begins; the customer's 1 counts, both stay."""
    prompt = visitor.sender.ask()
    visitor.sender.rate(prompt, 5)
    visitor.upload()
    send_rating(phone(central), f"/i/{visitor.invitation(prompt)}", 1)
    assert levels(visitor.release()) == [1, 0, 0, 0, 0]
    with central.store.read() as reader:
        assert sorted(row.level for row in reader.all(Rating.select())) == [1, 5]


def test_a_shop_that_uses_the_invitation_first_does_not_hide_the_tablets_one(
    central: Central, visitor: Visitor
) -> None:
    prompt = visitor.sender.ask()
    send_rating(phone(central), f"/i/{visitor.invitation(prompt)}", 5)
    visitor.sender.rate(prompt, 1)
    visitor.upload()
    assert levels(visitor.release()) == [1, 0, 0, 0, 0]


def test_a_rating_counts_once_its_prompt_is_here(central: Central, visitor: Visitor) -> None:
    prompt = visitor.sender.ask()
    send_rating(phone(central), f"/i/{visitor.invitation(prompt)}", 4)
    assert levels(visitor.release()) == [0, 0, 0, 0, 0]
    visitor.upload()
    assert levels(visitor.release()) == [0, 0, 0, 1, 0]


def test_a_rating_by_another_order_tag_never_counts(central: Central, visitor: Visitor) -> None:
    """Invitations in stock for sales to come: the prompt that comes to stand there has another tag."""
    prompt = visitor.sender.ask()
    text = visitor.invitation(prompt, tag=b"in stock")
    visitor.upload()
    send_rating(phone(central), f"/i/{text}", 5)
    assert levels(visitor.release()) == [0, 0, 0, 0, 0]


def test_a_second_invitation_to_the_same_prompt_is_no_second_vote(
    central: Central, visitor: Visitor, clock: ManualClock, invitation: str
) -> None:
    send_rating(phone(central), invitation, 2)
    clock.advance(5)
    fresh = f"/i/{visitor.invitation(visitor.sender.sent[0])}"
    assert fresh != invitation
    assert "这次消费已经评价过了" in phone(central).read(fresh)


def test_an_invitation_ends(central: Central, visitor: Visitor, clock: ManualClock, invitation: str) -> None:
    mine = phone(central)
    clock.advance(14 * 86_400)
    assert "这个邀请已过期" in mine.read(invitation)
    late = mine.post(f"{invitation}/urged", f"{invitation}/rating", level="1")
    assert late.status_code == 303
    assert visitor.said(Kind.RATING) == []


def test_a_forged_invitation_is_none(central: Central, visitor: Visitor, invitation: str) -> None:
    visitor.sender.key = SigningKey.generate()
    forged = visitor.invitation(visitor.sender.sent[0])
    for text in (forged, invitation[3:-2] + "AA", "x"):
        answer = phone(central).get(f"/i/{text}")
        assert answer.status_code == 422
        assert "不是有效邀请" in answer.get_data(as_text=True)
    assert phone(central).post(invitation, f"/i/{forged}/rating", level="5").status_code == 422
    with central.store.read() as reader:
        assert reader.first(InvitedAnswer.select()) is None


def test_a_complaint_by_phone(central: Central, visitor: Visitor, invitation: str) -> None:
    mine = phone(central)
    page = mine.read(f"{invitation}/complain")
    assert "还不是12315正式投诉" in page
    sent = mine.post(
        f"{invitation}/complain",
        f"{invitation}/complain",
        category=["food_safety", "price"],
        remedy=["refund"],
        comment="菜里有头发",
        order="087",
        amount="64",
        occurred_at="2026-05-20T11:30",
    )
    assert sent.status_code == 303
    assert "投诉已保存" in mine.read(sent.headers["Location"])
    body = visitor.said(Kind.COMPLAINT)[0]
    assert isinstance(body, ComplaintBody)
    assert (body.categories, body.remedies) == (("food_safety", "price"), ("refund",))
    with central.store.read() as reader:
        row: Complaint | None = reader.first(Complaint.select())
    assert row is not None
    told = (row.comment, row.order_no, row.amount, row.occurred_at)
    assert told == ("菜里有头发", "087", "64.00 CNY", "2026-05-20T11:30")


def test_full_width_numbers_are_taken_and_a_clock_may_run_ahead(
    central: Central, visitor: Visitor, invitation: str
) -> None:
    path = f"{invitation}/complain"
    fields = {"comment": "贵", "order": "Ａ０８７", "amount": "６４。５", "occurred_at": "2026-05-21T11:59"}
    assert phone(central).post(path, path, **fields).status_code == 303
    assert visitor.said(Kind.COMPLAINT)
    with central.store.read() as reader:
        row: Complaint | None = reader.first(Complaint.select())
    assert row is not None
    assert (row.order_no, row.amount, row.occurred_at) == ("A087", "64.50 CNY", "2026-05-21T11:59")


def test_a_contact_is_sealed_for_the_authority(central: Central, visitor: Visitor, invitation: str) -> None:
    path = f"{invitation}/complain"
    fields = {"comment": "退钱", "contact": "138 0000 0000", "consent": ["authority"]}
    assert phone(central).post(path, path, **fields).status_code == 303
    with central.store.read() as reader:
        row: Complaint | None = reader.first(Complaint.select())
        texts = [text for (text,) in reader.all(Disclosure.select(Disclosure.octets).tuples())]
    assert row is not None
    opened = {each.name: each.value for each in map(open_disclosure, texts)}
    sealed = decode_b64u(opened["contact"])
    assert open_contact(central.identity.sealing, row.issuer, row.id, sealed) == "13800000000"
    body = visitor.said(Kind.COMPLAINT)[0]
    assert isinstance(body, ComplaintBody)
    assert (body.consents, body.notice) == (("authority",), central.catalogue.notice.version)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "请选择问题"),
        ({"comment": "贵", "amount": "很多"}, "金额请填数字"),
        ({"comment": "贵", "occurred_at": "昨天"}, "请填日期和时间"),
        ({"comment": "贵", "occurred_at": "2026-05-21T12:01"}, "这个时间还没有到"),
        ({"comment": "贵", "occurred_at": "2026-05-21T04:01:00Z"}, "这个时间还没有到"),
        ({"category": ["nonsense"]}, "填写的内容有误"),
        ({"comment": "长" * 1001}, "最多1000字"),
        ({"comment": "贵", "contact": "13800000000"}, "请选择谁可以打电话给您"),
        ({"comment": "贵", "consent": ["shop"]}, "请选择谁可以打电话给您"),
        ({"comment": "贵", "contact": "没有", "consent": ["shop"]}, "7至15位"),
    ],
)
def test_a_complaint_that_cannot_be_taken_stays_on_the_page(
    central: Central, visitor: Visitor, invitation: str, fields: dict[str, object], words: str
) -> None:
    path = f"{invitation}/complain"
    answer = phone(central).post(path, path, **fields)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert visitor.said(Kind.COMPLAINT) == []


def test_a_poster_is_counted_apart(central: Central, visitor: Visitor, merchant: str) -> None:
    visitor.rate(level=2)
    visitor.upload()
    for _ in range(3):
        assert send_rating(phone(central), f"/p/{merchant}", 5) == 303
    assert levels(visitor.release()) == [0, 1, 0, 0, 0]
    page = phone(central).read(f"/m/{merchant}")
    assert "另有 3 条没有对应消费的评价" in page


def test_a_poster_takes_suggestions_and_complaints(central: Central, visitor: Visitor, merchant: str) -> None:
    mine = phone(central)
    assert "您对这家店满意吗？" in mine.read(f"/p/{merchant}")
    for form in ("suggest", "complain"):
        assert mine.post(f"/p/{merchant}", f"/p/{merchant}/{form}", comment="多放点辣椒").status_code == 303
    assert len(visitor.said(Kind.SUGGESTION)) == len(visitor.said(Kind.COMPLAINT)) == 1
    assert phone(central).get("/p/AAAAAAAAAAA").status_code == 404


def test_a_stuffed_poster_has_to_wait(central: Central, visitor: Visitor, merchant: str) -> None:
    for _ in range(POSTERS.most):
        take_turn(central, POSTERS, "192.0.2.7")
    assert send_rating(phone(central), f"/p/{merchant}", 5) == 429
    assert visitor.said(Kind.RATING) == []


def test_the_sides_of_a_visit_are_judged_as_on_the_tablet(
    central: Central, visitor: Visitor, invitation: str
) -> None:
    mine = phone(central)
    page = mine.post(invitation, f"{invitation}/level", level="4").get_data(as_text=True)
    asked = re.findall(r'name="aspect-([a-z_]+)" value="5"', page)
    merchant = read_invitation(central, invitation.removeprefix("/i/")).merchant
    assert asked == [aspect.code for aspect in central.catalogue.aspects_for(merchant.trade)[1:]]
    judged = {
        f"aspect-{asked[1]}": "2",
        f"aspect-{asked[0]}": "5",
        f"aspect-{asked[2]}": "9",
        "aspect-x": "1",
    }
    assert send_rating(mine, invitation, 4, **judged) == 303
    body = visitor.said(Kind.RATING)[0]
    assert isinstance(body, RatingBody)
    assert [(given.aspect, given.level) for given in body.aspects] == [(asked[0], 5), (asked[1], 2)]


def test_the_time_of_the_sale_is_filled_in(central: Central, visitor: Visitor, merchant: str) -> None:
    when = re.compile(r'name="occurred_at" type="datetime-local" value="([^"]*)"')
    base = f"/i/{visitor.invitation(visitor.sender.ask())}"
    (shown,) = when.findall(phone(central).read(f"{base}/complain"))
    assert shown == visitor.clock.now().strftime("%Y-%m-%dT%H:%M")
    assert when.findall(phone(central).read(f"/p/{merchant}/complain")) == [""]


@pytest.mark.parametrize("form", ["complain", "suggest"])
def test_who_goes_back_after_sending_finds_no_form(central: Central, invitation: str, form: str) -> None:
    mine, path = phone(central), f"{invitation}/{form}"
    assert mine.post(path, path, comment="多放点辣椒").status_code == 303
    again = mine.get(path)
    assert (again.status_code, again.headers["Location"]) == (303, invitation)
    assert "no-store" in again.headers["Cache-Control"]


@pytest.mark.parametrize("page", ["level", "rating"])
def test_a_reloaded_step_begins_again(central: Central, invitation: str, page: str) -> None:
    """Also in the other language, which is a reload."""
    answer = phone(central).get(f"{invitation}/{page}?lang=en")
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(invitation)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_of_the_phone_in_both_languages(
    central: Central, visitor: Visitor, invitation: str, merchant: str, lang: str
) -> None:
    mine = phone(central, lang=lang)
    for base in (invitation, f"/p/{merchant}"):
        for page in ("", "/suggest", "/complain", "/urged", "/told"):
            text = mine.read(base + page)
            assert "示例面馆" in text
            assert ("English" in text) is (lang == "zh")
        assert mine.post(base, f"{base}/level", level="3").status_code == 200
        for kind in ("rating", "suggestion"):
            mine.read(f"{base}/thanks/{kind}/{visitor.sender.sent[0].query_code}")
