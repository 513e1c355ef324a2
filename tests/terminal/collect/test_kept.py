"""While nothing can be signed nothing is lost: it is kept, and signed in its order afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from merchant_agent.errors import ConflictError
from merchant_agent.evidence.bodies import ComplaintBody, OutageBody, PromptBody, RatingBody, RecoverBody
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.disclosure import open_disclosure
from merchant_agent.evidence.invitation import parse_invitation
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.record import Record, new_id
from merchant_agent.evidence.seal import open_contact
from merchant_agent.terminal.collect.answers import decline
from merchant_agent.terminal.collect.lookup import PromptState
from merchant_agent.terminal.collect.prompts import sale_state, withdraw_sale
from merchant_agent.terminal.collect.recovery import note_outage, sign_kept
from merchant_agent.terminal.collect.sweep import sweep
from merchant_agent.terminal.collect.words import Grievance, Words, complain, suggest
from merchant_agent.terminal.rebuild import rebuild
from merchant_agent.terminal.store.identity import load_identities
from merchant_agent.terminal.store.ledger import read_ledger
from merchant_agent.terminal.store.models import Kept, Outage
from tests.terminal.collect.shop import CENTRAL, Shop

NUMBER = "13800001234"


def begin_epoch(shop: Shop) -> None:
    """Central grants a new key: the hold ends."""
    journal = shop.terminal.journal
    before = journal.identity
    totals = shop.records()[-1].totals if shop.records() else before.grant.totals
    key = journal.enrolment_key()
    grant = shop.central.grant(
        key.public, issuer=before.issuer, epoch=before.epoch + 1, totals=totals, at=shop.clock.now()
    )
    journal.begin_epoch(key, grant, before.merchant, before.trust, public_url=before.public_url)


def all_records(shop: Shop) -> list[Record]:
    """Every epoch's chain, verified."""
    records: list[Record] = []
    with shop.terminal.store.read() as reader:
        for identity in load_identities(reader):
            chain = Chain.begin(identity.grant_octets, identity.grant)
            records += [
                chain.accept(entry.octets, entry.disclosures)
                for entry in read_ledger(reader, epoch=identity.epoch)
            ]
    return records


def kinds(records: Sequence[Record]) -> list[str]:
    return [record.kind.value for record in records]


def kept_rows(shop: Shop) -> list[Kept]:
    with shop.terminal.store.read() as reader:
        rows: list[Kept] = reader.all(Kept.select().order_by(Kept.number))
        return rows


def test_what_is_said_on_hold_is_kept_and_signed_in_its_order_in_the_new_epoch(shop: Shop) -> None:
    before = shop.sell("001")
    shop.terminal.journal.put_on_hold("damage")
    since = shop.clock.now()
    shop.clock.advance(60)
    answered = shop.done(before, 2, comment="等太久")
    sale = shop.sell("002")
    thanks = shop.done(sale, 4)
    suggestion = suggest(
        shop.terminal, shop.one, new_id(shop.clock.now()), Words(prompt_id=None, comment="加椅子")
    )
    for kept in (answered, thanks, suggestion):
        assert (kept.query_code, kept.place, kept.slip_url, kept.created) == ("", None, None, True)
        merchant = shop.terminal.journal.identity.grant.merchant
        assert kept.page_url == f"{CENTRAL}/p/{merchant}"
    assert shop.story() == ["prompt"]
    begin_epoch(shop)
    assert sign_kept(shop.terminal) == 4
    first, *new = all_records(shop)
    assert kinds(new) == ["outage", "recover", "rating", "prompt", "rating", "suggestion"]
    outage, recover, low, prompt, high, _ = new
    assert outage.body == OutageBody(reason="damage", since=since.isoformat(timespec="milliseconds"), kept=4)
    assert recover.body == RecoverBody(reason="damage")
    assert isinstance(low.body, RatingBody)
    assert isinstance(high.body, RatingBody)
    assert (low.body.ended, high.body.ended) == ("recovered", "recovered")
    assert (low.about.prompt, high.about.prompt) == (first.place, prompt.place)
    assert prompt.id == sale.prompt_id
    assert kept_rows(shop) == []
    assert sign_kept(shop.terminal) == 0
    assert rebuild(shop.terminal.store).count == 0


def test_a_kept_sale_is_asked_once_and_its_state_is_true(shop: Shop) -> None:
    shop.terminal.journal.put_on_hold("key")
    sale = shop.sell("087")
    assert (sale.state, sale.created, sale.place, sale.invitation_url) == (
        PromptState.ASKED,
        True,
        None,
        None,
    )
    again = shop.sell("087")
    assert (again.prompt_id, again.created, again.state) == (sale.prompt_id, False, PromptState.ASKED)
    with pytest.raises(ConflictError):
        shop.sell("087", amount="65.00")
    assert shop.shown() == "087"
    shop.tap(sale, 3)
    assert shop.state(sale) == PromptState.ANSWERING
    shop.done(sale, 3)
    assert shop.state(sale) == PromptState.RATED
    assert shop.shown() is None
    withdrawn = shop.sell("088")
    withdraw_sale(shop.terminal, withdrawn.prompt_id)
    declined = shop.sell("089")
    decline(shop.terminal, shop.one, declined.prompt_id)
    assert (shop.state(withdrawn), shop.state(declined)) == (PromptState.WITHDRAWN, PromptState.DECLINED)
    begin_epoch(shop)
    sign_kept(shop.terminal)
    assert kinds(all_records(shop)) == ["outage", "recover", *["prompt", "rating"], *["prompt", "lapse"] * 2]
    told = sale_state(shop.terminal, sale.prompt_id)
    assert told.place is not None
    assert told.invitation_url is not None
    octets = parse_invitation(told.invitation_url.rpartition("/")[2])
    prompt = all_records(shop)[2]
    assert isinstance(prompt.body, PromptBody)
    assert decode_b64u(prompt.body.tag) in octets


def test_an_answer_sent_again_is_one_kept_answer_and_later_one_record(shop: Shop) -> None:
    shop.terminal.journal.put_on_hold("behind")
    sale, answer = shop.sell(), new_id(shop.clock.now())
    first = shop.done(sale, 1, answer_id=answer, comment="凉了")
    again = shop.done(sale, 1, answer_id=answer, comment="凉了")
    late = shop.done(sale, 1, answer_id=answer, comment="凉了，还慢")
    assert [thanks.created for thanks in (first, again, late)] == [True, False, False]
    assert [thanks.as_sent for thanks in (first, again, late)] == [True, True, False]
    with pytest.raises(ConflictError):
        shop.done(sale, 5)
    begin_epoch(shop)
    sign_kept(shop.terminal)
    signed = shop.done(sale, 1, answer_id=answer, comment="凉了")
    assert signed.query_code
    assert kinds(all_records(shop)).count("rating") == 1


def test_a_complaint_is_kept_with_all_its_words_and_its_contact_sealed(shop: Shop, tmp_path: Path) -> None:
    shop.terminal.journal.put_on_hold("frozen")
    complaint_id, catalogue = new_id(shop.clock.now()), shop.terminal.catalogue
    grievance = Grievance(
        prompt_id=None,
        categories=("measure",),
        remedies=("refund",),
        comment="少了二两",
        order="087",
        amount="64.00",
        contact=NUMBER,
        consents=("authority",),
        notice=catalogue.notice.version,
    )
    complain(shop.terminal, shop.one, complaint_id, grievance)
    assert not complain(shop.terminal, shop.one, complaint_id, grievance).created
    (row,) = kept_rows(shop)
    assert row.reason == "frozen"
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert NUMBER.encode() not in written
    begin_epoch(shop)
    sign_kept(shop.terminal)
    complaint = all_records(shop)[-1]
    assert isinstance(complaint.body, ComplaintBody)
    assert (complaint.id, complaint.body.consents) == (complaint_id, ("authority",))
    with shop.terminal.store.read() as reader:
        *_, entry = read_ledger(reader)
    words = {each.name: each.value for each in map(open_disclosure, entry.disclosures)}
    assert (words["comment"], words["order"], words["amount"]) == ("少了二两", "087", "64.00 CNY")
    sealed = decode_b64u(words["contact"])
    issuer = shop.terminal.journal.identity.issuer
    assert open_contact(shop.central.sealing, issuer, complaint_id, sealed) == NUMBER


def test_what_comes_before_all_is_signed_waits_behind_it(shop: Shop) -> None:
    shop.terminal.journal.put_on_hold("epoch")
    first = shop.done(shop.sell("001"), 5)
    begin_epoch(shop)
    second = shop.done(shop.sell("002"), 1)
    assert (first.query_code, second.query_code) == ("", "")
    sign_kept(shop.terminal)
    levels = [record.body.level for record in all_records(shop) if isinstance(record.body, RatingBody)]
    assert levels == [5, 1]
    assert shop.done(shop.sell("003"), 3).query_code


def test_a_time_without_signatures_is_told_although_nobody_came(shop: Shop) -> None:
    shop.terminal.journal.put_on_hold("key")
    note_outage(shop.terminal)
    shop.restart()
    begin_epoch(shop)
    sign_kept(shop.terminal)
    assert kinds(all_records(shop)) == ["outage", "recover"]
    with shop.terminal.store.read() as reader:
        assert reader.first(Outage.select()) is None


def test_idle_answers_and_left_questions_end_on_hold_as_ever(shop: Shop) -> None:
    shop.terminal.journal.put_on_hold("damage")
    sale = shop.sell("001")
    shop.tap(sale, 2, comment="凑合")
    shop.clock.advance(2 * shop.settings.idle_rating_s)
    assert sweep(shop.terminal) == 1
    assert shop.state(sale) == PromptState.RATED
    left = shop.sell("002")
    shop.clock.advance(shop.settings.prompt_timeout_s)
    assert sweep(shop.terminal) == 1
    assert sweep(shop.terminal) == 0
    assert shop.state(left) == PromptState.TIMED_OUT
    begin_epoch(shop)
    sign_kept(shop.terminal)
    assert kinds(all_records(shop)) == ["outage", "recover", "prompt", "rating", "prompt", "lapse"]


def test_an_answer_to_a_question_that_got_lost_is_kept_and_signed_without_it(shop: Shop) -> None:
    sale = shop.sell()
    lost = new_id(shop.clock.now())
    shop.terminal.journal.put_on_hold("restored")
    ghost = type(sale)(
        prompt_id=lost,
        place=None,
        state=sale.state,
        created=False,
        invitation_url=None,
        invitation_expires_at=sale.invitation_expires_at,
    )
    answer = new_id(shop.clock.now())
    shop.tap(ghost, 1, answer_id=answer)
    assert not shop.done(ghost, 1, answer_id=answer).query_code
    begin_epoch(shop)
    sign_kept(shop.terminal)
    assert all_records(shop)[-1].about.prompt is None
    assert shop.done(ghost, 1, answer_id=answer).query_code


def test_a_hold_over_a_restart_keeps_what_was_kept(shop: Shop) -> None:
    shop.terminal.journal.put_on_hold("behind")
    sale = shop.sell()
    shop.restart()
    assert shop.terminal.journal.hold == "behind"
    assert shop.shown() == "087"
    assert shop.done(sale, 2).query_code == ""
    assert [row.kind for row in kept_rows(shop)] == ["prompt", "rating"]
