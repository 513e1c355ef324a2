"""What central's doctor says of terminals."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from merchant_agent.central.doctor import examine
from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.revocations import revoke
from merchant_agent.central.services import close_central
from merchant_agent.diagnosis import State
from tests.central.conftest import NOODLES, Site
from tests.central.sender import enrol_sender
from tests.clocks import SHANGHAI, ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """The doctor has the machine's own clock."""
    return ManualClock(datetime.now(SHANGHAI) - timedelta(days=3))


def state_of_terminals(site: Site) -> State:
    (check,) = [check for check in examine(site.settings).checks if check.name == "terminals"]
    return check.state


def test_terminal_not_heard_of_for_two_days_needs_attention(site: Site, clock: ManualClock) -> None:
    central = site.open()
    sender = enrol_sender(central, add_merchant(central, NOODLES, who="officer"))
    sender.sell(1)
    sender.upload_all(central)
    assert state_of_terminals(site) is State.ATTENTION
    clock.advance(3 * 86_400)
    sender.upload_all(central)
    assert state_of_terminals(site) is State.HEALTHY
    close_central(central)


def test_keys_that_are_over_need_not_be_heard_of(site: Site, clock: ManualClock) -> None:
    central = site.open()
    merchant = add_merchant(central, NOODLES, who="officer")
    sender, other = enrol_sender(central, merchant), enrol_sender(central, merchant)
    for each in (sender, other):
        each.sell(1)
        each.upload_all(central)
    after = sender.next_epoch()
    revoke(central, merchant, other.issuer, 1, reason="x", who="li.wei")
    clock.advance(3 * 86_400)
    after.sell(1)
    after.upload_all(central)
    assert state_of_terminals(site) is State.HEALTHY
    close_central(central)
