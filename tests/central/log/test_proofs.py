"""Proofs over the newest checkpoint, checked as their receiver checks them."""

from __future__ import annotations

import pytest

from merchant_agent.central.log.proofs import consistency_proof, inclusion_proof, leaf_at, leaf_of_grant
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import LogTile
from merchant_agent.errors import NotFoundError, StoreCorruptError
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.merkle import verify_consistency
from merchant_agent.evidence.tlog_proof import verify_tlog_proof
from tests.central.log.looking import newest, put, root_over, tick
from tests.central.sender import Sender

SIZES = (1, 2, 255, 256, 257, 700)


def test_every_leaf_is_proved(central: Central, sequencer: Sequencer) -> None:
    keys = central.identity.trust().log_keys()
    leaves: list[bytes] = []
    for size in SIZES:
        leaves += put(central, size - len(leaves), begin=len(leaves))
        tick(central)
        sequencer.run()
        for leaf in (*leaves[:2], leaves[size // 2], leaves[-1]):
            checkpoint = verify_tlog_proof(inclusion_proof(central, leaf), leaf, keys)
            assert (checkpoint.head.size, checkpoint.head.root) == (size, root_over(leaves))


def test_the_log_only_grew(central: Central, sequencer: Sequencer) -> None:
    leaves: list[bytes] = []
    for size in SIZES:
        leaves += put(central, size - len(leaves), begin=len(leaves))
        tick(central)
        sequencer.run()
    for size in (0, *SIZES):
        proof, now = consistency_proof(central, size)
        assert now == newest(central)
        verify_consistency(size, root_over(leaves[:size]), now.size, now.root, proof)


def test_records_and_grants_are_proved_by_their_places(
    central: Central, sequencer: Sequencer, sender: Sender, merchant: str
) -> None:
    sender.sell(1)
    sender.upload_all(central)
    sequencer.run()
    place = Place(issuer=sender.issuer, epoch=1, seq=1)
    with central.store.read() as reader:
        leaf, granted = leaf_at(reader, merchant, place), leaf_of_grant(reader, merchant, sender.issuer, 1)
    assert (leaf, granted) == (leaf_hash(sender.sent[1].octets), leaf_hash(sender.grant_octets))
    for each in (leaf, granted):
        verify_tlog_proof(inclusion_proof(central, each), each, central.identity.log_keys)


def test_what_no_checkpoint_holds_is_not_proved(
    central: Central, sequencer: Sequencer, sender: Sender, merchant: str
) -> None:
    [leaf] = put(central, 1)
    for _ in range(2):  # waiting, then in the tree and not published
        with pytest.raises(NotFoundError) as missing:
            inclusion_proof(central, leaf)
        assert missing.value.code == "leaf"
        sequencer.take_up()
    with pytest.raises(NotFoundError, match="size 7"):
        consistency_proof(central, 7)
    with central.store.read() as reader:
        with pytest.raises(NotFoundError):
            leaf_at(reader, merchant, Place(issuer=sender.issuer, epoch=1, seq=0))
        with pytest.raises(NotFoundError):
            leaf_of_grant(reader, merchant, sender.issuer, 2)


def test_nothing_is_proved_before_the_first_checkpoint(central: Central) -> None:
    for seek in (lambda: inclusion_proof(central, bytes(32)), lambda: consistency_proof(central, 0)):
        with pytest.raises(NotFoundError) as missing:
            seek()
        assert missing.value.code == "log"


@pytest.mark.parametrize("cut", [0, 31, 32])
def test_a_damaged_tile_proves_nothing_and_stops_the_sequencer(
    central: Central, sequencer: Sequencer, cut: int
) -> None:
    leaves = put(central, 3)
    sequencer.run()
    with central.store.write() as tx:
        damaged = LogTile.update(octets=b"".join(leaves)[:cut]) if cut else LogTile.delete()
        tx.execute(damaged.where(LogTile.number == 0))
    with pytest.raises(StoreCorruptError):
        inclusion_proof(central, leaves[0])
    put(central, 1, begin=3)
    tick(central)
    with pytest.raises(StoreCorruptError):
        sequencer.run()
