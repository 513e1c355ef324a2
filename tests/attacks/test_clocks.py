"""Dates that a shop would like better, and clocks that move by themselves."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest

from merchant_agent.clock import Reading
from merchant_agent.evidence.archive import ACKS, checkpoint_name
from merchant_agent.evidence.bodies import ClockBody, HeartbeatBody, Kind
from merchant_agent.evidence.chain import append_record
from merchant_agent.evidence.exchange import decode_ack
from merchant_agent.evidence.fields import parse_at
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.record import ABOUT_NOTHING
from tests.attacks.telling import found
from tests.evidence.logged import LoggedShop
from tests.evidence.synthetic import START, Shop, uuid_of

ALIVE = HeartbeatBody(waiting=0)
DAY_MS = 86_400_000


def test_back_dated_record_is_older_than_the_checkpoint_that_it_states() -> None:
    shop = LoggedShop()
    shop.sale()
    anchor = shop.take_up()
    shop.boot = "BBBBBBBBBBE"
    shop.ahead_ms = -DAY_MS
    shop.append(Kind.HEARTBEAT, ALIVE, anchor=anchor)
    shop.upload()
    shop.take_up()
    assert found(shop)["time"] == ("V8", 1)
    assert parse_at(shop.newest.at).timestamp() < anchor.time - 300
    assert checkpoint_name(anchor.size) in shop.export().files


def test_pre_dated_record_is_newer_than_the_acknowledgement_that_covers_it() -> None:
    shop = LoggedShop()
    shop.sale()
    shop.take_up()
    shop.boot = "BBBBBBBBBBE"
    shop.ahead_ms = DAY_MS
    shop.append(Kind.HEARTBEAT, ALIVE)
    shop.upload()
    shop.take_up()
    assert found(shop)["time"] == ("V8", 1)
    [octets] = shop.export().files[ACKS]
    had_at = parse_at(decode_ack(decode_jws(octets, Typ.ACK).payload).now)
    assert parse_at(shop.newest.at) > had_at + timedelta(minutes=5)


@pytest.mark.parametrize("step_ms", [-3_600_000, 10_000, 3_600_000])
def test_clock_step_without_a_clock_record_is_found(step_ms: int) -> None:
    shop = Shop()
    shop.append(Kind.HEARTBEAT, ALIVE)
    before = shop.newest
    shop.ahead_ms += step_ms
    shop.append(Kind.HEARTBEAT, ALIVE)
    assert found(shop)["clock"] == ("V9", 1)
    wall = parse_at(shop.newest.at) - parse_at(before.at)
    assert wall == timedelta(milliseconds=shop.newest.uptime_ms - before.uptime_ms + step_ms)


@pytest.mark.parametrize("step_ms", [-3_600_000, 10_000, 3_600_000])
def test_clock_step_with_its_clock_record_is_in_order(step_ms: int) -> None:
    shop = Shop()
    shop.append(Kind.HEARTBEAT, ALIVE)
    shop.ahead_ms += step_ms
    shop.append(Kind.CLOCK, ClockBody(wall_ms=1000 + step_ms, boot_ms=1000))
    shop.append(Kind.HEARTBEAT, ALIVE)
    assert "clock" not in found(shop)


def test_daylight_saving_moves_the_offset_and_not_the_time() -> None:
    """A clock that is set by an hour with its offset shows the same moment; no record has to say why."""
    shop = Shop()
    shop.append(Kind.HEARTBEAT, ALIVE)
    summer = timezone(timedelta(hours=9))
    octets = append_record(
        shop.chain,
        shop.key,
        Kind.HEARTBEAT,
        uuid_of(99),
        Reading(at=(START + timedelta(seconds=2)).astimezone(summer), boot=shop.boot, uptime_ms=2000),
        ABOUT_NOTHING,
        ALIVE,
    )
    assert shop.chain.accept(octets).at.endswith("+09:00")
    shop.records.append(octets)
    assert "clock" not in found(shop)


def test_daylight_saving_without_its_offset_is_a_step() -> None:
    """A `clock` record that does not say by how much explains nothing."""
    shop = Shop()
    shop.append(Kind.HEARTBEAT, ALIVE)
    shop.ahead_ms += 3_600_000
    shop.append(Kind.CLOCK, ClockBody(wall_ms=1000, boot_ms=1000))
    assert found(shop)["clock"] == ("V9", 1)
