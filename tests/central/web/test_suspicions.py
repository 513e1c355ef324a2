"""What is left out of the score is shown with the reason, to officers one by one and to the public as a count."""

from __future__ import annotations

from tests.central.test_suspicions import tap
from tests.central.web.office import Office


def test_officers_see_each_marked_rating_with_its_reason(office: Office) -> None:
    _, sender = office.staffed().open_shop()
    tap(sender, [5] * 10)
    tap(sender, [300], dwell_ms=300)
    sender.upload_all(office.central)
    page = office.text("/officer/ratings")
    assert page.count("after more than eight at this till within a minute") == 2
    assert page.count("given within a second") == 1
    assert page.count(">bound to a sale<") == 11
    assert "slip opened" not in page


def test_the_public_page_says_how_many_are_left_out_and_why(office: Office) -> None:
    merchant = office.register()
    office.release(merchant, (0, 0, 0, 0, 12), fast=3, burst=41)
    page = office.text(f"/m/{merchant}")
    assert "Ratings left out: 3. Each was given within a second" in page
    assert "Ratings left out: 41. They came after more than eight" in page
    office.release(merchant, (0, 0, 0, 0, 12), day="2026-05-21")
    assert "left out: " not in office.text(f"/m/{merchant}")
