"""A complaint for the station alone is opened for officers, each look kept, and for whoever holds its claim."""

from __future__ import annotations

from datetime import timedelta

import pytest

from merchant_agent.central.confided import look_at_complaint
from merchant_agent.central.contacts import kept_of, look_at_contact
from merchant_agent.central.erasure import erase, erase_old
from merchant_agent.central.rebuild import rebuild
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Complaint, Disclosure
from merchant_agent.errors import ForbiddenError, NotFoundError
from merchant_agent.evidence.bodies import ComplaintBody, EraseBody, Kind
from merchant_agent.evidence.record import new_id
from merchant_agent.store.credentials import AuditEntry
from tests.central.private import COMMENT, NUMBER, complain_with, confide, place_of
from tests.central.rows import count, rows
from tests.central.sender import Sender
from tests.clocks import ManualClock


def looks(central: Central) -> list[tuple[str, str]]:
    with central.store.read() as reader:
        found = reader.all(AuditEntry.select().where(AuditEntry.what.contains("-looked-at")))
        found += reader.all(AuditEntry.select().where(AuditEntry.what.contains("-not-opened")))
    assert not any(COMMENT in row.detail or NUMBER in row.detail for row in found)
    return [(row.who, row.what) for row in found]


def test_each_look_at_the_words_and_at_the_number_is_kept(
    central: Central, merchant: str, sender: Sender
) -> None:
    place = place_of(sender, confide(sender))
    sender.upload_all(central)
    told = look_at_complaint(central, merchant, place, who="wang.fang")
    assert told is not None
    assert isinstance(told.record.body, ComplaintBody)
    assert (told.record.body.categories, told.record.body.remedies) == (("measure",), ("refund",))
    assert (told.words["comment"], told.words["amount"]) == (COMMENT, "64.00 CNY")
    assert look_at_contact(central, merchant, place, who="li.na") == NUMBER
    assert looks(central) == [("wang.fang", "complaint-looked-at"), ("li.na", "contact-looked-at")]


def test_central_s_own_tables_hold_it_sealed(central: Central, sender: Sender) -> None:
    confide(sender)
    sender.upload_all(central)
    (row,) = rows(central, Complaint)
    assert (row.first, row.categories, row.comment, row.undisclosed) == ("station", [], None, 0)
    (kept,) = kept_of(central, [row]).values()
    assert (kept.members, kept.consents) == (frozenset({"sealed"}), None)
    assert all(COMMENT not in str(row.__data__) for row in rows(central, Disclosure))
    rebuilt = rebuild(central.store)
    assert (rebuilt.count, rows(central, Complaint)[0].first) == (0, "station")


def test_one_that_was_sealed_for_another_record_does_not_open(
    central: Central, merchant: str, sender: Sender
) -> None:
    place = place_of(sender, confide(sender, sealed_for=new_id(sender.at)))
    sender.upload_all(central)
    assert look_at_complaint(central, merchant, place, who="wang.fang") is None
    with pytest.raises(NotFoundError):
        look_at_contact(central, merchant, place, who="wang.fang")
    assert looks(central) == [("wang.fang", "complaint-not-opened")]


def test_there_is_nothing_sealed_to_look_at_in_others(
    central: Central, merchant: str, sender: Sender
) -> None:
    place = place_of(sender, complain_with(sender, consents=("shop",)))
    sender.upload_all(central)
    with pytest.raises(NotFoundError):
        look_at_complaint(central, merchant, place, who="wang.fang")
    with pytest.raises(ForbiddenError):
        look_at_contact(central, merchant, place, who="wang.fang")
    assert looks(central) == []


def test_the_shop_s_erasure_leaves_it_and_the_officer_s_does_not(
    central: Central, merchant: str, sender: Sender
) -> None:
    place = place_of(sender, confide(sender))
    sender.append(Kind.ERASE, EraseBody(place=place, members=("sealed",), reason="request"))
    sender.upload_all(central)
    assert look_at_complaint(central, merchant, place, who="wang.fang") is not None
    assert erase(central, merchant, place, who="wang.fang") == ("sealed",)
    with pytest.raises(NotFoundError):
        look_at_complaint(central, merchant, place, who="wang.fang")
    assert rebuild(central.store).count == 0


def test_it_goes_after_its_time(central: Central, sender: Sender, clock: ManualClock) -> None:
    confide(sender)
    sender.upload_all(central)
    clock.advance(timedelta(days=central.settings.retention_days + 1).total_seconds())
    assert erase_old(central) == 1
    assert count(central, Disclosure) == 0
