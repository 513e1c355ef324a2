from __future__ import annotations

import pytest

from merchant_agent.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    StoreConflictError,
    StoreFullError,
    TransitionError,
)
from merchant_agent.evidence.bodies import AspectLevel, RatingBody
from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.collect.answers import LONGEST_DWELL_MS, decline, finish, keep_draft
from merchant_agent.terminal.collect.lookup import PromptState
from merchant_agent.terminal.collect.prompts import withdraw_sale
from merchant_agent.terminal.collect.said import COMMENT_MAX_CHARS, Answer
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.collect.sweep import sweep
from merchant_agent.terminal.store.models import Draft, Rating
from tests.terminal.collect.shop import Shop


def _ratings(shop: Shop) -> list[Rating]:
    with shop.terminal.store.read() as reader:
        return reader.all(Rating.select())


def _drafts(shop: Shop) -> list[Draft]:
    with shop.terminal.store.read() as reader:
        return reader.all(Draft.select())


def test_an_answer_is_signed_whole(shop: Shop) -> None:
    sale = shop.sell()
    answer = Answer(
        prompt_id=sale.prompt_id,
        level=2,
        aspects=(("service", 1), ("waiting", 3)),
        tags=("waited_long", "price_unclear"),
        comment=" 等了半小时 \r\n 😀 ",
        lang="en",
    )
    answer_id = new_id(shop.clock.now())
    thanks = finish(shop.terminal, shop.one, answer_id, answer, ended="left", dwell_ms=12_345)
    record = shop.records()[-1]
    assert record.body == RatingBody(
        level=2,
        aspects=(AspectLevel(aspect="service", level=1), AspectLevel(aspect="waiting", level=3)),
        tags=("waited_long", "price_unclear"),
        channel="tablet",
        ended="left",
        dwell_ms=12_345,
        lang="en",
        catalogue="2026-1",
        claim=None,
    )
    assert (record.id, record.about.prompt) == (answer_id, sale.place)
    (row,) = _ratings(shop)
    assert row.comment == "等了半小时 \n 😀"
    assert (thanks.place, thanks.created) == (record.place, True)
    assert shop.state(sale) is PromptState.RATED


def test_a_tap_is_kept_and_not_signed(shop: Shop) -> None:
    sale = shop.sell()
    shop.tap(sale, 5)
    assert shop.story() == ["prompt"]
    question = shop.question()
    assert question is not None
    assert question.held is not None
    assert question.held.level == 5


def test_a_tap_survives_a_power_cut(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 1, comment="冷的")
    shop.restart()
    question = shop.question()
    assert question is not None
    assert question.held is not None
    assert (question.held.answer_id, question.held.comment) == (answer, "冷的")


def test_done_twice_signs_once_and_gives_the_same_code(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 3)
    first = shop.done(sale, 3, answer_id=answer)
    shop.restart()
    again = shop.done(sale, 3, answer_id=answer)
    assert (again.query_code, again.place) == (first.query_code, first.place)
    assert (again.created, again.as_sent) == (False, True)
    assert shop.story() == ["prompt", "rating 3 done"]


def test_done_without_a_tap_before_is_signed(shop: Shop) -> None:
    """The tap's own request was lost on the way."""
    sale = shop.sell()
    assert shop.done(sale, 4).created


def test_done_after_it_was_signed_as_idle_tells_that_it_came_late(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 2)
    shop.clock.advance(60)
    sweep(shop.terminal)
    same = shop.done(sale, 2, answer_id=answer)
    more = shop.done(sale, 2, answer_id=answer, comment="后来写的")
    assert same.query_code == more.query_code
    assert (same.as_sent, more.as_sent) == (True, False)
    assert shop.story() == ["prompt", "rating 2 idle"]


def test_a_second_rating_of_one_prompt_is_refused(shop: Shop) -> None:
    sale = shop.sell()
    shop.done(sale, 1)
    with pytest.raises(ConflictError) as refused:
        shop.done(sale, 5)
    assert refused.value.code == "answered"
    with pytest.raises(ConflictError):
        shop.tap(sale, 5)
    assert shop.story() == ["prompt", "rating 1 done"]


def test_a_rating_never_follows_a_lapse(shop: Shop) -> None:
    sale = shop.sell("087")
    shop.sell("088")
    shop.let_replaced_lapse()
    for attempt in (lambda: shop.tap(sale, 5), lambda: shop.done(sale, 5)):
        with pytest.raises(TransitionError) as refused:
            attempt()
        assert refused.value.state == PromptState.NEXT_SALE
    assert shop.story() == ["prompt", "prompt", "lapse next_sale"]


def test_a_prompt_that_only_the_receipt_asks_is_not_rated_on_a_tablet(receipt_shop: Shop) -> None:
    sale = receipt_shop.sell()
    with pytest.raises(TransitionError):
        receipt_shop.done(sale, 5)
    with pytest.raises(TransitionError):
        receipt_shop.tap(sale, 5)
    with pytest.raises(TransitionError):
        decline(receipt_shop.terminal, receipt_shop.one, sale.prompt_id)


def test_of_two_tablets_on_one_till_the_first_touch_owns_the_question(shop: Shop) -> None:
    sale = shop.sell()
    assert shop.shown(shop.one) == shop.shown(shop.two) == "087"
    answer = shop.tap(sale, 2, tablet=shop.one)
    assert shop.shown(shop.two) is None
    for attempt in (
        lambda: shop.tap(sale, 5, tablet=shop.two),
        lambda: shop.done(sale, 5, tablet=shop.two),
        lambda: decline(shop.terminal, shop.two, sale.prompt_id),
    ):
        with pytest.raises(ConflictError) as refused:
            attempt()
        assert refused.value.code == "answered-elsewhere"
    assert shop.done(sale, 2, tablet=shop.one, answer_id=answer).created


def test_while_one_tablet_is_answering_the_other_asks_the_next_customer(shop: Shop) -> None:
    first = shop.sell("087")
    answer = shop.tap(first, 4, tablet=shop.one)
    second = shop.sell("088")
    assert (shop.shown(shop.one), shop.shown(shop.two)) == ("087", "088")
    shop.done(second, 5, tablet=shop.two)
    shop.done(first, 4, tablet=shop.one, answer_id=answer)
    assert shop.story() == ["prompt", "prompt", "rating 5 done", "rating 4 done"]


def test_a_tablet_of_another_till_cannot_answer(shop: Shop) -> None:
    sale = shop.sell()
    stranger = Tablet(id=new_id(shop.clock.now()), till="till-2")
    with pytest.raises(NotFoundError):
        shop.tap(sale, 5, tablet=stranger)
    with pytest.raises(NotFoundError):
        decline(shop.terminal, stranger, sale.prompt_id)
    anywhere = Tablet(id=new_id(shop.clock.now()), till="")
    assert shop.done(sale, 5, tablet=anywhere).created


def test_a_choice_taken_back_keeps_the_prompt_theirs(shop: Shop) -> None:
    sale = shop.sell("087")
    answer = shop.tap(sale, 1)
    shop.tap(sale, None, answer_id=answer)
    second = shop.sell("088")
    assert shop.state(sale) is PromptState.ANSWERING
    assert shop.state(second) is PromptState.WAITING
    assert shop.shown() == "087"
    shop.tap(sale, 5, answer_id=answer)
    shop.done(sale, 5, answer_id=answer)
    assert shop.story() == ["prompt", "prompt", "rating 5 done"]


def test_a_page_that_was_loaded_anew_may_go_on_under_a_new_id(shop: Shop) -> None:
    sale = shop.sell()
    shop.tap(sale, 1)
    second = shop.tap(sale, 2)
    shop.done(sale, 2, answer_id=second)
    assert _drafts(shop) == []
    assert shop.story() == ["prompt", "rating 2 done"]


def test_decline_lapses_once(shop: Shop) -> None:
    sale = shop.sell()
    decline(shop.terminal, shop.one, sale.prompt_id)
    decline(shop.terminal, shop.one, sale.prompt_id)
    assert shop.state(sale) is PromptState.DECLINED
    assert shop.story() == ["prompt", "lapse declined"]


def test_a_tapped_level_cannot_be_declined_away(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 1)
    with pytest.raises(TransitionError):
        decline(shop.terminal, shop.one, sale.prompt_id)
    shop.tap(sale, None, answer_id=answer)
    decline(shop.terminal, shop.one, sale.prompt_id)
    assert _drafts(shop) == []
    assert shop.story() == ["prompt", "lapse declined"]


def test_a_decline_that_comes_after_another_end_is_refused(shop: Shop) -> None:
    sale = shop.sell()
    withdraw_sale(shop.terminal, sale.prompt_id)
    with pytest.raises(TransitionError):
        decline(shop.terminal, shop.one, sale.prompt_id)


def test_an_id_is_good_for_one_answer(shop: Shop) -> None:
    first, second = shop.sell("087"), shop.sell("088", till="till-2")
    anywhere = Tablet(id=new_id(shop.clock.now()), till="")
    answer = shop.tap(first, 3, tablet=anywhere)
    for attempt in (
        lambda: shop.tap(second, 3, tablet=anywhere, answer_id=answer),
        lambda: shop.done(second, 3, tablet=anywhere, answer_id=answer),
    ):
        with pytest.raises(ConflictError) as refused:
            attempt()
        assert refused.value.code == "answer-id"
    shop.done(first, 3, tablet=anywhere, answer_id=answer)
    with pytest.raises(ConflictError):
        shop.done(second, 3, tablet=anywhere, answer_id=answer)
    with pytest.raises(ConflictError):
        shop.tap(second, 3, tablet=anywhere, answer_id=answer)
    assert shop.story() == ["prompt", "prompt", "rating 3 done"]


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("level", {"level": 0}),
        ("level", {"level": 6}),
        ("level", {"aspects": (("service", 0),)}),
        ("aspect", {"aspects": (("nonsense", 3),)}),
        ("aspect", {"aspects": (("service", 3), ("service", 3))}),
        ("tag", {"tags": ("nonsense",)}),
        ("tag", {"tags": ("taste_good", "taste_good")}),
        ("tag", {"tags": ("taste_good",) * 33}),
        ("comment", {"comment": "字" * (COMMENT_MAX_CHARS + 1)}),
        ("comment", {"comment": "\u202e"}),
        ("lang", {"lang": "fr"}),
    ],
)
def test_what_the_catalogue_does_not_know_is_refused(
    shop: Shop, code: str, changes: dict[str, object]
) -> None:
    sale = shop.sell()
    answer = Answer(**{"prompt_id": sale.prompt_id, "level": 3} | changes)  # type: ignore[arg-type]
    answer_id = new_id(shop.clock.now())
    with pytest.raises(InvalidError) as refused:
        keep_draft(shop.terminal, shop.one, answer_id, answer)
    assert refused.value.code == code
    with pytest.raises(InvalidError):
        finish(shop.terminal, shop.one, answer_id, answer, ended="done", dwell_ms=0)
    assert _drafts(shop) == []
    assert shop.story() == ["prompt"]


def test_an_id_that_is_no_uuid7_is_refused(shop: Shop) -> None:
    sale = shop.sell()
    for attempt in (
        lambda: shop.tap(sale, 5, answer_id="4f3c2d1e-0000-4000-8000-000000000000"),
        lambda: shop.done(sale, 5, answer_id="../etc/passwd"),
    ):
        with pytest.raises(InvalidError) as refused:
            attempt()
        assert refused.value.code == "id"


def test_done_without_a_level_is_refused(shop: Shop) -> None:
    sale = shop.sell()
    answer = Answer(prompt_id=sale.prompt_id, level=None)
    with pytest.raises(InvalidError):
        finish(shop.terminal, shop.one, new_id(shop.clock.now()), answer, ended="left", dwell_ms=0)


def test_an_unknown_prompt_is_refused(shop: Shop) -> None:
    answer = Answer(prompt_id=new_id(shop.clock.now()), level=5)
    with pytest.raises(NotFoundError):
        keep_draft(shop.terminal, shop.one, new_id(shop.clock.now()), answer)


@pytest.mark.parametrize(("claimed", "kept"), [(-5, 0), (10**15, LONGEST_DWELL_MS), (7, 7)])
def test_the_time_that_a_tablet_claims_is_cut_to_sense(shop: Shop, claimed: int, kept: int) -> None:
    shop.done(shop.sell(), 5, dwell_ms=claimed)
    (row,) = _ratings(shop)
    assert row.dwell_ms == kept


def test_a_comment_of_full_length_in_four_byte_letters_is_kept(shop: Shop) -> None:
    sale = shop.sell()
    shop.done(sale, 5, comment="😀" * COMMENT_MAX_CHARS)
    (row,) = _ratings(shop)
    assert row.comment == "😀" * COMMENT_MAX_CHARS


@pytest.mark.parametrize(
    "write",
    ["INSERT ON record", "INSERT ON disclosure", "INSERT ON rating", "UPDATE ON prompt", "DELETE ON draft"],
)
def test_done_that_fails_at_any_write_keeps_the_draft_and_is_not_thanked(shop: Shop, write: str) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 2, comment="慢")
    with shop.failing(write), pytest.raises(StoreConflictError):
        shop.done(sale, 2, answer_id=answer, comment="慢")
    assert shop.story() == ["prompt"]
    assert [draft.answer_id for draft in _drafts(shop)] == [answer]
    assert _ratings(shop) == []
    assert shop.done(sale, 2, answer_id=answer, comment="慢").created
    assert shop.story() == ["prompt", "rating 2 done"]


@pytest.mark.parametrize("write", ["INSERT ON record", "UPDATE ON prompt", "DELETE ON draft"])
def test_a_decline_that_fails_at_any_write_leaves_the_question(shop: Shop, write: str) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 4)
    shop.tap(sale, None, answer_id=answer)
    with shop.failing(write), pytest.raises(StoreConflictError):
        decline(shop.terminal, shop.one, sale.prompt_id)
    assert shop.state(sale) is PromptState.ANSWERING
    assert shop.story() == ["prompt"]


def test_a_full_disk_is_told_and_what_was_kept_before_stays(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 1)
    with shop.full_disk(), pytest.raises(StoreFullError):
        shop.done(sale, 1, answer_id=answer, comment="满" * COMMENT_MAX_CHARS)
    assert shop.story() == ["prompt"]
    assert [draft.level for draft in _drafts(shop)] == [1]
    assert shop.done(sale, 1, answer_id=answer, comment="满" * COMMENT_MAX_CHARS).created
