"""Central's own chains: one for each merchant, one place after the other, whoever appends at once."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.overview import merchant_overview
from merchant_agent.central.own_chain import OwnRecord, append_own
from merchant_agent.central.rebuild import rebuild
from merchant_agent.central.services import Central, close_central
from merchant_agent.central.store.ledger import newest_totals
from merchant_agent.central.store.models import Grant, Issuer, LogWaiting, Rating, Record, Remark
from merchant_agent.domain.merchants import check_character
from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.bodies import FindingBody, Kind, RatingBody, SupersedeBody
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.grant import open_grant
from merchant_agent.evidence.jws import leaf_hash
from tests.central.conftest import NOODLES, Site
from tests.central.sender import CATALOGUE, Sender
from tests.clocks import ManualClock

OTHER_CODE = "91310000MA1K00001" + check_character("91310000MA1K00001")
RATING = RatingBody(
    level=4,
    aspects=(),
    tags=("tasty",),
    channel="phone",
    ended="done",
    dwell_ms=0,
    lang="zh",
    catalogue=CATALOGUE,
    claim=None,
)


def say(central: Central, merchant: str, comment: str = "") -> OwnRecord:
    with central.store.write() as tx:
        return append_own(central, tx, merchant, Kind.RATING, RATING, disclosures={"comment": comment})


def verified(central: Central, merchant: str) -> Chain:
    """The merchant's chain of central's, verified from its grant on by the verifier's own code."""
    with central.store.read() as reader:
        grants = [bytes(row.octets) for row in reader.all(Grant.select().where(Grant.merchant == merchant))]
        roots = central.identity.trust().root_keys()
        octets, grant = next(
            (octets, opened) for octets in grants if (opened := open_grant(octets, roots)).role == "central"
        )
        chain = Chain.begin(octets, grant)
        mine = Record.select().where((Record.merchant == merchant) & (Record.issuer == grant.issuer))
        for row in reader.all(mine.order_by(Record.seq)):
            chain.accept(bytes(row.octets))
    return chain


def test_the_first_record_begins_a_chain_that_the_root_key_granted(central: Central, merchant: str) -> None:
    first, second = say(central, merchant, "好吃"), say(central, merchant)
    assert [first.place.seq, second.place.seq] == [0, 1]
    chain = verified(central, merchant)
    assert (chain.issuer, chain.seq, chain.role) == (first.place.issuer, 1, "central")
    with central.store.read() as reader:
        shown = reader.all(Rating.select().order_by(Rating.seq))
        waiting = {bytes(row.leaf) for row in reader.all(LogWaiting.select())}
        granted = reader.all(Grant.select())
    assert [(row.level, row.comment, row.channel) for row in shown] == [
        (4, "好吃", "phone"),
        (4, None, "phone"),
    ]
    assert waiting == {first.leaf, second.leaf, leaf_hash(bytes(granted[0].octets))}


def test_each_merchant_has_a_chain_and_a_key_of_its_own(central: Central, merchant: str) -> None:
    other = add_merchant(central, replace(NOODLES, credit_code=OTHER_CODE), who="officer")
    assert say(central, merchant).place.issuer != say(central, other).place.issuer
    with central.store.read() as reader:
        assert len({bytes(row.key) for row in reader.all(Issuer.select())}) == 2


def test_the_chain_goes_on_after_a_restart(site: Site) -> None:
    central = site.open()
    merchant = add_merchant(central, NOODLES, who="officer")
    first = say(central, merchant)
    close_central(central)
    central = site.open()
    assert say(central, merchant).place == replace_seq(first, 1)
    assert verified(central, merchant).seq == 1
    close_central(central)


def replace_seq(own: OwnRecord, seq: int) -> object:
    return type(own.place)(issuer=own.place.issuer, epoch=own.place.epoch, seq=seq)


def test_many_at_once_get_one_place_each(central: Central, merchant: str) -> None:
    """Also when the chain has yet to begin."""
    start = threading.Barrier(8)

    def run() -> None:
        start.wait()
        for _ in range(5):
            say(central, merchant)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verified(central, merchant).seq == 39


def test_a_transaction_that_fails_takes_its_record_with_it(central: Central, merchant: str) -> None:
    say(central, merchant)

    def fail() -> None:
        with central.store.write() as tx:
            append_own(central, tx, merchant, Kind.RATING, RATING)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert say(central, merchant).place.seq == 1
    assert verified(central, merchant).seq == 1


def test_an_unknown_merchant_gets_no_chain(central: Central) -> None:
    with pytest.raises(NotFoundError), central.store.write() as tx:
        append_own(central, tx, "AAAAAAAAAAA", Kind.RATING, RATING)


def test_its_own_chain_is_no_terminal(central: Central, merchant: str, sender: Sender) -> None:
    """Neither is it shown as one, nor does the next terminal go on from its totals."""
    say(central, merchant)
    assert [state.issuer for state in merchant_overview(central, merchant).terminals] == [sender.issuer]
    with central.store.read() as reader:
        assert newest_totals(reader, merchant) == sender.grant.totals


def test_remarks_are_made_again_from_the_ledger(central: Central, merchant: str, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    place = sender.about(sender.sent[1]).prompt
    assert place is not None
    with central.store.write() as tx:
        supersede = SupersedeBody(place=place, level=2, confirmed="phone")
        append_own(central, tx, merchant, Kind.SUPERSEDE, supersede)
        finding = FindingBody(
            code="broken_promise", place=place, leaf="A" * 43, due_at="2026-05-21T12:00:00.000+08:00"
        )
        append_own(central, tx, merchant, Kind.FINDING, finding)
        tx.execute(Remark.update({Remark.level: 5}).where(Remark.kind == "supersede"))
    assert rebuild(central.store).count > 0
    with central.store.read() as reader:
        rows = reader.all(Remark.select().order_by(Remark.seq))
    assert [(row.kind, row.code, row.level, row.told_seq) for row in rows] == [
        ("supersede", "phone", 2, 1),
        ("finding", "broken_promise", None, 1),
    ]
    assert rebuild(central.store).count == 0


def test_records_are_anchored_to_the_newest_checkpoint(site: Site, clock: ManualClock) -> None:
    """And a later one never to an earlier."""
    site = Site(settings=replace(site.settings, checkpoint_lock="../log-lock"), clock=clock)
    central = site.open()
    merchant = add_merchant(central, NOODLES, who="officer")
    begin_log(central, again=False)
    sizes = []
    for _ in range(3):
        anchor = say(central, merchant).record.anchor
        sizes.append(0 if anchor is None else anchor.size)
        clock.advance(1)
        Sequencer(central).run()
    assert sizes == [0, 2, 3]
    assert verified(central, merchant).seq == 2
    close_central(central)
