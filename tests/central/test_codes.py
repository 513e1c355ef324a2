"""Codes as officers handle them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from merchant_agent.central.codes import CodeKind, CodeState, confirm_code, list_codes, make_code, refuse_code
from merchant_agent.central.services import Central
from merchant_agent.errors import NotFoundError, TransitionError
from merchant_agent.evidence.enrolment import parse_code
from merchant_agent.evidence.grant import new_issuer_id
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.store.credentials import AuditEntry
from tests.central.rows import rows
from tests.central.sender import enrol_with
from tests.clocks import ManualClock


def test_a_code_on_screen_is_good_for_minutes(central: Central, merchant: str, clock: ManualClock) -> None:
    made = make_code(central, merchant, CodeKind.SCREEN, who="li.wei")
    assert parse_code(made.code) == made.code
    assert made.expires_at == clock.now() + timedelta(minutes=central.settings.code_minutes)
    [entry] = list_codes(central, merchant=merchant)
    assert (entry.id, entry.state, entry.made_by) == (made.id, CodeState.READY, "li.wei")
    assert entry.shop_name == "示例面馆"
    clock.advance(central.settings.code_minutes * 60)
    assert list_codes(central)[0].state is CodeState.EXPIRED


def test_a_sheet_is_good_for_days(central: Central, merchant: str, clock: ManualClock) -> None:
    made = make_code(central, merchant, CodeKind.SHEET, who="li.wei")
    assert made.expires_at == clock.now() + timedelta(days=central.settings.sheet_days)


def test_no_two_codes_are_alike(central: Central, merchant: str) -> None:
    assert len({make_code(central, merchant, CodeKind.SHEET, who="li.wei").code for _ in range(20)}) == 20


def test_a_code_for_nobody_is_refused(central: Central) -> None:
    with pytest.raises(NotFoundError) as error:
        make_code(central, new_issuer_id(), CodeKind.SCREEN, who="li.wei")
    assert error.value.code == "merchant"


def test_what_waits_for_an_officer_stands_first(central: Central, merchant: str, clock: ManualClock) -> None:
    waiting = make_code(central, merchant, CodeKind.SHEET, who="li.wei")
    enrol_with(central, waiting.code, SigningKey.generate())
    clock.advance(60)
    newer = make_code(central, merchant, CodeKind.SCREEN, who="li.wei")
    assert [entry.id for entry in list_codes(central)] == [waiting.id, newer.id]


def test_a_code_that_nobody_claimed_cannot_be_confirmed(central: Central, merchant: str) -> None:
    made = make_code(central, merchant, CodeKind.SHEET, who="li.wei")
    with pytest.raises(TransitionError):
        confirm_code(central, made.id, who="li.wei")


def test_a_used_code_cannot_be_refused_or_confirmed(central: Central, merchant: str) -> None:
    made = make_code(central, merchant, CodeKind.SCREEN, who="li.wei")
    enrol_with(central, made.code, SigningKey.generate())
    for decide in (confirm_code, refuse_code):
        with pytest.raises(TransitionError):
            decide(central, made.id, who="li.wei")


def test_a_refused_code_stays_refused(central: Central, merchant: str) -> None:
    made = make_code(central, merchant, CodeKind.SHEET, who="li.wei")
    refuse_code(central, made.id, who="li.wei")
    assert list_codes(central)[0].state is CodeState.REFUSED
    with pytest.raises(TransitionError):
        refuse_code(central, made.id, who="li.wei")


@pytest.mark.parametrize("code_id", ["", "x", "A" * 43])
def test_an_unknown_code_is_not_found(central: Central, code_id: str) -> None:
    for decide in (confirm_code, refuse_code):
        with pytest.raises(NotFoundError):
            decide(central, code_id, who="li.wei")


def test_who_did_what_is_written_down(central: Central, merchant: str) -> None:
    made = make_code(central, merchant, CodeKind.SHEET, who="li.wei")
    enrol_with(central, made.code, key := SigningKey.generate())
    confirm_code(central, made.id, who="wang.fang")
    enrol_with(central, made.code, key)
    done = [(row.who, row.what) for row in rows(central, AuditEntry)]
    assert done[1:] == [
        ("li.wei", "code-made"),
        ("wang.fang", "code-confirmed"),
        ("li.wei", "terminal-enrolled"),
    ]
    assert made.code not in "".join(row.detail for row in rows(central, AuditEntry))
