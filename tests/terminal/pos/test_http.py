from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.domain.sales import Sale, SaleKind, SaleSource, parse_time
from merchant_agent.errors import ForbiddenError, RequestError
from merchant_agent.terminal.pos.http import SaleMessage, read_sale


def test_a_message_says_every_member_of_a_sale() -> None:
    message = SaleMessage(
        order="087",
        till="1",
        kind=SaleKind.TABLE,
        amount="64",
        currency="HKD",
        at="2026-05-20T12:00:00+08:00",
    )
    assert read_sale(message, "1") == Sale(
        order="087",
        till="1",
        kind=SaleKind.TABLE,
        amount=Decimal("64.00"),
        currency="HKD",
        at=parse_time("2026-05-20T12:00:00+08:00"),
        source=SaleSource.HTTP,
    )


def test_a_token_of_any_till_reports_for_each() -> None:
    assert read_sale(SaleMessage(order="087", till="9"), "").till == "9"


def test_a_token_of_one_till_reports_for_no_other() -> None:
    for till in ("2", "", "1x"):
        with pytest.raises(ForbiddenError):
            read_sale(SaleMessage(order="087", till=till), "1")


def test_blanks_around_the_till_make_no_other_till() -> None:
    assert read_sale(SaleMessage(order="087", till=" 1 "), "1").till == "1"


MESSAGES = st.fixed_dictionaries(
    {"order": st.text(max_size=80), "till": st.text(max_size=40)},
    optional={"amount": st.text(max_size=14), "currency": st.text(max_size=4), "at": st.text(max_size=32)},
)


@given(MESSAGES)
def test_whatever_texts_a_till_sends_they_are_a_sale_or_refused(members: dict[str, str]) -> None:
    try:
        sale = read_sale(msgspec.convert(members, SaleMessage), "")
    except RequestError:
        return
    assert sale == read_sale(msgspec.convert(members, SaleMessage), sale.till)
