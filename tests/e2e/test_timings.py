"""What a customer waits for on the page, by the middle of several: how it is spread tells `tests.bench browser`."""

from __future__ import annotations

from statistics import median

from merchant_agent.demo.running import Running
from tests.bench.browser import timed_visits, whole_visit
from tests.e2e.conftest import OpenPage
from tests.e2e.people import Tablet, Till

_VISITS = 7


def test_the_question_the_thanks_and_the_whole_visit_are_quick(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = Tablet(page=open_page())
    tablet.pair(demo.kiosk)
    awake, thanks, _ = timed_visits(tablet, till, _VISITS)
    assert median(awake) < 0.3
    assert median(thanks) < 0.1
    assert median(whole_visit(tablet, till, f"whole-{number}") for number in range(3)) < 6.0
