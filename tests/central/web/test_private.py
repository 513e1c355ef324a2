"""The officers' three buttons: a look at a contact, at photos, and erasing words."""

from __future__ import annotations

from typing import Any

import pytest

from merchant_agent.central.answers import read_poster
from merchant_agent.central.complaints import Grievance, Supplement, add_to, complain
from merchant_agent.central.following import find_case
from merchant_agent.central.photos import read_photos
from merchant_agent.central.store.models import Disclosure
from merchant_agent.central.urgings import tell
from merchant_agent.evidence.bodies import EraseBody, Kind
from merchant_agent.store.credentials import AuditEntry
from tests.central.phone.test_photos import picture
from tests.central.private import COMMENT, NUMBER, complain_with, place_of
from tests.central.rows import count
from tests.central.sender import Sender, Sent
from tests.central.web.office import SCRIPT, Office

LIST = "/officer/complaints"
PHRASE = "Show the phone number"


def _form(sender: Sender, sent: Sent, merchant: str, **changed: object) -> dict[str, Any]:
    return {"merchant": merchant, "issuer": sender.issuer, "epoch": 1, "seq": sent.seq} | changed


def _looks(office: Office) -> list[str]:
    with office.central.store.read() as reader:
        rows = reader.all(AuditEntry.select().where(AuditEntry.what == "contact-looked-at"))
    return [row.who for row in rows]


def test_the_number_is_shown_after_a_button_alone_and_the_look_is_kept(office: Office) -> None:
    merchant, sender = office.staffed().open_shop()
    sent = complain_with(sender)
    sender.upload_all(office.central)
    page = office.text(LIST)
    assert PHRASE in page
    assert "Each look is recorded" in page
    assert NUMBER not in page
    assert _looks(office) == []
    shown = office.send(LIST, "/officer/contact", **_form(sender, sent, merchant))
    assert NUMBER in shown.get_data(as_text=True)
    assert shown.headers["Cache-Control"] == "no-store"
    assert _looks(office) == ["wang.fang"]
    assert NUMBER not in office.text(LIST)


def test_a_number_for_the_shop_alone_has_no_button(office: Office) -> None:
    merchant, sender = office.staffed().open_shop()
    sent = complain_with(sender, consents=("shop",))
    sender.upload_all(office.central)
    assert PHRASE not in office.text(LIST)
    refused = office.send(LIST, "/officer/contact", **_form(sender, sent, merchant))
    assert refused.status_code == 403
    assert NUMBER not in refused.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/officer/contact", "/officer/photos", "/officer/erase"])
def test_nobody_but_an_officer_comes_here(office: Office, path: str) -> None:
    merchant, sender = office.open_shop()
    sent = complain_with(sender)
    sender.upload_all(office.central)
    assert office.get(path).status_code == 405
    answer = office.send("/officer/sign-in", path, **_form(sender, sent, merchant))
    assert answer.status_code == 401
    assert NUMBER not in answer.get_data(as_text=True)
    assert (_looks(office), count(office.central, Disclosure)) == ([], 4)


def test_erased_words_leave_the_page_and_it_says_so(office: Office) -> None:
    merchant, sender = office.staffed().open_shop()
    sent = complain_with(sender)
    sender.upload_all(office.central)
    assert COMMENT in office.text(LIST)
    answer = office.send(LIST, "/officer/erase", list="complaints", **_form(sender, sent, merchant))
    assert (answer.status_code, answer.headers["Location"]) == (303, LIST)
    page = office.text(LIST)
    assert "Words erased at the customer's request" in page
    assert "by the bureau" in page
    assert COMMENT not in page
    assert PHRASE not in page
    office.send(LIST, "/officer/erase", list="//elsewhere", **_form(sender, sent, merchant))
    assert "Nothing is left to erase." in office.text(LIST)


def test_a_complaint_that_the_shop_erased_stays_readable_and_says_so(office: Office) -> None:
    merchant, sender = office.staffed().open_shop()
    sent = complain_with(sender)
    names = ("amount", "comment", "contact", "order")
    sender.append(Kind.ERASE, EraseBody(place=place_of(sender, sent), members=names, reason="request"))
    sender.upload_all(office.central)
    page = office.text(LIST)
    assert COMMENT in page
    assert "The shop erased its own copy." in page
    assert NUMBER in office.send(LIST, "/officer/contact", **_form(sender, sent, merchant)).get_data(
        as_text=True
    )
    office.send(LIST, "/officer/erase", list="complaints", **_form(sender, sent, merchant))
    page = office.text(LIST)
    assert COMMENT not in page
    assert "The shop erased its own copy." not in page


@pytest.mark.parametrize("changed", [{"epoch": "x"}, {"seq": "99999999999"}, {"seq": "-1"}])
def test_a_place_that_is_none_is_refused(office: Office, changed: dict[str, object]) -> None:
    merchant, sender = office.staffed().open_shop()
    sent = complain_with(sender)
    answer = office.send("/officer", "/officer/contact", **_form(sender, sent, merchant, **changed))
    assert answer.status_code == 422


def test_photos_are_shown_after_a_button_alone_and_the_look_is_kept(office: Office) -> None:
    merchant = office.staffed().register()
    grievance = Grievance(comment="分量不足", photos=read_photos([picture()]))
    asked = read_poster(office.central, merchant)
    filed = complain(office.central, asked, grievance)
    place = filed.own.place
    form: dict[str, Any] = {"merchant": merchant, "issuer": place.issuer, "epoch": 1, "seq": place.seq}
    page = office.text(LIST)
    assert "Show the photos" in page
    assert "data:image" not in page
    shown = office.send(LIST, "/officer/photos", **form)
    assert 'src="data:image/jpeg;base64,/9j/' in shown.get_data(as_text=True)
    assert shown.headers["Cache-Control"] == "no-store"
    with office.central.store.read() as reader:
        (look,) = reader.all(AuditEntry.select().where(AuditEntry.what == "photos-looked-at"))
    assert look.who == "wang.fang"
    office.send(LIST, "/officer/erase", list="complaints", **form)
    assert "Show the photos" not in office.text(LIST)
    assert office.send(LIST, "/officer/photos", **form).status_code == 404


def test_what_a_customer_added_stands_under_the_complaint(office: Office) -> None:
    merchant = office.staffed().register()
    filed = complain(office.central, read_poster(office.central, merchant), Grievance(comment="分量不足"))
    case = find_case(office.central, filed.own.query_code)
    more = Supplement(comment="第二天又少了", contact=NUMBER, consents=("authority",))
    added = add_to(office.central, merchant, case.complaint, more).place
    page = office.text(LIST)
    assert page.index("分量不足") < page.index("Added by the customer") < page.index("第二天又少了")
    form: dict[str, Any] = {"merchant": merchant, "issuer": added.issuer, "epoch": 1, "seq": added.seq}
    assert NUMBER in office.send(LIST, "/officer/contact", **form).get_data(as_text=True)


def test_ratings_that_were_asked_for_are_listed_for_officers_alone(office: Office) -> None:
    merchant, other = office.register(), office.register(2, shop_name="南街面馆")
    tell(office.central, merchant, ["reward"], "返五元")
    office.clock.advance(60)
    tell(office.central, other, [], SCRIPT)
    assert office.get("/officer/urgings").status_code == 302
    page = office.staffed().text("/officer/urgings")
    assert page.index("南街面馆") < page.index("北街小馆")
    assert "They offered something for a good rating" in page
    assert SCRIPT not in page
    assert "返五元" not in office.text(f"/officer/urgings?merchant={other}")
    assert "索要好评的反映" in office.text("/officer/urgings", "zh")


def test_a_list_of_nothing_says_what_would_stand_there(office: Office) -> None:
    assert "Nobody has told anything of this kind" in office.staffed().text("/officer/urgings")
