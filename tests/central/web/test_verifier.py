"""The single-file verifier is handed out where no shop can change it."""

from __future__ import annotations

from merchant_agent.central.services import Central
from merchant_agent.evidence.archive import read_verifier
from tests.central.web.office import Office
from tests.clocks import ManualClock


def test_everybody_gets_the_verifier_from_central(central: Central, clock: ManualClock) -> None:
    answer = Office(central, clock).get("/verify.py")
    assert answer.status_code == 200
    assert answer.content_type == "text/x-python; charset=utf-8"
    assert answer.get_data() == read_verifier()
