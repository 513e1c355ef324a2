"""Erased words are gone from central too, whoever erased them; nothing sent later brings them back."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Literal

import pytest

from merchant_agent.central.contacts import kept_of
from merchant_agent.central.erasure import erase, erase_old
from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.own_chain import append_own
from merchant_agent.central.rebuild import rebuild
from merchant_agent.central.services import Central, close_central
from merchant_agent.central.store.erasures import Erasing
from merchant_agent.central.store.models import (
    Complaint,
    Disclosure,
    Erasure,
    LogWaiting,
    Quarantine,
    Rating,
    Suggestion,
)
from merchant_agent.domain.merchants import check_character
from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.bodies import EraseBody, Kind, SuggestionBody
from merchant_agent.evidence.disclosure import make_disclosure
from merchant_agent.evidence.exchange import encode_upload
from merchant_agent.store.credentials import AuditEntry
from tests.central.conftest import NOODLES, Site
from tests.central.private import COMMENT, complain_with, place_of
from tests.central.rows import count, rows
from tests.central.sender import CATALOGUE, Sender, Sent
from tests.clocks import ManualClock

DAY_S = 86_400
OTHER_CODE = "91310000MA1K00001" + check_character("91310000MA1K00001")
MEMBERS = ("amount", "comment", "contact", "order")


def erase_at_shop(sender: Sender, sent: Sent, *members: str) -> Sent:
    """The shop erases these members of what it sent, all of them unless named."""
    body = EraseBody(place=place_of(sender, sent), members=members or MEMBERS, reason="request")
    return sender.append(Kind.ERASE, body)


def words_left(central: Central) -> set[str]:
    shown = [row.comment for table in (Complaint, Rating, Suggestion) for row in rows(central, table)]
    return {name for row in rows(central, Disclosure) if (name := row.name)} | {
        text for text in shown if text
    }


def test_a_terminal_s_erasure_erases_the_words_of_ratings_and_suggestions_here_too(
    central: Central, sender: Sender
) -> None:
    rated, suggested = sender.rate(None, 2, comment="慢"), sender.suggest("加把椅子")
    sender.upload_all(central)
    assert words_left(central) == {"comment", "慢", "加把椅子"}
    erase_at_shop(sender, rated, "comment")
    erase_at_shop(sender, suggested, "comment")
    sender.upload_all(central, first=2)
    assert words_left(central) == set()
    (row,) = rows(central, Rating)
    kept = kept_of(central, [row])[sender.issuer, 1, rated.seq]
    assert kept.erasings == (Erasing(members=("comment",), reason="request", by_shop=True),)
    assert rebuild(central.store).count == 0


@pytest.mark.parametrize("reason", ["request", "retention"])
def test_no_shop_erases_a_complaint_before_the_station_has_seen_it(
    central: Central, merchant: str, sender: Sender, reason: Literal["request", "retention"]
) -> None:
    """What it erased stands beside the words, for officers; an officer's word erases them."""
    sent = complain_with(sender)
    sender.upload_all(central)
    body = EraseBody(place=place_of(sender, sent), members=MEMBERS, reason=reason)
    sender.append(Kind.ERASE, body)
    sender.upload_all(central, first=1)
    assert words_left(central) == {*MEMBERS, COMMENT}
    (row,) = rows(central, Complaint)
    assert (row.comment, row.order_no, row.undisclosed) == (COMMENT, "ZX-087", 0)
    kept = kept_of(central, [row])[sender.issuer, 1, sent.seq]
    assert kept.members == frozenset(MEMBERS)
    assert kept.erasings == (Erasing(members=MEMBERS, reason=reason, by_shop=True),)
    assert rebuild(central.store).count == 0
    erase(central, merchant, place_of(sender, sent), who="wang.fang")
    assert words_left(central) == set()


def test_a_complaint_that_comes_together_with_its_erasure_is_kept(central: Central, sender: Sender) -> None:
    erase_at_shop(sender, complain_with(sender))
    sender.upload_all(central)
    assert words_left(central) == {*MEMBERS, COMMENT}


def test_words_of_a_complaint_that_come_after_the_shop_erased_them_are_kept(
    central: Central, sender: Sender
) -> None:
    sent = complain_with(sender)
    erase_at_shop(sender, sent)
    bare = [replace(sent, disclosures=()).line, sender.sent[1].line]
    sender.upload(central, encode_upload(sender.batch(0, 1, lines=bare), bare))
    assert words_left(central) == set()
    sender.upload(central, encode_upload(sender.batch(0, 0), [sent.line]))
    assert words_left(central) == {*MEMBERS, COMMENT}


def test_a_complaint_that_was_set_aside_keeps_its_words_too(central: Central, sender: Sender) -> None:
    sent = complain_with(sender)
    broken = replace(sent, disclosures=(make_disclosure("comment", COMMENT),))
    first = [broken.line]
    sender.upload(central, encode_upload(sender.batch(0, 0, lines=first), first))
    erase_at_shop(sender, sent)
    sender.upload_all(central, first=1)
    (row,) = rows(central, Quarantine)
    assert bytes(row.line) == broken.line


def test_words_that_come_together_with_their_erasure_are_not_kept(central: Central, sender: Sender) -> None:
    erase_at_shop(sender, sender.rate(None, comment="慢"), "comment")
    sender.upload_all(central)
    assert words_left(central) == set()


def test_words_sent_again_after_an_erasure_are_not_kept(
    central: Central, merchant: str, sender: Sender
) -> None:
    sent = complain_with(sender)
    sender.upload_all(central)
    erase(central, merchant, place_of(sender, sent), who="wang.fang")
    ack = sender.upload(central, encode_upload(sender.batch(0, 0), [sent.line]))
    assert [answer.answer for answer in ack.answers] == ["duplicate"]
    assert words_left(central) == set()


def test_an_officer_s_erasure_is_told_in_central_s_chain(
    central: Central, merchant: str, sender: Sender
) -> None:
    sent = complain_with(sender)
    sender.upload_all(central)
    before = count(central, LogWaiting)
    assert erase(central, merchant, place_of(sender, sent), who="wang.fang") == MEMBERS
    assert words_left(central) == set()
    (told,) = rows(central, Erasure)
    assert (told.told_issuer, told.told_seq, tuple(told.members)) == (sender.issuer, sent.seq, MEMBERS)
    assert told.issuer != sender.issuer
    assert count(central, LogWaiting) == before + 2  # the grant of central's chain, and the record
    with central.store.read() as reader:
        (entry,) = reader.all(AuditEntry.select().where(AuditEntry.what == "erased"))
    assert (entry.who, COMMENT in entry.detail) == ("wang.fang", False)
    (kept,) = kept_of(central, rows(central, Complaint)).values()
    assert [erasing.by_shop for erasing in kept.erasings] == [False]
    assert rebuild(central.store).count == 0
    with pytest.raises(NotFoundError):
        erase(central, merchant, place_of(sender, sent), who="wang.fang")
    assert count(central, Erasure) == 1


def test_no_shop_erases_what_phones_said_or_another_shop_signed(
    central: Central, merchant: str, sender: Sender
) -> None:
    body = SuggestionBody(channel="phone", lang="zh", catalogue=CATALOGUE, claim=None)
    with central.store.write() as tx:
        own = append_own(central, tx, merchant, Kind.SUGGESTION, body, disclosures={"comment": "他们不开票"})
    sent = complain_with(sender)
    sender.upload_all(central)
    sender.append(Kind.ERASE, EraseBody(place=own.place, members=("comment",), reason="request"))
    sender.upload_all(central, first=1)
    assert {"他们不开票", COMMENT} <= words_left(central)
    (row,) = rows(central, Suggestion)
    assert kept_of(central, [row])[own.place.issuer, 1, 0].erasings == ()
    other = add_merchant(central, replace(NOODLES, credit_code=OTHER_CODE), who="officer")
    with pytest.raises(NotFoundError):
        erase(central, other, place_of(sender, sent), who="wang.fang")


def test_old_words_are_erased_and_young_ones_stay(
    central: Central, sender: Sender, clock: ManualClock
) -> None:
    old = complain_with(sender)
    aside = make_disclosure("comment", "不属于这里")
    line = Sent(seq=1, octets=sender.ask().octets, disclosures=(aside,)).line
    sender.upload(central, encode_upload(sender.batch(0, 1, lines=[old.line, line]), [old.line, line]))
    assert count(central, Quarantine) == 1
    clock.advance(300 * DAY_S)
    first = len(sender.sent)
    young = complain_with(sender)
    sender.upload_all(central, first)
    assert erase_old(central) == 0
    clock.advance(101 * DAY_S)
    assert erase_old(central) == 2
    assert {row.seq for row in rows(central, Disclosure)} == {young.seq}
    (told,) = rows(central, Erasure)
    assert (told.told_seq, told.reason) == (old.seq, "retention")
    assert [bytes(row.line).partition(b"~")[2] for row in rows(central, Quarantine)] == [b""]
    assert erase_old(central) == 0
    assert rebuild(central.store).count == 0


def test_processes_that_erase_at_once_tell_of_it_once(
    site: Site, central: Central, sender: Sender, clock: ManualClock
) -> None:
    for _ in range(6):
        complain_with(sender)
    sender.upload_all(central)
    clock.advance(401 * DAY_S)
    centrals = [site.open(), site.open()] if site.is_postgres else [central, central]
    erased: list[int] = []
    threads = [threading.Thread(target=lambda each=each: erased.append(erase_old(each))) for each in centrals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if site.is_postgres:
        for each in centrals:
            close_central(each)
    assert (sum(erased), count(central, Erasure), words_left(central)) == (6, 6, set())


def test_erased_words_are_in_no_file(central: Central, merchant: str, sender: Sender, site: Site) -> None:
    sent = complain_with(sender)
    sender.upload_all(central)
    erase(central, merchant, place_of(sender, sent), who="wang.fang")
    files = [path for path in site.settings.data.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if COMMENT.encode() in path.read_bytes()]
