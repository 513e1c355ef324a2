from __future__ import annotations

import pytest

from merchant_agent.errors import StoreConflictError, TransitionError
from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.collect.lookup import PromptState
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.collect.sweep import LONGEST_WAITING_S, sweep
from merchant_agent.terminal.store.models import Draft, Rating
from tests.terminal.collect.shop import Shop


def _rating(shop: Shop) -> Rating:
    with shop.terminal.store.read() as reader:
        (row,) = reader.all(Rating.select())
    assert isinstance(row, Rating)
    return row


def test_an_idle_answer_is_signed_as_it_stands(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 2)
    shop.clock.advance(7)
    shop.tap(sale, 2, answer_id=answer, comment="太")
    shop.clock.advance(39)
    assert sweep(shop.terminal) == 0
    shop.clock.advance(1)
    assert sweep(shop.terminal) == 1
    assert shop.story() == ["prompt", "rating 2 idle"]
    row = _rating(shop)
    assert (row.rating_id, row.comment, row.dwell_ms) == (answer, "太", 7000)
    assert shop.shown() is None


def test_each_touch_begins_the_idle_time_anew(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 2)
    for _ in range(10):
        shop.clock.advance(30)
        assert sweep(shop.terminal) == 0
        shop.tap(sale, 2, answer_id=answer)
    assert shop.state(sale) is PromptState.ANSWERING


@pytest.mark.parametrize("seconds", [10**9, -(10**9), 3600, -3600])
def test_a_wall_clock_that_jumps_ends_no_live_answer(shop: Shop, seconds: int) -> None:
    sale, other = shop.sell("087"), shop.sell("088", till="till-2")
    shop.tap(sale, 2)
    shop.clock.step_wall(seconds)
    assert sweep(shop.terminal) == 0
    assert shop.state(sale) is PromptState.ANSWERING
    assert shop.state(other) is PromptState.ASKED


def test_a_choice_taken_back_and_left_times_out(shop: Shop) -> None:
    """Shown again, it would be answered by the next customer."""
    sale = shop.sell()
    shop.tap(sale, None, answer_id=shop.tap(sale, 1))
    shop.clock.advance(40)
    assert sweep(shop.terminal) == 1
    assert shop.story() == ["prompt", "lapse timed_out"]
    with pytest.raises(TransitionError):
        shop.done(sale, 1)


def test_a_question_that_nobody_touched_times_out(shop: Shop) -> None:
    sale = shop.sell()
    shop.clock.advance(89)
    assert sweep(shop.terminal) == 0
    shop.clock.advance(1)
    assert sweep(shop.terminal) == 1
    assert shop.state(sale) is PromptState.TIMED_OUT
    assert sweep(shop.terminal) == 0


def test_a_prompt_that_only_the_receipt_asks_ends_too(receipt_shop: Shop) -> None:
    sale = receipt_shop.sell()
    receipt_shop.clock.advance(90)
    assert sweep(receipt_shop.terminal) == 1
    assert receipt_shop.state(sale) is PromptState.TIMED_OUT


def test_a_question_that_waits_keeps_its_time(shop: Shop) -> None:
    first = shop.sell("087")
    answer = shop.tap(first, 4)
    second = shop.sell("088")
    for _ in range(6):
        shop.clock.advance(30)
        shop.tap(first, 4, answer_id=answer)
        assert sweep(shop.terminal) == 0
    shop.done(first, 4, answer_id=answer)
    shop.clock.advance(60)
    assert sweep(shop.terminal) == 0
    assert shop.state(second) is PromptState.ASKED


def test_a_question_does_not_wait_for_ever(shop: Shop) -> None:
    first = shop.sell("087")
    answer = shop.tap(first, 4)
    second = shop.sell("088")
    for _ in range((LONGEST_WAITING_S + 120) // 30):
        shop.clock.advance(30)
        shop.tap(first, 4, answer_id=answer)
        sweep(shop.terminal)
    assert shop.state(first) is PromptState.ANSWERING
    assert shop.state(second) is PromptState.TIMED_OUT


def _nobody_comes_back(shop: Shop) -> None:
    """The time of a draft that a crash left, to its end."""
    assert sweep(shop.terminal) == 0
    shop.clock.advance(40)
    sweep(shop.terminal)


def test_a_draft_at_a_crash_is_signed_as_found_once_nobody_came_back_for_it(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 1, comment="冷")
    shop.clock.advance(3)
    shop.tap(sale, 1, answer_id=answer, comment="冷的")
    shop.restart()
    assert sweep(shop.terminal) == 0
    shop.clock.advance(39)
    assert sweep(shop.terminal) == 0
    assert shop.state(sale) is PromptState.ANSWERING
    shop.clock.advance(1)
    assert sweep(shop.terminal) == 1
    assert sweep(shop.terminal) == 0
    assert shop.story() == ["prompt", "rating 1 recovered"]
    row = _rating(shop)
    assert (row.rating_id, row.comment, row.dwell_ms) == (answer, "冷的", 3000)


def test_words_said_while_the_terminal_was_down_are_in_the_rating(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 4)
    shop.restart()
    sweep(shop.terminal)
    shop.clock.advance(20)
    assert sweep(shop.terminal) == 0
    thanks = shop.done(sale, 4, answer_id=answer, comment="停机时写的")
    assert (thanks.created, thanks.as_sent) == (True, True)
    assert shop.story() == ["prompt", "rating 4 done"]
    assert _rating(shop).comment == "停机时写的"


def test_words_that_come_after_the_recovery_are_told_to_be_too_late(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 4)
    shop.restart()
    _nobody_comes_back(shop)
    assert shop.story() == ["prompt", "rating 4 recovered"]
    assert shop.done(sale, 4, answer_id=answer).as_sent
    assert not shop.done(sale, 4, answer_id=answer, comment="太迟的话").as_sent
    assert shop.story() == ["prompt", "rating 4 recovered"]


def test_a_tablet_that_came_back_and_left_again_is_idle_and_not_recovered(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 4)
    shop.restart()
    sweep(shop.terminal)
    shop.clock.advance(39)
    shop.tap(sale, 4, answer_id=answer, comment="回来了")
    shop.clock.advance(39)
    assert sweep(shop.terminal) == 0
    shop.clock.advance(1)
    assert sweep(shop.terminal) == 1
    assert shop.story() == ["prompt", "rating 4 idle"]


def test_the_next_sale_does_not_replace_an_answer_that_a_crash_left(shop: Shop) -> None:
    sale = shop.sell("087")
    shop.tap(sale, 2)
    shop.restart()
    shop.sell("088")
    assert shop.shown() == "087"
    _nobody_comes_back(shop)
    assert shop.shown() == "088"


def test_a_clock_that_was_set_back_while_down_makes_no_negative_dwell(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 4)
    shop.clock.step_wall(-10_000)
    shop.tap(sale, 4, answer_id=answer)
    shop.restart()
    _nobody_comes_back(shop)
    assert _rating(shop).dwell_ms == 0


def test_a_choice_taken_back_before_a_crash_is_no_rating(shop: Shop) -> None:
    sale = shop.sell()
    shop.tap(sale, None, answer_id=shop.tap(sale, 1))
    shop.restart()
    _nobody_comes_back(shop)
    assert shop.story() == ["prompt", "lapse timed_out"]


def test_questions_open_at_a_crash_have_their_whole_time_again(shop: Shop) -> None:
    sale = shop.sell()
    shop.clock.advance(80)
    shop.restart()
    assert sweep(shop.terminal) == 0
    shop.clock.advance(80)
    assert sweep(shop.terminal) == 0
    shop.clock.advance(10)
    assert sweep(shop.terminal) == 1
    assert shop.state(sale) is PromptState.TIMED_OUT


def test_one_answer_that_cannot_be_signed_is_tried_again(shop: Shop) -> None:
    sale = shop.sell()
    shop.tap(sale, 3)
    shop.clock.advance(40)
    with shop.failing("INSERT ON rating"), pytest.raises(StoreConflictError):
        sweep(shop.terminal)
    assert shop.story() == ["prompt"]
    assert sweep(shop.terminal) == 1
    assert shop.story() == ["prompt", "rating 3 idle"]


def test_a_recovery_that_fails_is_tried_again(shop: Shop) -> None:
    sale = shop.sell()
    shop.tap(sale, 3)
    shop.restart()
    with shop.failing("DELETE ON draft"), pytest.raises(StoreConflictError):
        _nobody_comes_back(shop)
    assert shop.story() == ["prompt"]
    assert sweep(shop.terminal) == 1
    assert shop.story() == ["prompt", "rating 3 recovered"]


def _tablet(shop: Shop, till: str) -> Tablet:
    return Tablet(id=new_id(shop.clock.now()), till=till)


def _spoil(shop: Shop, answer: str) -> None:
    with shop.terminal.store.write() as writer:
        writer.execute(Draft.update({Draft.tags: ["no code of a reason"]}).where(Draft.answer_id == answer))


def test_a_draft_that_no_reader_would_take_stops_neither_the_start_nor_the_others(shop: Shop) -> None:
    spoilt = shop.tap(shop.sell("087"), 2)
    shop.tap(shop.sell("088", till="till-2"), 4, tablet=_tablet(shop, "till-2"))
    _spoil(shop, spoilt)
    shop.restart()
    _nobody_comes_back(shop)
    assert shop.story() == ["prompt", "prompt", "rating 4 recovered"]


def test_a_draft_that_no_reader_would_take_does_not_stop_the_sweep(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt = shop.tap(shop.sell("087"), 2)
    shop.tap(shop.sell("088", till="till-2"), 4, tablet=_tablet(shop, "till-2"))
    _spoil(shop, spoilt)
    shop.clock.advance(40)
    assert sweep(shop.terminal) == 1
    assert sweep(shop.terminal) == 0
    assert shop.story() == ["prompt", "prompt", "rating 4 idle"]
    assert caplog.text.count("cannot be signed") == 1
    assert "no code of a reason" not in caplog.text


def test_a_great_backlog_times_out_in_portions(receipt_shop: Shop) -> None:
    for number in range(120):
        receipt_shop.sell(str(number))
    receipt_shop.clock.advance(90)
    assert sweep(receipt_shop.terminal) == 100
    assert sweep(receipt_shop.terminal) == 20
    assert len(receipt_shop.records()) == 240
