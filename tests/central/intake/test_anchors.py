"""Anchors that a terminal states: central takes those that its log published, and sets others aside (V7)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from merchant_agent.central.log.checkpoints import Published
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.services import Central
from merchant_agent.evidence.bodies import HeartbeatBody, Kind
from merchant_agent.evidence.chain import append_record
from merchant_agent.evidence.fields import Anchor
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import ABOUT_NOTHING, new_id
from tests.central.conftest import Site
from tests.central.intake.test_setting_aside import rejected
from tests.central.log.conftest import sequencer
from tests.central.log.looking import put, tick
from tests.central.rows import stored
from tests.central.sender import Sender

__all__ = ["sequencer"]


@pytest.fixture
def site(site: Site, tmp_path: Path) -> Site:
    """With a place for the log's lock."""
    return Site(settings=replace(site.settings, checkpoint_lock=str(tmp_path / "lock")), clock=site.clock)


def _publish(central: Central, sequencer: Sequencer, begin: int) -> Published:
    put(central, 3, begin=begin)
    tick(central, 2)
    newest = sequencer.run().newest
    assert newest is not None
    return newest


def _anchor(published: Published, **changes: object) -> Anchor:
    whole: dict[str, object] = {
        "size": published.size,
        "root": encode_b64u(published.root),
        "time": published.time,
    }
    return Anchor(**{**whole, **changes})  # type: ignore[arg-type]  # as the test says


def _beat(sender: Sender, anchor: Anchor | None) -> None:
    """A record that states the anchor; the sender's own chain believes it."""
    octets = append_record(
        sender.chain,
        sender.key,
        Kind.HEARTBEAT,
        new_id(sender.at),
        sender.read(),
        ABOUT_NOTHING,
        HeartbeatBody(waiting=0),
        anchor=anchor,
    )
    sender.chain.accept(octets)
    sender.keep(octets)


def test_published_anchors_are_taken_over_several_uploads(
    central: Central, sequencer: Sequencer, sender: Sender
) -> None:
    first = _anchor(_publish(central, sequencer, 0))
    second = _anchor(_publish(central, sequencer, 3))
    for anchor in (None, first, None, second):
        begin = len(sender.sent)
        _beat(sender, anchor)
        sender.ask()
        assert rejected(sender.upload_all(central, begin)) == []
    assert len(stored(central, sender.issuer)) == 8


@pytest.mark.parametrize("lie", [{"root": encode_b64u(b"x" * 32)}, {"size": 1000}])
def test_an_anchor_that_central_never_published_is_set_aside(
    central: Central, sequencer: Sequencer, sender: Sender, lie: dict[str, object]
) -> None:
    published = _publish(central, sequencer, 0)
    sender.ask()
    _beat(sender, _anchor(published, **lie))
    sender.ask()
    ack = sender.upload_all(central)
    assert (ack.outcome, ack.head) == ("accepted", sender.chain.head)
    assert rejected(ack) == [(1, "V7"), (2, "V7")]
    assert sorted(stored(central, sender.issuer)) == [0]


def test_an_anchor_that_goes_back_is_set_aside_in_a_later_upload_too(
    central: Central, sequencer: Sequencer, sender: Sender
) -> None:
    first = _anchor(_publish(central, sequencer, 0))
    second = _anchor(_publish(central, sequencer, 3))
    _beat(sender, second)
    sender.upload_all(central)
    sender.chain.anchor = None
    _beat(sender, first)
    sender.chain.anchor = second
    sender.ask()
    ack = sender.upload_all(central, 1)
    assert (ack.outcome, rejected(ack)) == ("accepted", [(1, "V7")])
