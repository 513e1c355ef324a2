"""What was found about a shop: told to it at once, public three working days later."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from werkzeug.test import TestResponse

from merchant_agent.central.app import create_app
from merchant_agent.central.erasure import erase
from merchant_agent.central.findings import list_findings
from merchant_agent.central.own_chain import append_own
from merchant_agent.central.rebuild import rebuild
from merchant_agent.central.revocations import revoke
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Grant as GrantRow
from merchant_agent.domain.working_days import after_working_days, is_working_day
from merchant_agent.evidence.bodies import FindingBody, FindingCode, Kind, ReplyBody
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.disclosure import make_disclosure
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.grant import Grant, open_grant
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.record import decode_record
from merchant_agent.evidence.requests import sign_request
from tests.central.conftest import NOODLES
from tests.central.phone.customers import Visitor, phone
from tests.central.sender import Sender
from tests.central.web.office import Office
from tests.clocks import ManualClock

SHANGHAI = ZoneInfo("Asia/Shanghai")


def ask(central: Central, sender: Sender, *, after: int = -1, header: str | None = None) -> TestResponse:
    signed = header or sign_request(sender.key, "inbox", sender.issuer, 1, sender.nonce, str(after))
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
    empty = ask(central, sender).get_json()
    assert empty.pop("merchant")["shop_name"] == NOODLES.shop_name
    assert empty == {"grant": None, "records": [], "next": -1, "last": -1}
    break_promise(central, visitor)
    told = ask(central, sender).get_json()
    record = decode_record(decode_jws(told["records"][0].encode(), Typ.RECORD).payload)
    assert isinstance(record.body, FindingBody)
    grant = open_grant(told["grant"].encode(), central.identity.trust().root_keys())
    assert (record.issuer, grant.role, record.seq) == (grant.issuer, "central", 0)
    assert (told["next"], told["last"]) == (0, 0)
    assert ask(central, sender, after=told["next"]).get_json()["records"] == []


def test_levels_do_not_reach_the_shop_by_its_inbox(central: Central, visitor: Visitor) -> None:
    """Of an answer by phone it gets the link, by which it can check the chain."""
    prompt = visitor.sender.ask()
    base = f"/i/{visitor.invitation(prompt)}"
    phone(central).post(base, f"{base}/rating", level="1")
    break_promise(central, visitor)
    link, told = ask(central, visitor.sender).get_json()["records"]
    record = decode_record(decode_jws(told.encode(), Typ.RECORD).payload)
    assert (record.kind, record.prev, len(link)) == (Kind.FINDING, link, 43)


def test_what_comes_after_the_last_that_is_told_is_not_handed_over(
    central: Central, visitor: Visitor
) -> None:
    """When an answer by phone came is nothing that the shop reads off its inbox."""
    break_promise(central, visitor)
    prompt = visitor.sender.ask()
    base = f"/i/{visitor.invitation(prompt)}"
    phone(central).post(base, f"{base}/rating", level="1")
    told = ask(central, visitor.sender).get_json()
    assert (len(told["records"]), told["next"], told["last"]) == (1, 0, 0)


@pytest.mark.parametrize("attack", ["none", "other key", "other nonce", "other request", "nonsense"])
def test_nobody_else_reads_an_inbox(central: Central, visitor: Visitor, attack: str) -> None:
    sender = visitor.sender
    header = {
        "none": "x",
        "other key": sign_request(SigningKey.generate(), "inbox", sender.issuer, 1, sender.nonce, "-1"),
        "other nonce": sign_request(sender.key, "inbox", sender.issuer, 1, "A" * 22, "-1"),
        "other request": sign_request(sender.key, "inbox", sender.issuer, 1, sender.nonce, "7"),
        "nonsense": "Merchant-Agent 1.AA",
    }[attack]
    answer = ask(central, sender, header=header)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "request-signature")


def test_revoked_key_reads_no_inbox(central: Central, visitor: Visitor, merchant: str) -> None:
    """Whoever has a stolen key learns nothing more of the shop once an officer has ended it."""
    sender = visitor.sender
    break_promise(central, visitor)
    revoke(central, merchant, sender.issuer, 1, reason="stolen", who="li.wei")
    answer = ask(central, sender)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "revoked")


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


def explain(visitor: Visitor, text: str, *, seq: int = 0) -> None:
    """The shop explains what stands at this seq of central's chain."""
    central, sender = visitor.central, visitor.sender
    grant = _own_grant(central)[1]
    to = Place(issuer=grant.issuer, epoch=1, seq=seq)
    words = make_disclosure("comment", text)
    sender.at = visitor.clock.now()
    sender.append(Kind.REPLY, ReplyBody(to=to), disclosures=[words])
    visitor.upload()


def test_the_shop_s_explanation_is_public_with_the_finding_and_never_before(
    central: Central, visitor: Visitor, merchant: str, clock: ManualClock
) -> None:
    """Its holder reads it at once; what the shop says later changes nothing."""
    slip = visitor.slip(visitor.rate())
    holder = phone(central)
    holder.open(slip, visitor.claim)
    visitor.pass_time(24.1)
    visitor.sweep()
    visitor.forget_newest()
    explain(visitor, "停电两小时<b>")
    explain(visitor, "其实没有停电")
    assert "停电两小时&lt;b&gt;" in holder.read(f"/s/{slip}")
    assert "停电" not in phone(central).read(f"/s/{slip}")
    assert "停电" not in phone(central).read(f"/m/{merchant}")
    clock.advance(7 * 86_400)
    for path in (f"/m/{merchant}", f"/s/{slip}"):
        page = phone(central).read(path)
        assert "停电两小时&lt;b&gt;" in page
        assert "其实没有停电" not in page
    assert "店家没有说明" not in phone(central).read(f"/m/{merchant}")


def test_an_explanation_that_was_erased_is_told_as_erased(
    central: Central, visitor: Visitor, merchant: str, clock: ManualClock
) -> None:
    break_promise(central, visitor)
    visitor.forget_newest()
    explain(visitor, "张先生弄错了")
    seq = visitor.sender.sent[-1].seq
    erase(central, merchant, Place(issuer=visitor.sender.issuer, epoch=1, seq=seq), who="wang.fang")
    clock.advance(7 * 86_400)
    page = phone(central).read(f"/m/{merchant}")
    assert "张先生" not in page
    assert "这段文字已删除" in page
    assert rebuild(central.store).count == 0


def test_another_shop_explains_nothing(central: Central, visitor: Visitor, clock: ManualClock) -> None:
    break_promise(central, visitor)
    other = Office(central, clock).open_shop(7)[1]
    to = Place(issuer=_own_grant(central)[1].issuer, epoch=1, seq=0)
    words = make_disclosure("comment", "没事")
    other.append(Kind.REPLY, ReplyBody(to=to), disclosures=[words])
    assert other.upload_all(central).outcome == "accepted"
    (found,) = list_findings(central).items
    assert found.explanations == ()


def test_officers_read_findings_and_all_that_was_said(
    central: Central, visitor: Visitor, clock: ManualClock
) -> None:
    office = Office(central, clock).staffed()
    assert "Nothing here" in office.text("/officer/findings")
    break_promise(central, visitor)
    office.enter()  # a day has passed
    page = office.text("/officer/findings")
    assert "Promise not kept in time" in page
    assert "nothing has come" in page
    assert "Nothing here" in office.text("/officer/findings?which=settled")
    visitor.upload()
    explain(visitor, "停电两小时")
    explain(visitor, "其实没有停电")
    visitor.sweep()
    assert "Nothing here" in office.text("/officer/findings")
    page = office.text("/officer/findings?which=settled")
    assert "停电两小时" in page
    assert "其实没有停电" in page
    assert page.count('<li class="card voice">') == 1
    assert page.count("it came late") == 1


@pytest.mark.parametrize("code", ["split_view", "silent", "conflict", "disputed"])
def test_other_findings_are_open_until_the_shop_explains_them(
    central: Central, visitor: Visitor, merchant: str, clock: ManualClock, code: FindingCode
) -> None:
    office = Office(central, clock).staffed()
    with central.store.write() as tx:
        body = FindingBody(code=code, place=None, leaf=None, due_at=None)
        append_own(central, tx, merchant, Kind.FINDING, body)
    (found,) = list_findings(central).items
    assert (found.code, found.is_open, found.query_code) == (code, True, None)
    assert office.get("/officer/findings", lang="zh").status_code == 200
    explain(visitor, "路由器坏了")
    assert list_findings(central).items == ()
    (found,) = list_findings(central, which="settled").items
    assert not found.is_open


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
