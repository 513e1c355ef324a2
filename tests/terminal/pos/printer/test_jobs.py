"""What papers are taken for, and what is read of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from merchant_agent.errors import InvalidError
from merchant_agent.terminal.pos.printer.patterns import JobKind, Patterns
from tests.terminal.pos.printer.papers import NO_SALES, READ, RECEIPTS, job, read, receipts


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, papers in NO_SALES.items() for name in papers]
)
def test_what_is_no_customers_receipt_is_no_sale(kind: JobKind, name: str) -> None:
    assert read(job(NO_SALES[kind][name])).kind is kind


@pytest.mark.parametrize("name", RECEIPTS)
def test_receipts_are_sales_with_their_number_and_sum(name: str) -> None:
    text, (order, amount) = RECEIPTS[name]
    found = read(job(text), names=("妈妈的厨房",))
    assert (found.kind, found.order) == (JobKind.RECEIPT, order)
    assert found.total is not None
    assert (found.total.amount, found.total.currency) == (Decimal(amount), "CNY")


def test_receipts_of_other_encoders_are_read() -> None:
    for name, octets in receipts().items():
        found = read(octets)
        order, amount, currency = READ[name]
        assert (found.kind, found.order) == (JobKind.RECEIPT, order)
        assert found.total is not None
        assert (found.total.amount, found.total.currency) == (Decimal(amount), currency)


def test_time_on_the_paper_is_the_latest_one() -> None:
    text = "北街小馆\n单号: 1\n开台: 2026-11-23 11:05\n结账: 2026/11/23 12:41:09\n合计: 64.00\n"
    found = read(job(text))
    assert found.at is not None
    assert found.at.isoformat() == "2026-11-23T12:41:09"


def test_paper_of_an_image_alone_is_an_image() -> None:
    raster = b"\x1dv0\x00\x02\x00\x02\x00\x1dV\x00\x00"
    assert read(b"\x1b@" + raster + b"\x1dV\x00").kind is JobKind.IMAGE


def test_words_of_the_shop_come_first() -> None:
    text = "小店\n单号: 1\n本店序列 X-9\n合计: 5.00\n实际: 4.00\n"
    patterns = Patterns(order=("本店序列",), total=("实际",))
    found = read(job(text), patterns)
    assert (found.order, found.total and found.total.amount) == ("X-9", Decimal("4.00"))


def test_title_that_the_shop_named_leaves_its_papers_out() -> None:
    text = "小店\n员工餐\n单号: 1\n合计: 5.00\n"
    assert read(job(text)).kind is JobKind.RECEIPT
    assert read(job(text), Patterns(titles={JobKind.KITCHEN: ("员工餐",)})).kind is JobKind.KITCHEN


def test_shops_own_name_is_no_title() -> None:
    text = "老友外卖\n单号: 1\n合计: 5.00\n现金 5.00\n"
    assert read(job(text)).kind is JobKind.DELIVERY
    assert read(job(text), names=("老友外卖",)).kind is JobKind.RECEIPT


@pytest.mark.parametrize("word", ["", "x" * 25, "a\nb"])
def test_words_that_no_receipt_prints_are_refused(word: str) -> None:
    with pytest.raises(InvalidError) as caught:
        Patterns(order=(word,))
    assert caught.value.code == "pattern"
