from __future__ import annotations

import pytest

from merchant_agent.errors import ConflictError, InvalidError, NotFoundError, StoreConflictError
from merchant_agent.evidence.bodies import ComplaintBody, SuggestionBody
from merchant_agent.evidence.record import ABOUT_NOTHING, new_id
from merchant_agent.terminal.collect.lookup import PromptState
from merchant_agent.terminal.collect.said import COMMENT_MAX_CHARS, Thanks
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.collect.words import Grievance, Words, complain, suggest
from merchant_agent.terminal.store.models import Complaint, Suggestion
from tests.terminal.collect.shop import Shop


def _suggest(shop: Shop, words: Words, id_: str | None = None, tablet: Tablet | None = None) -> Thanks:
    return suggest(shop.terminal, tablet or shop.one, id_ or new_id(shop.clock.now()), words)


def _complain(
    shop: Shop, grievance: Grievance, id_: str | None = None, tablet: Tablet | None = None
) -> Thanks:
    return complain(shop.terminal, tablet or shop.one, id_ or new_id(shop.clock.now()), grievance)


def _complaint(shop: Shop) -> Complaint:
    with shop.terminal.store.read() as reader:
        (row,) = reader.all(Complaint.select())
    assert isinstance(row, Complaint)
    return row


def test_a_suggestion_needs_no_sale(shop: Shop) -> None:
    thanks = _suggest(shop, Words(prompt_id=None, comment="加个儿童椅", lang="zh"))
    (record,) = shop.records()
    assert record.body == SuggestionBody(channel="tablet", lang="zh", catalogue="2026-1", claim=None)
    assert record.about == ABOUT_NOTHING
    assert (thanks.place, thanks.created) == (record.place, True)
    with shop.terminal.store.read() as reader:
        assert [row.comment for row in reader.all(Suggestion.select())] == ["加个儿童椅"]


def test_a_suggestion_may_be_about_a_sale_and_ends_nothing(shop: Shop) -> None:
    sale = shop.sell()
    _suggest(shop, Words(prompt_id=sale.prompt_id, comment="加个儿童椅"))
    assert shop.records()[-1].about.prompt == sale.place
    assert shop.state(sale) is PromptState.ASKED


def test_an_empty_suggestion_is_refused(shop: Shop) -> None:
    with pytest.raises(InvalidError):
        _suggest(shop, Words(prompt_id=None, comment=" \n "))


def test_a_suggestion_sent_again_is_the_same_one(shop: Shop) -> None:
    id_ = new_id(shop.clock.now())
    first = _suggest(shop, Words(prompt_id=None, comment="好"), id_)
    again = _suggest(shop, Words(prompt_id=None, comment="好"), id_)
    assert (again.query_code, again.created) == (first.query_code, False)
    with pytest.raises(ConflictError):
        _suggest(shop, Words(prompt_id=None, comment="别的"), id_)
    assert shop.story() == ["suggestion"]


def test_a_complaint_is_signed_without_its_words(shop: Shop) -> None:
    sale = shop.sell()
    _complain(
        shop,
        Grievance(
            prompt_id=sale.prompt_id,
            categories=("measure", "price"),
            remedies=("refund", "apologise"),
            comment="少了二两",
            order="087",
            occurred_at="2026-05-20T11:58",
            amount="64",
            lang="zh",
        ),
    )
    record = shop.records()[-1]
    assert record.body == ComplaintBody(
        categories=("measure", "price"),
        remedies=("refund", "apologise"),
        channel="tablet",
        lang="zh",
        catalogue="2026-1",
        claim=None,
        consents=(),
        notice=None,
        first="shop",
    )
    assert len(record.sd) == 4
    assert record.about.prompt == sale.place
    row = _complaint(shop)
    assert (row.comment, row.order_no) == ("少了二两", "087")
    assert (row.occurred_at, row.amount) == ("2026-05-20T11:58", "64.00 CNY")


def test_a_complaint_needs_neither_sale_nor_words(shop: Shop) -> None:
    _complain(shop, Grievance(prompt_id=None, categories=("safety",)))
    record = shop.records()[-1]
    assert (record.about, record.sd) == (ABOUT_NOTHING, ())


def test_a_complaint_of_words_alone_is_one(shop: Shop) -> None:
    assert _complain(shop, Grievance(prompt_id=None, comment="太吵")).created


def test_a_complaint_of_nothing_is_refused(shop: Shop) -> None:
    with pytest.raises(InvalidError) as refused:
        _complain(shop, Grievance(prompt_id=None, remedies=("refund",), order="087"))
    assert refused.value.code == "complaint"


def test_a_complaint_may_follow_a_rating_or_a_lapse(shop: Shop) -> None:
    rated, lapsed = shop.sell("087", till="till-1"), shop.sell("088", till="till-1")
    shop.done(lapsed, 1)
    _complain(shop, Grievance(prompt_id=rated.prompt_id, comment="慢"))
    _complain(shop, Grievance(prompt_id=lapsed.prompt_id, comment="冷"))
    assert shop.story()[-2:] == ["complaint", "complaint"]


@pytest.mark.parametrize(
    "text",
    ["2026-05-20T11:58:00+08:00", "2026-05-20T11:58:00.5Z", "2026-05-20T11:58", "2026-05-21T12:00", ""],
)
def test_the_time_of_a_complaint_is_kept_as_given(shop: Shop, text: str) -> None:
    _complain(shop, Grievance(prompt_id=None, comment="慢", occurred_at=text))
    assert _complaint(shop).occurred_at == (text or None)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("category", {"categories": ("nonsense",)}),
        ("category", {"categories": ("price", "price")}),
        ("remedy", {"remedies": ("nonsense",)}),
        ("comment", {"comment": "字" * (COMMENT_MAX_CHARS + 1)}),
        ("order", {"order": "9" * 65}),
        ("occurred-at", {"occurred_at": "yesterday"}),
        ("occurred-at", {"occurred_at": "2026-02-30T11:58"}),
        ("occurred-at", {"occurred_at": "2026-02-30T11:58:00Z"}),
        ("occurred-at", {"occurred_at": "2026-05-20T11:58:00"}),
        ("occurred-in-future", {"occurred_at": "2026-05-21T12:01"}),
        ("occurred-in-future", {"occurred_at": "2026-05-21T04:00:01Z"}),
        ("occurred-in-future", {"occurred_at": "9999-12-31T23:59:59-23:59"}),
        ("amount", {"amount": "-1"}),
        ("amount", {"amount": "64.000"}),
        ("amount", {"amount": "1e3"}),
        ("amount", {"amount": "六十四"}),
        ("lang", {"lang": ""}),
    ],
)
def test_what_a_complaint_cannot_say_is_refused(shop: Shop, code: str, changes: dict[str, object]) -> None:
    grievance = Grievance(**{"prompt_id": None, "categories": ("other",)} | changes)  # type: ignore[arg-type]
    with pytest.raises(InvalidError) as refused:
        _complain(shop, grievance)
    assert refused.value.code == code
    assert shop.story() == []


def test_numbers_of_a_complaint_may_have_full_width_digits(shop: Shop) -> None:
    _complain(shop, Grievance(prompt_id=None, comment="贵", order="Ａ０８７", amount="６４．５"))
    row = _complaint(shop)
    assert (row.order_no, row.amount) == ("A087", "64.50 CNY")


def test_a_complaint_sent_again_is_the_same_case(shop: Shop) -> None:
    id_ = new_id(shop.clock.now())
    grievance = Grievance(
        prompt_id=None, categories=("price",), comment="多收", order="1", occurred_at="", amount="5.5"
    )
    first = _complain(shop, grievance, id_)
    shop.restart()
    again = _complain(shop, grievance, id_)
    assert (again.query_code, again.place, again.created) == (first.query_code, first.place, False)
    with pytest.raises(ConflictError):
        _complain(shop, Grievance(prompt_id=None, categories=("price",), comment="多收", order="2"), id_)
    assert shop.story() == ["complaint"]


def test_a_tablet_of_another_till_names_no_prompt_of_this_one(shop: Shop) -> None:
    sale = shop.sell()
    stranger = Tablet(id=new_id(shop.clock.now()), till="till-2")
    with pytest.raises(NotFoundError):
        _suggest(shop, Words(prompt_id=sale.prompt_id, comment="好"), tablet=stranger)
    with pytest.raises(NotFoundError):
        _complain(shop, Grievance(prompt_id=sale.prompt_id, comment="慢"), tablet=stranger)
    assert shop.story() == ["prompt"]


@pytest.mark.parametrize(
    "write", ["INSERT ON record", "INSERT ON disclosure", "INSERT ON slip", "INSERT ON complaint"]
)
def test_a_complaint_that_fails_at_any_write_leaves_nothing(shop: Shop, write: str) -> None:
    id_ = new_id(shop.clock.now())
    grievance = Grievance(prompt_id=None, comment="慢", order="087")
    with shop.failing(write), pytest.raises(StoreConflictError):
        _complain(shop, grievance, id_)
    assert shop.story() == []
    assert _complain(shop, grievance, id_).created
