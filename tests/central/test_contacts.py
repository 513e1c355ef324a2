"""A contact is opened for an officer whom the customer allowed to call, each look is kept, and no swapped one opens."""

from __future__ import annotations

import pytest

from merchant_agent.central.contacts import kept_of, look_at_contact
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Complaint, Disclosure, Quarantine, Record
from merchant_agent.errors import ForbiddenError, NotFoundError
from merchant_agent.evidence.disclosure import make_disclosure, open_disclosure
from merchant_agent.evidence.exchange import encode_upload
from merchant_agent.store.credentials import AuditEntry
from tests.central.private import NUMBER, complain_with, place_of
from tests.central.rows import count, rows
from tests.central.sender import Sender, Sent


def looks(central: Central) -> list[tuple[str, str]]:
    with central.store.read() as reader:
        found = reader.all(AuditEntry.select().where(AuditEntry.what.startswith("contact")))
    assert not any(NUMBER in row.detail for row in found)
    return [(row.who, row.what) for row in found]


def contact_of(sent: Sent) -> str:
    (text,) = (each for each in sent.disclosures if open_disclosure(each).name == "contact")
    return text


def test_each_look_at_a_contact_is_kept_with_who_looked(
    central: Central, merchant: str, sender: Sender
) -> None:
    sent = complain_with(sender)
    sender.upload_all(central)
    place = place_of(sender, sent)
    assert look_at_contact(central, merchant, place, who="wang.fang") == NUMBER
    assert look_at_contact(central, merchant, place, who="li.na") == NUMBER
    assert looks(central) == [("wang.fang", "contact-looked-at"), ("li.na", "contact-looked-at")]


def test_a_contact_for_the_shop_alone_is_not_opened(central: Central, merchant: str, sender: Sender) -> None:
    sent = complain_with(sender, consents=("shop",))
    sender.upload_all(central)
    with pytest.raises(ForbiddenError):
        look_at_contact(central, merchant, place_of(sender, sent), who="wang.fang")
    (kept,) = kept_of(central, rows(central, Complaint)).values()
    assert kept.consents == ("shop",)


def test_there_is_nothing_to_look_at_without_a_contact(
    central: Central, merchant: str, sender: Sender
) -> None:
    sent = sender.complain(comment="冷")
    sender.upload_all(central)
    for seq in (sent.seq, 99):
        place = place_of(sender, Sent(seq=seq, octets=b""))
        with pytest.raises(NotFoundError):
            look_at_contact(central, merchant, place, who="wang.fang")
    (kept,) = kept_of(central, rows(central, Complaint)).values()
    assert (kept.members, kept.consents) == (frozenset({"comment"}), None)
    assert looks(central) == []


def test_a_contact_moved_into_another_record_does_not_open_there(
    central: Central, merchant: str, sender: Sender
) -> None:
    first = complain_with(sender)
    second = complain_with(sender, contact=open_disclosure(contact_of(first)).value)
    sender.upload_all(central)
    assert look_at_contact(central, merchant, place_of(sender, second), who="wang.fang") is None
    assert looks(central) == [("wang.fang", "contact-not-opened")]


@pytest.mark.parametrize("name", ["contact", "comment"])
def test_a_swapped_member_is_refused(central: Central, sender: Sender, name: str) -> None:
    sent, other = complain_with(sender), complain_with(sender, comment="一切都好")
    mine = {open_disclosure(text).name: text for text in sent.disclosures}
    theirs = {open_disclosure(text).name: text for text in other.disclosures}
    swapped = Sent(seq=0, octets=sent.octets, disclosures=tuple((mine | {name: theirs[name]}).values()))
    lines = [swapped.line, other.line]
    ack = sender.upload(central, encode_upload(sender.batch(0, 1, lines=lines), lines))
    assert [(answer.seq, answer.rule) for answer in ack.answers] == [(0, "V10")]
    kept = {row.name for row in rows(central, Disclosure) if row.seq == 0}
    assert kept == mine.keys() - {name}
    assert bytes(rows(central, Quarantine)[0].line) == swapped.line


def test_a_reworded_comment_and_a_readable_contact_are_refused(central: Central, sender: Sender) -> None:
    sent = complain_with(sender)
    reworded = tuple(
        make_disclosure("comment", "一切都好") if open_disclosure(text).name == "comment" else text
        for text in sent.disclosures
    )
    line = Sent(seq=0, octets=sent.octets, disclosures=reworded).line
    ack = sender.upload(central, encode_upload(sender.batch(0, 0, lines=[line]), [line]))
    assert ack.answers[0].rule == "V10"
    assert "comment" not in {row.name for row in rows(central, Disclosure)}
    assert (count(central, Record), count(central, Quarantine)) == (1, 1)
