"""「店员要求我好评」: told to the authority alone, so that nothing of it can ever reach the shop."""

from __future__ import annotations

import pytest

from merchant_agent.central.erasure import erase_old
from merchant_agent.central.inbox import read_inbox
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Disclosure, LogLeaf, LogWaiting, Record, Urging
from merchant_agent.central.turns import URGINGS
from merchant_agent.central.urgings import list_urgings
from merchant_agent.evidence.requests import sign_request
from tests.central.phone.customers import Phone, Visitor, phone
from tests.central.rows import count, rows
from tests.clocks import ManualClock

WORDS = "给好评送了一瓶水"
DAY_S = 86_400


@pytest.fixture
def invitation(visitor: Visitor) -> str:
    text = visitor.invitation(visitor.sender.ask())
    visitor.upload()
    return f"/i/{text}"


def tell(mine: Phone, base: str, **fields: object) -> int:
    return mine.post(f"{base}/urged", f"{base}/urged", **fields).status_code


def test_it_is_told_without_a_name(central: Central, invitation: str, merchant: str) -> None:
    mine = phone(central)
    assert "店员要求我好评" in mine.read(invitation)
    assert "现在和以后都不会告诉店家" in mine.read(f"{invitation}/urged")
    assert tell(mine, invitation, way=["reward", "watched"], comment=WORDS) == 303
    assert "监管局收到了" in mine.read(f"{invitation}/told")
    (told,) = list_urgings(central, merchant=merchant).items
    assert (told.ways, told.comment) == (("reward", "watched"), WORDS)


def test_it_enters_no_chain_no_log_and_no_inbox(central: Central, visitor: Visitor, invitation: str) -> None:
    """Not even a hash: a shop could read from one when it was told."""
    sender = visitor.sender
    tables = (Record, Disclosure, LogWaiting, LogLeaf)

    def seen_by_the_shop() -> object:
        header = sign_request(sender.key, "inbox", sender.issuer, 1, sender.nonce, "-1")
        return read_inbox(central, sender.issuer, header, -1), [count(central, table) for table in tables]

    before = seen_by_the_shop()
    assert tell(phone(central), invitation, way=["asked"], comment=WORDS) == 303
    assert seen_by_the_shop() == before


def test_it_uses_up_no_invitation_and_stands_on_no_public_page(
    central: Central, visitor: Visitor, invitation: str, merchant: str
) -> None:
    mine = phone(central)
    before = mine.read(invitation), mine.read(f"/m/{merchant}")
    tell(mine, invitation, way=["tapped"])
    assert [len(page) for page in (mine.read(invitation), mine.read(f"/m/{merchant}"))] == [
        len(page) for page in before
    ]
    assert mine.post(invitation, f"{invitation}/rating", level="1").status_code == 303
    assert visitor.release().level_1 == 1


def test_it_names_no_sale(central: Central, invitation: str) -> None:
    tell(phone(central), invitation, way=["asked"])
    (row,) = rows(central, Urging)
    assert set(row.__data__) == {"merchant", "id", "at", "ways", "comment"}


@pytest.mark.parametrize(
    "fields", [{}, {"way": ["nonsense"]}, {"way": ["asked", "asked"]}, {"comment": "长" * 1001}]
)
def test_what_says_nothing_is_not_kept(central: Central, invitation: str, fields: dict[str, object]) -> None:
    assert tell(phone(central), invitation, **fields) == 422
    assert count(central, Urging) == 0


def test_it_cannot_be_stuffed(central: Central, invitation: str) -> None:
    mine = phone(central)
    for _ in range(URGINGS.most):
        assert tell(mine, invitation, way=["asked"]) == 303
    assert tell(mine, invitation, way=["asked"]) == 429


def test_its_words_are_erased_after_their_time(central: Central, invitation: str, clock: ManualClock) -> None:
    tell(phone(central), invitation, way=["asked"], comment=WORDS)
    clock.advance((central.settings.retention_days + 1) * DAY_S)
    assert erase_old(central) == 1
    (row,) = rows(central, Urging)
    assert (row.comment, row.ways) == (None, ["asked"])
