"""What pages are shown of merchants, terminals and answers."""

from __future__ import annotations

import pytest

from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.overview import (
    PAGE_ITEMS,
    find_by_query_code,
    list_merchants,
    merchant_overview,
    newest_complaints,
    newest_ratings,
    newest_suggestions,
    public_figures,
)
from merchant_agent.central.services import Central
from merchant_agent.domain.merchants import Merchant, check_character
from merchant_agent.errors import InvalidError, NotFoundError
from merchant_agent.evidence.exchange import encode_upload
from tests.central.sender import Sender, enrol_sender
from tests.clocks import ManualClock


def add_shop(central: Central, number: int) -> str:
    body = f"91310000MA2K{number:05d}"
    merchant = Merchant(
        name=f"第 {number} 家有限公司",
        shop_name=f"店 {number:03d}",
        credit_code=body + check_character(body),
        address=f"长街 {number} 号",
        trade="other",
    )
    return add_merchant(central, merchant, who="li.wei")


def test_a_terminals_state_is_told(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    [before] = merchant_overview(central, merchant).terminals
    assert (before.seq, before.waiting, before.seen_at, before.frozen) == (-1, 0, None, False)
    sender.sell(3)
    clock.advance(30)
    sender.upload(central, sender.body(0, 3))
    [after] = merchant_overview(central, merchant).terminals
    assert (after.issuer, after.seq, after.claimed_seq, after.waiting) == (sender.issuer, 3, 5, 2)
    assert (after.accepted_at, after.clock_ms) == (clock.now(), -30_000)
    assert (after.quarantined, after.frozen, after.conflict) == (0, False, None)


def test_a_frozen_terminal_says_why(central: Central, merchant: str, sender: Sender) -> None:
    sender.sell(2)
    sender.upload_all(central)
    back = sender.back_at(2)
    back.sell(1)
    back.upload_all(central)
    [state] = merchant_overview(central, merchant).terminals
    assert (state.frozen, state.conflict) == (True, "fork")


def test_lines_set_aside_are_counted(central: Central, merchant: str, sender: Sender) -> None:
    sender.keep(sender.forge(b"no record"))
    sender.upload_all(central)
    [state] = merchant_overview(central, merchant).terminals
    assert (state.quarantined, state.seq) == (1, 0)


def test_a_line_that_was_first_waited_for_is_counted_once(
    central: Central, merchant: str, sender: Sender
) -> None:
    sender.sell(2)
    rotten = [sender.sent[0].line, b"rot~", sender.sent[2].line]
    for first, last in ((0, 1), (1, 2)):
        lines = rotten[first : last + 1]
        sender.upload(central, encode_upload(sender.batch(first, last, lines=lines), lines))
    [state] = merchant_overview(central, merchant).terminals
    assert (state.quarantined, state.seq) == (1, 2)


def test_the_newest_terminal_stands_first(central: Central, merchant: str, clock: ManualClock) -> None:
    first = enrol_sender(central, merchant)
    clock.advance(1)
    second = enrol_sender(central, merchant)
    terminals = list_merchants(central).items[0].terminals
    assert [terminal.issuer for terminal in terminals] == [second.issuer, first.issuer]


def test_merchants_are_listed_in_pages(central: Central) -> None:
    for number in range(PAGE_ITEMS + 2):
        add_shop(central, number)
    first, second, third = (list_merchants(central, page=page) for page in (1, 2, 3))
    assert (len(first.items), first.more) == (PAGE_ITEMS, True)
    assert ([item.entry.shop_name for item in second.items], second.more) == (["店 050", "店 051"], False)
    assert third.items == ()


@pytest.mark.parametrize("search", ["店 007", "第 7 家", "长街 7 号", "2k00007"])
def test_merchants_are_found_by_part_of_what_is_known(central: Central, search: str) -> None:
    for number in (6, 7, 8):
        add_shop(central, number)
    assert [item.entry.shop_name for item in list_merchants(central, search=search).items] == ["店 007"]


def test_a_search_takes_no_wildcards(central: Central) -> None:
    add_shop(central, 1)
    assert list_merchants(central, search="%").items == list_merchants(central, search="店_001").items == ()


def test_newest_answers_stand_first_with_their_words(
    central: Central, sender: Sender, clock: ManualClock
) -> None:
    sender.rate(sender.ask(), 1, comment="一")
    sender.suggest("甲")
    sender.complain(comment="子")
    sender.upload_all(central)
    clock.advance(1)
    sender.rate(sender.ask(), 5, comment="二")
    sender.suggest("乙")
    sender.complain(comment="丑")
    sender.upload_all(central, first=4)
    assert [item.row.comment for item in newest_ratings(central).items] == ["二", "一"]
    assert [item.row.comment for item in newest_suggestions(central).items] == ["乙", "甲"]
    assert [item.row.comment for item in newest_complaints(central).items] == ["丑", "子"]
    assert [item.shop_name for item in newest_ratings(central, level=1).items] == ["示例面馆"]


def test_answers_of_one_batch_stand_in_their_order_and_in_pages(central: Central, sender: Sender) -> None:
    sender.sell(PAGE_ITEMS + 1)
    sender.upload_all(central)
    first, second = newest_ratings(central), newest_ratings(central, page=2)
    assert [item.row.seq for item in first.items][:3] == [101, 99, 97]
    assert (first.more, [item.row.seq for item in second.items], second.more) == (True, [1], False)


def test_answers_of_one_merchant_alone(central: Central, merchant: str, sender: Sender) -> None:
    other = add_shop(central, 1)
    sender.sell(1)
    sender.upload_all(central)
    assert len(newest_ratings(central, merchant=merchant).items) == 1
    assert newest_ratings(central, merchant=other).items == ()


def test_a_query_code_says_received_and_nothing_of_the_level(
    central: Central, merchant: str, sender: Sender, clock: ManualClock
) -> None:
    rated = sender.rate(sender.ask(), 1, comment="差")
    assert find_by_query_code(central, rated.query_code) == ()
    sender.upload_all(central)
    [received] = find_by_query_code(central, f" {rated.query_code.lower().replace('-', ' ')}")
    assert (received.merchant, received.shop_name) == (merchant, "示例面馆")
    assert received.received_at == clock.now()
    assert not hasattr(received, "level")


def test_a_mistyped_query_code_is_told_from_one_not_yet_received(central: Central, sender: Sender) -> None:
    code = sender.ask().query_code
    other = "0" if code[0] != "0" else "1"
    for typed in (other + code[1:], "", "7K4M"):
        with pytest.raises(InvalidError) as error:
            find_by_query_code(central, typed)
        assert error.value.code == "query-code"


def test_an_unknown_merchant_has_no_pages(central: Central) -> None:
    for show in (merchant_overview, public_figures):
        with pytest.raises(NotFoundError):
            show(central, "nobody")
