"""Rounds of the sequencer: what waits comes in, in order, and a checkpoint over it goes out."""

from __future__ import annotations

import itertools
import threading

from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.log.checkpoints import first_checkpoint_with
from merchant_agent.central.log.duty import LogDuty
from merchant_agent.central.log.sequencer import RENEW_S, Sequencer
from merchant_agent.central.services import Central, close_central
from merchant_agent.central.store.models import LogLeaf, LogTile, LogWaiting
from merchant_agent.evidence.checkpoint import open_checkpoint
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.merkle import EMPTY_ROOT
from merchant_agent.evidence.tiles import split_tile
from tests.central.conftest import Site
from tests.central.log.looking import logged, newest, notes, put, root_over, tick
from tests.central.sender import Sender
from tests.clocks import ManualClock


def test_a_log_begins_empty(central: Central, sequencer: Sequencer) -> None:
    assert not sequencer.is_due()
    assert (newest(central).size, newest(central).root) == (0, EMPTY_ROOT)


def test_a_checkpoint_is_signed_and_cosigned_by_the_keys_of_the_trust_file(
    central: Central, sequencer: Sequencer
) -> None:
    put(central, 3)
    published = sequencer.run().newest
    assert published is not None
    opened = open_checkpoint(published.octets, central.identity.trust().log_keys())
    assert opened.head.origin == "central.example/log"
    assert (opened.head.size, opened.head.root) == (3, published.root)
    assert opened.time == published.time == int(central.clock.now().timestamp())


def test_every_size_has_the_root_of_its_leaves(central: Central, sequencer: Sequencer) -> None:
    leaves: list[bytes] = []
    for count in (1, 1, 2, 3, 250, 255, 1, 1, 600):
        leaves += put(central, count, begin=len(leaves))
        tick(central)
        sequencer.run()
        assert logged(central) == leaves
        assert newest(central).root == root_over(leaves)


def test_tiles_hold_the_hashes_of_each_eighth_level(central: Central, sequencer: Sequencer) -> None:
    leaves = put(central, 700)
    sequencer.run()
    with central.store.read() as reader:
        tiles = {
            (row.level, row.number): split_tile(bytes(row.octets)) for row in reader.all(LogTile.select())
        }
    assert sorted(tiles) == [(0, 0), (0, 1), (0, 2), (1, 0)]
    assert [*tiles[0, 0], *tiles[0, 1], *tiles[0, 2]] == leaves
    assert tiles[1, 0] == [root_over(leaves[:256]), root_over(leaves[256:512])]


def test_what_came_first_stands_first(central: Central, sequencer: Sequencer) -> None:
    late = put(central, 2, begin=1)
    tick(central, -5)
    early = put(central, 1)
    sequencer.run()
    assert logged(central) == early + late


def test_grants_and_records_are_leaves_with_their_places(
    central: Central, sequencer: Sequencer, sender: Sender
) -> None:
    sender.sell(2)
    sender.upload_all(central)
    tick(central)
    sender.rate(None)
    sender.upload_all(central, 4)
    sequencer.run()
    assert logged(central) == [
        leaf_hash(octets) for octets in (sender.grant_octets, *(r.octets for r in sender.sent))
    ]
    with central.store.read() as reader:
        rows = reader.all(LogLeaf.select().order_by(LogLeaf.number))
        assert reader.all(LogWaiting.select()) == []
    assert [(row.kind, row.seq) for row in rows] == [("grant", -1), *(("record", seq) for seq in range(5))]
    assert {(row.issuer, row.epoch) for row in rows} == {(sender.issuer, 1)}


def test_a_record_set_aside_at_its_place_is_logged_once(
    central: Central, sequencer: Sequencer, sender: Sender
) -> None:
    sender.ask()
    spoilt = sender.keep(sender.forge(b"a note to self"))
    for _ in range(2):
        ack = sender.upload_all(central)
        assert [answer.rule for answer in ack.answers if answer.seq == 1] == ["V1"]
    sequencer.run()
    assert logged(central).count(leaf_hash(spoilt.octets)) == 1


def test_nothing_new_is_nothing_to_do_until_the_checkpoint_has_aged(
    central: Central, sequencer: Sequencer
) -> None:
    put(central, 1)
    tick(central)
    first = sequencer.run().newest
    tick(central, RENEW_S - 1)
    assert not sequencer.is_due()
    assert sequencer.run().newest == first
    tick(central, 1)
    assert sequencer.is_due()
    renewed = sequencer.run().newest
    assert first is not None
    assert renewed is not None
    assert (renewed.size, renewed.root, renewed.time) == (first.size, first.root, first.time + RENEW_S)


def test_the_first_checkpoint_of_a_size_stays_beside_the_newest(
    central: Central, sequencer: Sequencer
) -> None:
    put(central, 2)
    tick(central)
    first = sequencer.run().newest
    for _ in range(3):
        tick(central, RENEW_S)
        renewed = sequencer.run().newest
    assert notes(central)[-2:] == [first.octets, renewed.octets] if first and renewed else False
    with central.store.read() as reader:
        assert first_checkpoint_with(reader, 1) == first
        assert first_checkpoint_with(reader, 2) is None


def test_a_second_has_one_checkpoint(central: Central, sequencer: Sequencer) -> None:
    tick(central)
    put(central, 1)
    assert sequencer.is_due()
    sequencer.run()
    put(central, 1, begin=1)
    assert not sequencer.is_due()
    tick(central)
    assert sequencer.is_due()


def test_a_clock_that_goes_back_takes_no_checkpoint_back(central: Central, sequencer: Sequencer) -> None:
    put(central, 1)
    before = sequencer.run().newest
    tick(central, -3600)
    put(central, 1, begin=1)
    assert sequencer.is_due()
    after = sequencer.run().newest
    assert before is not None
    assert after is not None
    assert (after.size, after.time) == (2, before.time)


def test_acknowledgements_tell_the_newest_checkpoint(
    central: Central, sequencer: Sequencer, sender: Sender
) -> None:
    sender.sell(1)
    assert sender.upload_all(central).checkpoint is None
    tick(central)
    published = sequencer.run().newest
    assert published is not None
    sender.rate(None)
    assert sender.upload_all(central, 2).checkpoint == published.log_head


def test_several_at_once_make_one_log(site: Site, clock: ManualClock) -> None:
    assert clock
    centrals = [site.open() for _ in range(3 if site.is_postgres else 1)]
    begin_log(centrals[0], again=False)
    numbers = itertools.count()
    failures: list[BaseException] = []

    def work(central: Central) -> None:
        try:
            for _ in range(20):
                put(central, 3, begin=3 * next(numbers))
                Sequencer(central).run()
        except BaseException as error:  # noqa: BLE001 -- told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(central,)) for central in centrals * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    Sequencer(centrals[0]).run()
    leaves = logged(centrals[0])
    assert len(leaves) == len(set(leaves)) == 60 * len(threads)
    for note in notes(centrals[0]):
        head = open_checkpoint(note, centrals[0].identity.log_keys).head
        assert head.root == root_over(leaves[: head.size])
    for central in centrals:
        close_central(central)


def test_the_thread_takes_up_what_waits(central: Central, sequencer: Sequencer) -> None:
    assert sequencer
    put(central, 1)
    tick(central)
    duty = LogDuty(central)
    duty.start()
    try:
        while newest(central).size != 1:
            pass
    finally:
        duty.stop()
