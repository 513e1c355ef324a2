"""Whoever holds the claim of a complaint for the station alone reads it; nobody else does."""

from __future__ import annotations

from merchant_agent.central.confided import look_at_complaint
from merchant_agent.central.services import Central
from merchant_agent.evidence.slip import claim_hash
from tests.central.phone.customers import Visitor, phone
from tests.central.private import COMMENT, NUMBER, confide, place_of


def test_the_claim_opens_it_and_tells_who_read_it(central: Central, merchant: str, visitor: Visitor) -> None:
    visitor.sender.at = visitor.clock.now()
    sent = confide(visitor.sender, claim=claim_hash(visitor.claim))
    slip = visitor.slip(sent, level=0, complaint=True)
    visitor.upload()
    mine, other = phone(central), phone(central)
    assert COMMENT not in mine.read(f"/s/{slip}")
    assert mine.open(slip, visitor.claim).status_code == 303
    look_at_complaint(central, merchant, place_of(visitor.sender, sent), who="wang.fang")
    page = mine.read(f"/s/{slip}")
    assert all(words in page for words in (COMMENT, "ZX-087", "2026-05-20 11:07", "64.00 元", "缺斤少两"))
    assert "先不通知店里" in page
    assert "工作人员查看了您的投诉" in page
    assert "wang.fang" not in page
    assert NUMBER not in page
    assert COMMENT not in other.read(f"/s/{slip}")
