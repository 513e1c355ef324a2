"""The officers' button beside a complaint for the station alone."""

from __future__ import annotations

from typing import Any

from tests.central.private import COMMENT, NUMBER, confide
from tests.central.test_confided import looks
from tests.central.web.office import Office

LIST = "/officer/complaints"


def test_officers_read_it_after_a_button_alone(office: Office) -> None:
    merchant, sender = office.staffed().open_shop()
    sent = confide(sender)
    sender.upload_all(office.central)
    page = office.text(LIST)
    assert "For the station alone" in page
    assert "Read the complaint" in page
    assert COMMENT not in page
    form: dict[str, Any] = {"merchant": merchant, "issuer": sender.issuer, "epoch": 1, "seq": sent.seq}
    shown = office.send(LIST, "/officer/complaint", **form)
    text = shown.get_data(as_text=True)
    assert all(words in text for words in (COMMENT, "ZX-087", "64.00", "2026-05-20 11:07"))
    assert NUMBER not in text
    assert shown.headers["Cache-Control"] == "no-store"
    assert NUMBER in office.send(LIST, "/officer/contact", **form).get_data(as_text=True)
    assert [what for _, what in looks(office.central)] == ["complaint-looked-at", "contact-looked-at"]
