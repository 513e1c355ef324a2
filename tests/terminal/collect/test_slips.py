"""What customers leave with: a promise that opens, agrees with the visit, and is made once."""

from __future__ import annotations

import pytest

from merchant_agent.errors import InvalidError, StoreConflictError
from merchant_agent.evidence.bodies import ComplaintBody, RatingBody, SuggestionBody
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.record import new_id
from merchant_agent.evidence.slip import Slip, claim_hash, new_claim, open_slip, parse_slip
from merchant_agent.terminal.collect.answers import finish, keep_draft
from merchant_agent.terminal.collect.prompts import SaleTaken
from merchant_agent.terminal.collect.said import Answer, Thanks
from merchant_agent.terminal.collect.sweep import sweep
from merchant_agent.terminal.collect.words import Grievance, Words, complain, suggest
from merchant_agent.terminal.store.ledger import find_entry
from merchant_agent.terminal.store.models import Slip as SlipRow
from tests.terminal.collect.shop import CENTRAL, Shop


def _opened(shop: Shop, thanks: Thanks) -> Slip:
    """The slip as anybody opens it, over the record that stands there."""
    assert thanks.slip_url is not None
    address, _, text = thanks.slip_url.rpartition("/")
    assert address == f"{CENTRAL}/s"
    slip = open_slip(parse_slip(text), shop.terminal.journal.identity.grant.verifying_key())
    with shop.terminal.store.read() as reader:
        entry = find_entry(reader, slip.place.epoch, slip.place.seq)
    assert entry is not None
    assert slip.leaf == leaf_hash(entry.octets)
    assert slip.place == thanks.place
    return slip


def _flags(slip: Slip) -> tuple[int, bool, bool, bool]:
    return slip.level, slip.complaint, slip.suggestion, slip.contact


def _complain(shop: Shop, sale: SaleTaken | None, *, claim: str | None = None) -> Thanks:
    prompt = None if sale is None else sale.prompt_id
    grievance = Grievance(prompt_id=prompt, comment="少了一两", claim=claim)
    return complain(shop.terminal, shop.one, new_id(shop.clock.now()), grievance)


def _suggest(shop: Shop, sale: SaleTaken | None) -> Thanks:
    words = Words(prompt_id=None if sale is None else sale.prompt_id, comment="早点开门")
    return suggest(shop.terminal, shop.one, new_id(shop.clock.now()), words)


def _claims(shop: Shop) -> list[str | None]:
    bodies = (record.body for record in shop.records())
    return [body.claim for body in bodies if isinstance(body, RatingBody | SuggestionBody | ComplaintBody)]


def _answer(sale: SaleTaken, level: int | None, claim: str | None) -> Answer:
    return Answer(prompt_id=sale.prompt_id, level=level, claim=claim)


def test_a_slip_promises_the_record_within_the_deadline_of_the_grant(shop: Shop) -> None:
    slip = _opened(shop, shop.done(shop.sell(), 2))
    assert _flags(slip) == (2, False, False, False)
    assert slip.time == int(shop.clock.now().timestamp())
    assert slip.deadline_hours == shop.terminal.journal.identity.grant.deadline_hours


def test_each_slip_of_a_visit_tells_all_that_was_said_so_far(shop: Shop) -> None:
    sale = shop.sell()
    rated, complained, suggested = shop.done(sale, 1), _complain(shop, sale), _suggest(shop, sale)
    flags = [_flags(_opened(shop, thanks)) for thanks in (rated, complained, suggested)]
    assert flags == [(1, False, False, False), (1, True, False, False), (1, True, True, False)]


def test_a_rating_after_a_complaint_tells_of_both(shop: Shop) -> None:
    sale = shop.sell()
    _complain(shop, sale)
    assert _flags(_opened(shop, shop.done(sale, 5))) == (5, True, False, False)


def test_a_slip_tells_that_a_contact_was_left(shop: Shop) -> None:
    sale = shop.sell()
    grievance = Grievance(
        prompt_id=sale.prompt_id,
        comment="少了一两",
        contact="13800138000",
        consents=("authority",),
        notice=shop.terminal.catalogue.notice.version,
    )
    complained = complain(shop.terminal, shop.one, new_id(shop.clock.now()), grievance)
    assert _flags(_opened(shop, complained)) == (0, True, False, True)
    assert _flags(_opened(shop, _suggest(shop, sale))) == (0, True, True, True)


def test_visits_do_not_mix(shop: Shop) -> None:
    _complain(shop, shop.sell("087"))
    _complain(shop, None)
    assert _flags(_opened(shop, shop.done(shop.sell("088"), 4))) == (4, False, False, False)
    assert _flags(_opened(shop, _suggest(shop, None))) == (0, False, True, False)


def test_a_lost_answer_gives_the_same_slip(shop: Shop) -> None:
    sale, answer, claim = shop.sell(), new_id(shop.clock.now()), claim_hash(new_claim())
    said = _answer(sale, 3, claim)
    first, again = (
        finish(shop.terminal, shop.one, answer, said, ended="done", dwell_ms=1000) for _ in range(2)
    )
    assert (first.created, again.created) == (True, False)
    assert (first.slip_url, first.claim) == (again.slip_url, again.claim)
    assert again.claim == claim
    _complain(shop, sale)
    late = finish(shop.terminal, shop.one, answer, said, ended="done", dwell_ms=1000)
    assert late.slip_url == first.slip_url


def test_words_sent_again_give_the_same_slip(shop: Shop) -> None:
    id_, claim = new_id(shop.clock.now()), claim_hash(new_claim())
    words = Words(prompt_id=None, comment="早点开门", claim=claim)
    first, again = (suggest(shop.terminal, shop.one, id_, words) for _ in range(2))
    grievance = Grievance(prompt_id=None, comment="慢", claim=claim)
    case, case_again = (complain(shop.terminal, shop.one, id_, grievance) for _ in range(2))
    assert (first.slip_url, case.slip_url) == (again.slip_url, case_again.slip_url)
    assert _claims(shop) == [claim, claim]


@pytest.mark.parametrize("crashes", [True, False])
def test_an_answer_that_was_left_keeps_the_claim_of_its_draft(shop: Shop, *, crashes: bool) -> None:
    sale, answer = shop.sell(), new_id(shop.clock.now())
    first, newest = claim_hash(new_claim()), claim_hash(new_claim())
    keep_draft(shop.terminal, shop.one, answer, _answer(sale, None, first))
    # The page was loaded anew, and what the first one kept in memory is gone.
    keep_draft(shop.terminal, shop.one, answer, _answer(sale, 2, newest))
    if crashes:
        shop.restart()
        sweep(shop.terminal)
    shop.clock.advance(60)
    sweep(shop.terminal)
    assert _claims(shop) == [newest]
    thanks = finish(shop.terminal, shop.one, answer, _answer(sale, 2, first), ended="done", dwell_ms=1)
    assert thanks.claim == newest
    assert _flags(_opened(shop, thanks))[0] == 2


def test_without_a_claim_there_is_a_slip_all_the_same(shop: Shop) -> None:
    thanks = _complain(shop, None)
    assert thanks.claim is None
    assert _opened(shop, thanks).complaint


@pytest.mark.parametrize("claim", ["", "x", "A" * 42, "A" * 44, "A" * 42 + "B", "A" * 42 + "=", " " * 43])
def test_what_is_no_hash_of_a_claim_is_refused(shop: Shop, claim: str) -> None:
    sale, id_ = shop.sell(), new_id(shop.clock.now())
    for say in (
        lambda: keep_draft(shop.terminal, shop.one, id_, _answer(sale, 2, claim)),
        lambda: suggest(shop.terminal, shop.one, id_, Words(prompt_id=None, comment="好", claim=claim)),
        lambda: complain(shop.terminal, shop.one, id_, Grievance(prompt_id=None, comment="慢", claim=claim)),
    ):
        with pytest.raises(InvalidError) as refused:
            say()
        assert refused.value.code == "claim"
    assert shop.story() == ["prompt"]


def test_a_slip_that_cannot_be_kept_leaves_nothing_signed(shop: Shop) -> None:
    sale = shop.sell()
    answer = shop.tap(sale, 2)
    with shop.failing("INSERT ON slip"), pytest.raises(StoreConflictError):
        shop.done(sale, 2, answer_id=answer)
    assert shop.story() == ["prompt"]
    assert _opened(shop, shop.done(sale, 2, answer_id=answer)).level == 2


def test_nobody_said_anything_and_nothing_is_promised(shop: Shop) -> None:
    shop.sell("087")
    shop.sell("088")
    shop.let_replaced_lapse()
    assert shop.story() == ["prompt", "prompt", "lapse next_sale"]
    with shop.terminal.store.read() as reader:
        assert reader.all(SlipRow.select()) == []
