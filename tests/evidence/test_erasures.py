"""Absent words are explained by a record of their erasure, by no other, and no further than it says."""

from __future__ import annotations

import pytest

from merchant_agent.evidence.bodies import EraseBody, Kind
from merchant_agent.evidence.disclosure import open_disclosure
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.verify import verify_export
from tests.evidence.synthetic import Shop, id_of, trust_of


def undisclosed(shop: Shop) -> list[tuple[Place, int]]:
    shop.upload()
    verdict = verify_export(shop.export(), trust_of())
    assert verdict.violations == ()
    return [
        (finding.place, int(finding.detail.split()[0]))
        for finding in verdict.findings
        if finding.code == "undisclosed"
    ]


def drop(shop: Shop, place: Place, *names: str) -> None:
    """Leaves these members of a record out of the export."""
    here = (place.epoch, place.seq)
    shop.disclosures = [
        stated
        for stated in shop.disclosures
        if stated[:2] != here or open_disclosure(stated[2]).name not in names
    ]


def tell(shop: Shop, place: Place, *names: str) -> None:
    shop.append(Kind.ERASE, EraseBody(place=place, members=names, reason="request"))


def test_members_that_were_erased_are_no_finding() -> None:
    shop = Shop()
    place = shop.complain("少找了钱")
    drop(shop, place, "comment", "order", "amount")
    tell(shop, place, "amount", "comment", "order")
    assert undisclosed(shop) == []


def test_members_may_be_erased_one_after_the_other_and_an_epoch_later() -> None:
    shop = Shop()
    place = shop.complain("少找了钱")
    drop(shop, place, "comment", "order")
    tell(shop, place, "comment")
    shop.upload()
    shop.next_epoch()
    tell(shop, place, "order")
    assert undisclosed(shop) == []


def test_more_is_absent_than_was_erased() -> None:
    shop = Shop()
    place = shop.complain("少找了钱")
    drop(shop, place, "comment", "order")
    tell(shop, place, "order")
    assert undisclosed(shop) == [(place, 1)]


@pytest.mark.parametrize("names", [("amount",), ("amount", "order")])
def test_erasing_what_is_still_there_explains_nothing_else(names: tuple[str, ...]) -> None:
    shop = Shop()
    place = shop.complain("少找了钱")
    drop(shop, place, "comment")
    tell(shop, place, *names)
    assert undisclosed(shop) == [(place, 1)]


def test_the_erasure_of_another_record_explains_nothing() -> None:
    shop = Shop()
    first, second = shop.suggest("添把椅子"), shop.suggest("添张桌子")
    drop(shop, first, "comment")
    drop(shop, second, "comment")
    tell(shop, second, "comment")
    tell(shop, Place(issuer=id_of("other"), epoch=first.epoch, seq=first.seq), "comment")
    assert undisclosed(shop) == [(first, 1)]
