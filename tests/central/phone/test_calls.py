"""The station calls back: who is to be called, what a call changes, and what stays apart."""

from __future__ import annotations

import threading

import pytest

from merchant_agent.central.calls import Outcome, call_back
from merchant_agent.central.matters import find_matter
from merchant_agent.central.open_matters import list_matters
from merchant_agent.central.own_chain import own_issuer
from merchant_agent.central.rebuild import rebuild
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import CallBack, Remark
from merchant_agent.errors import ConflictError, InvalidError, NotFoundError
from merchant_agent.evidence.bodies import ConfirmBody, FindingBody, Kind, SupersedeBody
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash, verify_jws
from merchant_agent.evidence.tlog_proof import verify_tlog_proof
from merchant_agent.store.credentials import AuditEntry
from tests.central.phone.customers import Visitor, phone
from tests.central.rows import execute, rows
from tests.central.sender import Sent
from tests.central.web.office import Office
from tests.clocks import ManualClock


def place_of(visitor: Visitor, sent: Sent) -> Place:
    return Place(issuer=visitor.sender.issuer, epoch=1, seq=sent.seq)


def address(merchant: str, visitor: Visitor, sent: Sent) -> str:
    return f"/officer/calls/{merchant}/{visitor.sender.issuer}/1/{sent.seq}"


def corrected(central: Central, visitor: Visitor, *, pressed: int = 2, meant: int = 5) -> Sent:
    """A customer corrects what they tapped, with their phone."""
    sent = visitor.rate(level=pressed)
    slip = visitor.slip(sent, level=pressed)
    visitor.upload()
    mine = phone(central)
    mine.open(slip, visitor.claim)
    assert mine.post(f"/s/{slip}", f"/s/{slip}/correct", level=str(meant)).status_code == 303
    return sent


def disputed(central: Central, visitor: Visitor) -> tuple[Sent, str]:
    """A customer says that it was not them."""
    sent = visitor.rate(level=5)
    slip = visitor.slip(sent)
    visitor.upload()
    mine = phone(central)
    mine.open(slip, visitor.claim)
    assert mine.post(f"/s/{slip}", f"/s/{slip}/dispute").status_code == 303
    return sent, slip


def counted(visitor: Visitor) -> list[int]:
    """The levels that the next release counts."""
    released = visitor.release()
    return [level for level in range(1, 6) for _ in range(getattr(released, f"level_{level}"))]


def waiting(central: Central, *, is_open: bool = True) -> list[tuple[str, ...]]:
    return [one.reasons for one in list_matters(central, is_open=is_open).items]


def test_a_correction_upwards_waits_and_one_downwards_does_not(central: Central, visitor: Visitor) -> None:
    corrected(central, visitor, pressed=5, meant=2)
    assert waiting(central) == []
    corrected(central, visitor)
    assert waiting(central) == [("upward",)]


def test_a_slip_that_two_devices_opened_waits(central: Central, visitor: Visitor) -> None:
    slip = visitor.slip(visitor.rate())
    for _ in range(2):
        phone(central).open(slip, visitor.claim)
    assert waiting(central) == []  # the record has not come
    visitor.upload()
    assert waiting(central) == [("contested",)]


def test_who_waits_longest_stays_listed_however_much_was_settled_since(
    central: Central, visitor: Visitor, merchant: str, clock: ManualClock
) -> None:
    disputed(central, visitor)
    clock.advance(60)
    now = clock.now()
    place = {"merchant": merchant, "issuer": visitor.sender.issuer, "epoch": 1}
    told = {"told_issuer": visitor.sender.issuer, "told_epoch": 1}
    said = {**place, **told, "received_at": now, "at": now, "kind": "dispute", "code": "uncontested"}
    heard = {**place, "at": now, "who": "wang.fang", "outcome": "confirmed"}
    later = range(10_000, 11_000)
    execute(central, Remark.insert_many([{**said, "seq": seq, "told_seq": seq} for seq in later]))
    execute(central, CallBack.insert_many([{**heard, "seq": seq} for seq in later]))
    assert waiting(central) == [("disputed",)]


@pytest.mark.parametrize(
    ("outcome", "level", "levels"),
    [("confirmed", None, [2]), ("corrected", 5, [5]), ("corrected", 1, [1]), ("not_given", None, [])],
)
def test_what_the_customer_said_counts(  # noqa: PLR0917 -- fixtures
    central: Central, visitor: Visitor, merchant: str, outcome: Outcome, level: int | None, levels: list[int]
) -> None:
    sent = corrected(central, visitor)
    call_back(central, merchant, place_of(visitor, sent), outcome, level=level, who="wang.fang")
    assert waiting(central) == []
    assert waiting(central, is_open=False) == [("upward",)]
    assert counted(visitor) == levels
    assert rebuild(central.store).count == 0


def test_a_confirmed_answer_counts_again_over_a_correction_downwards(
    central: Central, visitor: Visitor, merchant: str
) -> None:
    """A till opened the slip and corrected a 5 to a 1; the customer was asked."""
    sent = corrected(central, visitor, pressed=5, meant=1)
    call_back(central, merchant, place_of(visitor, sent), "confirmed", who="wang.fang")
    assert counted(visitor) == [5]


def test_without_a_call_the_lower_level_counts(central: Central, visitor: Visitor) -> None:
    corrected(central, visitor)
    assert counted(visitor) == [2]


def test_each_outcome_is_a_record_of_its_own(central: Central, visitor: Visitor, merchant: str) -> None:
    outcomes: tuple[tuple[Outcome, int | None], ...] = (
        ("confirmed", None),
        ("corrected", 3),
        ("not_given", None),
    )
    for outcome, level in outcomes:
        sent, _ = disputed(central, visitor)
        call_back(central, merchant, place_of(visitor, sent), outcome, level=level, who="wang.fang")
    confirm, supersede, finding = (
        visitor.said(kind)[0] for kind in (Kind.CONFIRM, Kind.SUPERSEDE, Kind.FINDING)
    )
    assert isinstance(confirm, ConfirmBody)
    assert isinstance(supersede, SupersedeBody)
    assert isinstance(finding, FindingBody)
    assert (confirm.by, supersede.confirmed, supersede.level) == ("call_back", "call_back", 3)
    assert finding.code == "disputed"
    with central.store.read() as reader:
        entries = reader.all(AuditEntry.select().where(AuditEntry.what == "called-back"))
    assert [(entry.who, entry.detail.split()[-1]) for entry in entries] == [
        ("wang.fang", outcome) for outcome, _ in outcomes
    ]


def test_that_nobody_was_reached_is_noted_and_signed_nowhere(
    central: Central, visitor: Visitor, merchant: str, clock: ManualClock
) -> None:
    sent = corrected(central, visitor)
    for _ in range(2):
        clock.advance(60)
        call_back(central, merchant, place_of(visitor, sent), "not_reached", who="wang.fang")
    (one,) = list_matters(central, is_open=True).items
    assert (one.calls, one.is_open) == (2, True)
    assert len(visitor.said(Kind.SUPERSEDE)) == 1
    assert visitor.said(Kind.CONFIRM) == visitor.said(Kind.FINDING) == []


def test_a_call_is_told_once_for_a_visit_that_went_on_afterwards(
    central: Central, visitor: Visitor, merchant: str, clock: ManualClock
) -> None:
    prompt = visitor.sender.ask()
    first = visitor.rate(prompt)
    visitor.rate(prompt, level=4)
    visitor.upload()
    call_back(central, merchant, place_of(visitor, first), "not_reached", who="wang.fang")
    clock.advance(60)
    last = visitor.rate(prompt, level=3)
    visitor.upload()
    with central.store.read() as reader:
        found = find_matter(reader, merchant, place_of(visitor, last))
    assert [call.who for call in found.calls] == ["wang.fang"]
    office = Office(central, clock)
    office.hire("li.na")
    office.enter(name="li.na")
    assert office.text(address(merchant, visitor, last)).count("wang.fang") == 1


def test_what_is_settled_stays_until_a_phone_speaks_again(
    central: Central, visitor: Visitor, merchant: str, clock: ManualClock
) -> None:
    sent, slip = disputed(central, visitor)
    clock.advance(60)
    call_back(central, merchant, place_of(visitor, sent), "confirmed", who="wang.fang")
    with pytest.raises(ConflictError):
        call_back(central, merchant, place_of(visitor, sent), "not_given", who="li.na")
    clock.advance(60)
    other = phone(central)
    other.open(slip, visitor.claim)
    assert waiting(central) == []
    assert other.post(f"/s/{slip}", f"/s/{slip}/correct", level="4").status_code == 303
    assert waiting(central) == [("contested", "disputed", "downward")]
    call_back(central, merchant, place_of(visitor, sent), "not_given", who="li.na")
    assert waiting(central) == []


@pytest.mark.parametrize("level", [None, 0, 2, 6])
def test_a_correction_needs_another_level(
    central: Central, visitor: Visitor, merchant: str, level: int | None
) -> None:
    sent = corrected(central, visitor)
    with pytest.raises(InvalidError):
        call_back(central, merchant, place_of(visitor, sent), "corrected", level=level, who="wang.fang")
    assert rows(central, CallBack) == []


def test_nothing_can_be_settled_where_nothing_stands(
    central: Central, visitor: Visitor, merchant: str
) -> None:
    place = Place(issuer=visitor.sender.issuer, epoch=1, seq=99)
    with pytest.raises(NotFoundError):
        call_back(central, merchant, place, "confirmed", who="wang.fang")


def test_two_officers_at_once_settle_it_once(central: Central, visitor: Visitor, merchant: str) -> None:
    sent = corrected(central, visitor)
    refused: list[ConflictError] = []

    def call(outcome: Outcome) -> None:
        try:
            call_back(central, merchant, place_of(visitor, sent), outcome, who="wang.fang")
        except ConflictError as error:
            refused.append(error)

    threads = [threading.Thread(target=call, args=(outcome,)) for outcome in ("confirmed", "not_given")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert len(visitor.said(Kind.CONFIRM)) + len(visitor.said(Kind.FINDING)) == 1


def test_the_call_is_about_the_whole_visit(central: Central, visitor: Visitor, merchant: str) -> None:
    """Whichever of its records is named, the rating is what is confirmed."""
    prompt = visitor.sender.ask()
    rating = visitor.rate(prompt, level=4)
    complaint = visitor.sender.complain(prompt, comment="等了很久")
    visitor.upload()
    call_back(central, merchant, place_of(visitor, complaint), "confirmed", who="wang.fang")
    body = visitor.said(Kind.CONFIRM)[0]
    assert isinstance(body, ConfirmBody)
    assert body.place.seq == rating.seq
    with central.store.read() as reader:
        matter = find_matter(reader, merchant, place_of(visitor, rating))
    assert [said.place.seq for said in matter.visit] == [rating.seq, complaint.seq]


@pytest.mark.parametrize(
    ("outcome", "level", "told"),
    [
        ("confirmed", "", "确认是您本人所评"),
        ("corrected", "3", "您要评的是“基本满意”，以此为准"),
        ("not_given", "", "这不是您本人所评，不计入统计"),
    ],
)
def test_an_officer_records_a_call_and_the_customer_reads_it(  # noqa: PLR0917 -- fixtures
    central: Central, visitor: Visitor, merchant: str, clock: ManualClock, outcome: str, level: str, told: str
) -> None:
    office = Office(central, clock).staffed()
    sent, slip = disputed(central, visitor)
    page = address(merchant, visitor, sent)
    assert sent.query_code in office.text("/officer/calls")
    assert "“I did not tap this”" in office.text("/officer/calls")
    assert "answered on the tablet" in office.text(page)
    assert office.send(page, page, outcome=outcome, level=level).status_code == 303
    assert "The call is recorded." in office.text(page)
    assert 'name="outcome"' not in office.text(page)
    assert sent.query_code not in office.text("/officer/calls")
    assert sent.query_code in office.text("/officer/calls?which=settled")
    mine = phone(central)
    mine.open(slip, visitor.claim)
    assert told in mine.read(f"/s/{slip}")


def test_wrong_forms_change_nothing(
    central: Central, visitor: Visitor, merchant: str, clock: ManualClock
) -> None:
    office = Office(central, clock).staffed()
    sent = corrected(central, visitor)
    page = address(merchant, visitor, sent)
    assert office.send(page, page, outcome="corrected", level="").status_code == 303
    assert "Choose the level" in office.text(page)
    assert office.send(page, page, outcome="deleted").status_code == 422
    assert rows(central, CallBack) == []


def test_the_evidence_can_be_taken_along(
    central: Central, visitor: Visitor, merchant: str, clock: ManualClock
) -> None:
    office = Office(central, clock).staffed()
    sent, slip = disputed(central, visitor)
    page = office.text(address(merchant, visitor, sent))
    base = f"/officer/evidence/{merchant}/{visitor.sender.issuer}/1/{sent.seq}"
    assert f"{base}/record" in page
    assert f"/s/{slip}" in page
    record = office.get(f"{base}/record").get_data()
    verify_jws(decode_jws(record, Typ.RECORD), visitor.sender.grant.verifying_key())
    assert office.get(f"{base}/proof").status_code == 404
    visitor.publish()
    proof = office.get(f"{base}/proof").get_data()
    verify_tlog_proof(proof, leaf_hash(record), central.identity.log_keys)
    assert office.get(f"{base}9/record").status_code == 404
    assert office.get(f"/officer/evidence/{merchant}/{visitor.sender.issuer}/0/1/record").status_code == 404
    with central.store.write() as tx:
        own = own_issuer(central, tx, merchant)
    assert office.get(f"/officer/evidence/{merchant}/{own}/1/0/record").status_code == 200


def test_only_officers_see_and_settle(
    central: Central, visitor: Visitor, merchant: str, clock: ManualClock
) -> None:
    office = Office(central, clock)
    sent, _ = disputed(central, visitor)
    base = f"/officer/evidence/{merchant}/{visitor.sender.issuer}/1/{sent.seq}"
    for path in ("/officer/calls", address(merchant, visitor, sent), "/officer/findings", f"{base}/record"):
        assert office.get(path).status_code == 302
    answer = office.send("/officer/sign-in", address(merchant, visitor, sent), outcome="confirmed")
    assert answer.status_code == 401
    assert rows(central, CallBack) == []
