"""What those who watch central read of it."""

from __future__ import annotations

import pytest

from merchant_agent.central.app import create_app
from merchant_agent.central.metrics import METRICS
from merchant_agent.central.revocations import revoke
from merchant_agent.central.services import Central
from merchant_agent.web.metrics import CONTENT_TYPE
from tests.central.sender import Sender
from tests.clocks import ManualClock

_P = "merchant_agent_central_"


def metrics(central: Central) -> list[str]:
    answer = create_app(central).test_client().get("/metrics")
    assert (answer.status_code, answer.content_type) == (200, CONTENT_TYPE)
    return answer.get_data(as_text=True).splitlines()


def test_a_central_without_shops_tells_of_none(central: Central) -> None:
    lines = metrics(central)
    assert f"{_P}merchants 0" in lines
    assert f"{_P}records_total 0" in lines
    assert f'{_P}log_trouble{{reason="not-set"}} 1' in lines


@pytest.mark.parametrize("by_seconds", [0, 90])
def test_what_came_in_is_counted(
    central: Central, sender: Sender, clock: ManualClock, by_seconds: int
) -> None:
    sender.sell(3)
    sender.upload_all(central)
    sender.sell(1)
    clock.advance(by_seconds)
    lines = metrics(central)
    for told in (
        "merchants 1",
        "records_total 6",
        "missing_records 0",
        f"last_intake_age_seconds {by_seconds}.0",
        'chains{state="active"} 1',
        'intake_outcomes{outcome="accepted"} 1',
        'open_findings{state="broken"} 0',
    ):
        assert _P + told in lines
    assert {line.split()[2] for line in lines if line.startswith("# TYPE")} <= {each.name for each in METRICS}
    assert "示例" not in "".join(lines)


def test_what_an_ended_key_announced_is_not_missed_for_ever(central: Central, sender: Sender) -> None:
    sender.sell(2)
    sender.upload(central, sender.body(0, 1))
    assert f"{_P}missing_records 2" in metrics(central)
    revoke(central, sender.grant.merchant, sender.issuer, 1, reason="x", who="li.wei")
    assert f"{_P}missing_records 0" in metrics(central)
