from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from merchant_agent.domain.sales import Sale, SaleKind, order_tag
from merchant_agent.errors import (
    ConflictError,
    NotFoundError,
    StartError,
    StoreConflictError,
    StoreFullError,
    TransitionError,
)
from merchant_agent.evidence.bodies import PromptBody
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.settings import TerminalSettings
from merchant_agent.terminal.collect.lookup import PromptState
from merchant_agent.terminal.collect.prompts import sale_state, take_sale, withdraw_sale
from merchant_agent.terminal.collect.sweep import REPLACED_LAPSES_AFTER_S, sweep
from merchant_agent.terminal.services import close_terminal, open_terminal
from tests.clocks import START, ManualClock
from tests.terminal.collect.shop import CENTRAL, TILL, Shop, signed_place


def test_a_sale_makes_a_signed_prompt_that_hides_the_order(shop: Shop) -> None:
    sale = shop.sell("087", kind=SaleKind.TAKEAWAY)
    (record,) = shop.records()
    body = record.body
    assert isinstance(body, PromptBody)
    tag = order_tag(shop.terminal.journal.identity.tag_key, TILL, START.date(), "087")
    assert body == PromptBody(till=TILL, source="http", sale="takeaway", asks=True, tag=encode_b64u(tag))
    assert (sale.place, sale.prompt_id, sale.state) == (record.place, record.id, PromptState.ASKED)
    assert sale.created


def test_the_same_order_again_is_the_same_prompt(shop: Shop) -> None:
    first = shop.sell("087")
    again = shop.sell("087")
    assert not again.created
    assert (again.prompt_id, again.place, again.invitation_url) == (
        first.prompt_id,
        first.place,
        first.invitation_url,
    )
    assert shop.story() == ["prompt"]


def test_the_same_order_after_a_restart_is_the_same_prompt(shop: Shop) -> None:
    first = shop.sell("087")
    shop.restart()
    assert shop.sell("087").prompt_id == first.prompt_id


def test_the_same_order_tomorrow_is_another_prompt(shop: Shop) -> None:
    first = shop.sell("087")
    shop.clock.advance(24 * 3600)
    second = shop.sell("087")
    assert second.created
    assert second.prompt_id != first.prompt_id


def test_the_business_day_ends_at_four_not_at_midnight(shop: Shop) -> None:
    shop.clock.advance(11.5 * 3600)
    first = shop.sell("087")
    shop.clock.advance(4 * 3600)
    assert shop.sell("087").prompt_id == first.prompt_id
    shop.clock.advance(3600)
    assert shop.sell("087").created


def test_an_order_that_is_sent_again_over_the_end_of_the_day_is_the_same(shop: Shop) -> None:
    """A till that had no answer at 03:59 tries again; and so does whoever listened in its network."""
    shop.clock.advance(15.99 * 3600)
    first = shop.sell("087")
    shop.clock.advance(10 * 60)
    assert shop.sell("087").prompt_id == first.prompt_id
    assert shop.sell("087", amount="9.00").created
    assert shop.story() == ["prompt", "prompt"]


def test_the_same_number_later_on_the_new_day_is_another_order(shop: Shop) -> None:
    shop.clock.advance(15.99 * 3600)
    shop.sell("087")
    shop.clock.advance(20 * 60)
    assert shop.sell("087").created


def test_the_same_order_of_another_till_is_another_prompt(shop: Shop) -> None:
    first = shop.sell("087")
    assert shop.sell("087", till="till-2").prompt_id != first.prompt_id


def test_another_amount_is_refused_with_an_alarm_that_stays(shop: Shop) -> None:
    shop.sell("087", amount="64.00")
    for _ in range(2):
        with pytest.raises(ConflictError) as refused:
            shop.sell("087", amount="46.00")
        assert refused.value.code == "order-amount"
    assert shop.alarms() == [("order-amount", "till-1/087")]
    assert shop.story() == ["prompt"]


def test_another_currency_is_another_amount(shop: Shop) -> None:
    shop.sell("087", amount="64.00")
    sale = Sale(order="087", till=TILL, amount=Decimal(64), currency="HKD")
    with pytest.raises(ConflictError):
        take_sale(shop.terminal, sale)


def test_a_report_without_amount_contradicts_nothing(shop: Shop) -> None:
    first = shop.sell("087", amount="64.00")
    assert shop.sell("087", amount=None).prompt_id == first.prompt_id


def test_a_refund_makes_no_prompt(shop: Shop) -> None:
    assert take_sale(shop.terminal, Sale(order="087", till=TILL, kind=SaleKind.REFUND)) is None
    assert shop.story() == []


def test_the_next_sale_ends_questions_that_nobody_touched(shop: Shop) -> None:
    first = shop.sell("087")
    shop.sell("088")
    assert shop.shown() == "088"
    assert shop.state(first) is PromptState.NEXT_SALE
    shop.let_replaced_lapse()
    assert shop.state(first) is PromptState.NEXT_SALE
    assert shop.story() == ["prompt", "prompt", "lapse next_sale"]
    assert shop.records()[2].about.prompt == first.place


def test_a_tap_that_was_on_its_way_when_the_next_sale_came_holds_its_question(shop: Shop) -> None:
    first = shop.sell("087")
    second = shop.sell("088")
    answer = shop.tap(first, 2)
    assert shop.shown() == "087"
    assert (shop.state(first), shop.state(second)) == (PromptState.ANSWERING, PromptState.WAITING)
    shop.clock.advance(REPLACED_LAPSES_AFTER_S)
    assert sweep(shop.terminal) == 0
    shop.done(first, 2, answer_id=answer)
    assert shop.shown() == "088"
    assert shop.story() == ["prompt", "prompt", "rating 2 done"]


def test_what_the_next_sale_replaced_never_comes_back(shop: Shop) -> None:
    first, second = shop.sell("087"), shop.sell("088")
    withdraw_sale(shop.terminal, second.prompt_id)
    assert shop.shown() is None
    shop.restart()
    assert shop.shown() is None
    assert shop.state(first) is PromptState.NEXT_SALE
    assert sweep(shop.terminal) == 0
    shop.let_replaced_lapse()
    assert shop.story() == ["prompt", "prompt", "lapse withdrawn", "lapse next_sale"]


def test_the_next_sale_of_another_till_ends_nothing(shop: Shop) -> None:
    first = shop.sell("087")
    shop.sell("088", till="till-2")
    assert shop.state(first) is PromptState.ASKED


def test_the_next_sale_never_replaces_a_touched_question(shop: Shop) -> None:
    first = shop.sell("087")
    answer = shop.tap(first, 2)
    second = shop.sell("088")
    assert shop.state(first) is PromptState.ANSWERING
    assert shop.state(second) is PromptState.WAITING
    assert shop.shown() == "087"
    shop.done(first, 2, answer_id=answer)
    assert shop.shown() == "088"
    assert shop.story() == ["prompt", "prompt", "rating 2 done"]


def test_a_manual_sale_waits_behind_a_live_question(shop: Shop) -> None:
    live = shop.sell("087")
    manual = shop.type_in("A1")
    assert shop.state(live) is PromptState.ASKED
    assert shop.state(manual) is PromptState.WAITING
    assert shop.shown() == "087"
    shop.done(live, 4)
    assert shop.shown() == "A1"


def test_a_second_manual_sale_replaces_only_the_one_that_waits(shop: Shop) -> None:
    live, first = shop.sell("087"), shop.type_in("A1")
    second = shop.type_in("A2")
    assert [shop.state(sale) for sale in (live, first, second)] == [
        PromptState.ASKED,
        PromptState.NEXT_SALE,
        PromptState.WAITING,
    ]


def test_a_sale_of_the_till_ends_a_waiting_manual_one_too(shop: Shop) -> None:
    live, manual = shop.sell("087"), shop.type_in("A1")
    shop.sell("088")
    assert shop.state(live) is shop.state(manual) is PromptState.NEXT_SALE
    assert shop.shown() == "088"


def test_only_the_receipt_asks_where_the_bureau_says_so(receipt_shop: Shop) -> None:
    sale = receipt_shop.sell()
    assert sale.state is PromptState.NOT_ASKED
    assert sale.invitation_url is not None
    assert receipt_shop.shown() is None
    assert receipt_shop.story() == ["prompt not asked"]


def test_a_sale_out_of_a_backlog_does_not_wake_the_tablet_nor_end_a_question(shop: Shop) -> None:
    live = shop.sell("087", at=shop.clock.now())
    late = shop.sell("041", at=shop.clock.now() - timedelta(hours=2))
    assert late.state is PromptState.NOT_ASKED
    assert late.invitation_url is not None
    assert shop.state(live) is PromptState.ASKED
    assert shop.shown() == "087"


def test_a_till_whose_clock_is_slow_is_heard_once_it_is_known(shop: Shop) -> None:
    states = []
    for order in ("001", "002", "003"):
        states.append(shop.sell(order, at=shop.clock.now() - timedelta(hours=1)).state)
        shop.clock.advance(60)
    assert states == [PromptState.NOT_ASKED, PromptState.ASKED, PromptState.ASKED]


def test_what_was_learned_of_a_till_survives_a_restart(shop: Shop) -> None:
    for order in ("001", "002"):
        shop.sell(order, at=shop.clock.now() - timedelta(hours=1))
        shop.clock.advance(60)
    shop.restart()
    assert shop.sell("003", at=shop.clock.now() - timedelta(hours=1)).state is PromptState.ASKED


def test_a_report_again_teaches_nothing_about_the_clock(shop: Shop) -> None:
    at = shop.clock.now()
    shop.sell("001", at=at)
    shop.clock.advance(100)
    shop.sell("001", at=at)
    shop.clock.advance(100)
    # Two sightings of a clock that is slow, had the second report counted.
    assert shop.sell("002", at=shop.clock.now() - timedelta(seconds=150)).state is PromptState.NOT_ASKED


def test_a_sale_is_known_again_although_its_tills_clock_was_corrected_since(shop: Shop) -> None:
    """A till with a dead battery lives in 1980 until two of its sales have taught us."""
    years = timedelta(days=46 * 365)
    claimed = shop.clock.now() - years
    first = shop.sell("001", at=claimed)
    shop.clock.advance(60)
    assert shop.sell("002", at=shop.clock.now() - years).created
    again = shop.sell("001", at=claimed)
    assert (again.prompt_id, again.created) == (first.prompt_id, False)


def test_a_backlog_after_midnight_belongs_to_the_day_of_its_sales(shop: Shop) -> None:
    at = shop.clock.now()
    first = shop.sell("087", at=at)
    shop.clock.advance(24 * 3600)
    assert shop.sell("087", at=at).prompt_id == first.prompt_id


def test_the_invitation_is_signed_over_the_prompts_place_and_tag(shop: Shop) -> None:
    sale = shop.sell("087")
    assert sale.invitation_url is not None
    assert sale.invitation_url.startswith(f"{CENTRAL}/i/")
    octets = decode_b64u(sale.invitation_url.rpartition("/")[2], length=92)
    signed, signature = octets[:28], octets[28:]
    identity = shop.terminal.journal.identity
    identity.grant.verifying_key().verify(signature, b"merchant-agent/invitation/v1\n" + signed)
    assert signed[0] == 1
    assert encode_b64u(signed[1:9]) == signed_place(sale).issuer
    assert int.from_bytes(signed[9:11], "big") == signed_place(sale).epoch
    assert int.from_bytes(signed[11:15], "big") == signed_place(sale).seq
    assert int.from_bytes(signed[15:19], "big") == int(START.timestamp())
    assert signed[19] == 14
    assert signed[20:] == order_tag(identity.tag_key, TILL, START.date(), "087")
    assert sale.invitation_expires_at == START + timedelta(days=14)


def test_a_sale_withdrawn_while_untouched_lapses_once(shop: Shop) -> None:
    sale = shop.sell()
    for _ in range(2):
        assert withdraw_sale(shop.terminal, sale.prompt_id).state is PromptState.WITHDRAWN
    assert shop.story() == ["prompt", "lapse withdrawn"]
    assert shop.shown() is None


def test_a_sale_that_only_the_receipt_asks_about_can_be_withdrawn(receipt_shop: Shop) -> None:
    sale = receipt_shop.sell()
    assert withdraw_sale(receipt_shop.terminal, sale.prompt_id).state is PromptState.WITHDRAWN


def test_a_bad_tap_cannot_be_withdrawn_from_the_till(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 1)
    with pytest.raises(TransitionError):
        withdraw_sale(shop.terminal, sale.prompt_id)
    shop.done(sale, 1, answer_id=answer)
    with pytest.raises(TransitionError):
        withdraw_sale(shop.terminal, sale.prompt_id)
    assert shop.story() == ["prompt", "rating 1 done"]


def test_a_choice_taken_back_cannot_be_withdrawn_either(shop: Shop) -> None:
    sale = shop.sell()
    shop.tap(sale, None, answer_id=shop.tap(sale, 1))
    with pytest.raises(TransitionError):
        withdraw_sale(shop.terminal, sale.prompt_id)


def test_a_till_sees_and_withdraws_its_own_sales_alone(shop: Shop) -> None:
    sale = shop.sell()
    assert sale_state(shop.terminal, sale.prompt_id, till=TILL).state is PromptState.ASKED
    with pytest.raises(NotFoundError):
        sale_state(shop.terminal, sale.prompt_id, till="till-2")
    with pytest.raises(NotFoundError):
        withdraw_sale(shop.terminal, sale.prompt_id, till="till-2")


def test_a_sale_that_finds_the_disk_full_leaves_nothing_and_is_taken_later(shop: Shop) -> None:
    first = shop.sell("087")
    with shop.full_disk():
        for number in range(100, 200):
            try:
                shop.sell(str(number))
            except StoreFullError:
                break
        else:
            pytest.fail("the disk never became full")
        before = shop.story()
    assert shop.sell(str(number)).created
    after = shop.story()
    assert after[: len(before)] == before
    assert after[len(before) :] == ["prompt"]
    assert shop.state(first) is PromptState.NEXT_SALE


def test_a_sale_before_the_enrolment_is_refused_and_changes_nothing(shop: Shop, clock: ManualClock) -> None:
    new = open_terminal(TerminalSettings(data=shop.settings.data / "new", ballast_bytes=0), clock)
    try:
        with pytest.raises(StartError):
            take_sale(new, Sale(order="087", till=TILL))
        assert new.board.questions() == ()
    finally:
        close_terminal(new)


@pytest.mark.parametrize(
    "write", ["UPDATE ON sale", "INSERT ON record", "INSERT ON prompt", "INSERT ON sale"]
)
def test_a_sale_that_fails_at_any_write_leaves_nothing(shop: Shop, write: str) -> None:
    first = shop.sell("087", at=shop.clock.now())
    with shop.failing(write), pytest.raises(StoreConflictError):
        shop.sell("088", at=shop.clock.now())
    assert shop.story() == ["prompt"]
    assert shop.state(first) is PromptState.ASKED
    assert shop.shown() == "087"
    assert shop.sell("088", at=shop.clock.now()).created
    shop.let_replaced_lapse()
    assert shop.story() == ["prompt", "prompt", "lapse next_sale"]


def test_a_withdrawal_that_fails_leaves_the_question(shop: Shop) -> None:
    sale = shop.sell()
    with shop.failing("UPDATE ON prompt"), pytest.raises(StoreConflictError):
        withdraw_sale(shop.terminal, sale.prompt_id)
    assert shop.state(sale) is PromptState.ASKED
    assert shop.story() == ["prompt"]
