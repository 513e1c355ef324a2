"""What was found about a shop: told to it at once, public three working days later."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from werkzeug.test import TestResponse

from merchant_agent.central.app import create_app
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Grant as GrantRow
from merchant_agent.central.working_days import after_working_days, is_working_day
from merchant_agent.evidence.bodies import FindingBody
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.grant import Grant, open_grant
from merchant_agent.evidence.inbox import sign_inbox
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.record import decode_record
from tests.central.phone.customers import Visitor, phone
from tests.central.sender import Sender
from tests.clocks import ManualClock

SHANGHAI = ZoneInfo("Asia/Shanghai")


def ask(central: Central, sender: Sender, *, after: int = -1, header: str | None = None) -> TestResponse:
    signed = header or sign_inbox(sender.key, sender.issuer, 1, sender.nonce, after)
    path = f"/api/v1/terminals/{sender.issuer}/inbox?after={after}"
    return create_app(central).test_client().get(path, headers={"Authorization": signed})


def break_promise(central: Central, visitor: Visitor) -> None:
    """A customer opens a slip, and its record never comes."""
    slip = visitor.slip(visitor.rate())
    phone(central).read(f"/s/{slip}")
    visitor.pass_time(24.1)
    assert visitor.sweep() == ["broken_promise"]


def test_the_shop_is_told_at_once(central: Central, visitor: Visitor) -> None:
    sender = visitor.sender
    assert ask(central, sender).get_json() == {"issuer": None, "records": [], "next": -1}
    break_promise(central, visitor)
    told = ask(central, sender).get_json()
    record = decode_record(decode_jws(told["records"][0].encode(), Typ.RECORD).payload)
    assert isinstance(record.body, FindingBody)
    assert (record.issuer, record.seq, told["next"]) == (told["issuer"], 0, 0)
    assert ask(central, sender, after=told["next"]).get_json()["records"] == []


def test_levels_do_not_reach_the_shop_by_its_inbox(central: Central, visitor: Visitor) -> None:
    prompt = visitor.sender.ask()
    base = f"/i/{visitor.invitation(prompt)}"
    phone(central).post(base, f"{base}/rating", level="1")
    break_promise(central, visitor)
    told = ask(central, visitor.sender).get_json()
    kinds = [decode_record(decode_jws(text.encode(), Typ.RECORD).payload).kind for text in told["records"]]
    assert kinds == ["finding"]


@pytest.mark.parametrize("attack", ["none", "other key", "other nonce", "other request", "nonsense"])
def test_nobody_else_reads_an_inbox(central: Central, visitor: Visitor, attack: str) -> None:
    sender = visitor.sender
    header = {
        "none": "x",
        "other key": sign_inbox(SigningKey.generate(), sender.issuer, 1, sender.nonce, -1),
        "other nonce": sign_inbox(sender.key, sender.issuer, 1, "A" * 22, -1),
        "other request": sign_inbox(sender.key, sender.issuer, 1, sender.nonce, 7),
        "nonsense": "Merchant-Agent 1.AA",
    }[attack]
    answer = ask(central, sender, header=header)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "inbox-signature")


def test_the_public_learns_of_it_three_working_days_later(
    central: Central, visitor: Visitor, merchant: str, clock: ManualClock
) -> None:
    """Found on a Thursday: public on the Wednesday after."""
    break_promise(central, visitor)
    heading = "未按时兑现的凭条"
    assert heading not in phone(central).read(f"/m/{merchant}")
    clock.advance((datetime(2026, 5, 26, 23, 59, tzinfo=SHANGHAI) - clock.now()).total_seconds())
    assert heading not in phone(central).read(f"/m/{merchant}")
    clock.advance(60)
    page = phone(central).read(f"/m/{merchant}")
    assert heading in page
    assert "店家没有说明" in page
    assert "仍未收到" in page
    assert "Promises to customers not kept in time" in phone(central, lang="en").read(f"/m/{merchant}")


def test_what_came_late_is_told_as_late(
    central: Central, visitor: Visitor, merchant: str, clock: ManualClock
) -> None:
    break_promise(central, visitor)
    visitor.upload()
    assert visitor.sweep() == ["broken_promise", "late"]
    clock.advance(7 * 86_400)
    page = phone(central).read(f"/m/{merchant}")
    assert "逾期送达，" in page
    assert "仍未收到" not in page


def test_centrals_chain_of_findings_verifies(central: Central, visitor: Visitor) -> None:
    break_promise(central, visitor)
    visitor.upload()
    visitor.sweep()
    octets, grant = _own_grant(central)
    chain = Chain.begin(octets, grant)
    for text in ask(central, visitor.sender).get_json()["records"]:
        chain.accept(text.encode())
    assert chain.seq == 1


def test_holidays_and_the_days_worked_instead() -> None:
    assert not is_working_day(date(2026, 10, 1))
    assert is_working_day(date(2026, 10, 10))
    assert not is_working_day(date(2026, 5, 23))
    assert is_working_day(date(2099, 1, 5))
    before = datetime(2026, 9, 30, 10, tzinfo=SHANGHAI)
    assert after_working_days(before, 3, SHANGHAI) == datetime(2026, 10, 11, tzinfo=SHANGHAI)


def _own_grant(central: Central) -> tuple[bytes, Grant]:
    roots = central.identity.trust().root_keys()
    with central.store.read() as reader:
        rows = [bytes(row.octets) for row in reader.all(GrantRow.select())]
    return next((octets, grant) for octets in rows if (grant := open_grant(octets, roots)).role == "central")
