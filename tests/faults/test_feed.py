"""Many customers, and no fault at all: everything that was said is at central, and the chain verifies."""

from __future__ import annotations

from pathlib import Path

from tests.bench.reviews import real_reviews
from tests.faults.fed import fed_demo, require_exactly_once

_CUSTOMERS = 200


def test_every_rating_of_a_feed_is_stored_uploaded_and_verified(tmp_path: Path) -> None:
    with fed_demo(tmp_path, real_reviews(_CUSTOMERS), counters=4) as fed:
        fed.wait_until_over()
        outcome = fed.settle()
        require_exactly_once(outcome)
        assert outcome.sent == outcome.thanked == _CUSTOMERS
        records = fed.kinds()
        assert records["prompt"] == records["rating"] == _CUSTOMERS
        # Beside them: the program's start, a heartbeat whose time came, a clock that was set meanwhile.
        assert set(records) - {"prompt", "rating"} <= {"start", "heartbeat", "clock"}
        assert fed.verify() == sum(records.values())
