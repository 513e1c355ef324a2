"""Fifty tablets that nobody touches, paired while the terminal runs; nothing here is timed, see `tests.bench crowd`."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
import urllib3

from merchant_agent.demo.processes import stop_all
from merchant_agent.demo.running import Running, running_demo
from merchant_agent.terminal.web.pairing import COOKIE
from tests.bench.tablets import Polls
from tests.e2e.conftest import OpenPage
from tests.e2e.people import Tablet, Till, until

_TABLETS = 50


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("many")
    with running_demo(folder, terminal_port=0, central_port=0, tablets=1) as running:
        yield running


def _pair(demo: Running) -> str:
    """A new tablet's token."""
    answer = urllib3.request("GET", demo.kiosk, redirect=False)
    assert answer.status == 302
    return answer.headers["Set-Cookie"].partition(f"{COOKIE}=")[2].partition(";")[0]


class _Heard:
    """Which tablets were told of which order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: dict[str, Counter[int]] = {}  # under _lock

    def hear(self, tablet: int, order: str) -> None:
        with self._lock:
            self._orders.setdefault(order, Counter())[tablet] += 1

    def tablets(self, order: str) -> set[int]:
        with self._lock:
            return set(self._orders.get(order, ()))


def test_fifty_tablets_paired_without_a_restart_leave_the_till_its_answer(
    busy: Running, open_page: OpenPage
) -> None:
    """More polls wait than there were threads at the start: without more of them the till would wait too."""
    till, heard = Till(demo=busy), _Heard()
    polls = Polls(busy, [_pair(busy) for _ in range(_TABLETS)], heard.hear)
    try:
        tablet = Tablet(page=open_page())
        tablet.pair(busy.kiosk)
        till.sell("N-1", amount="64.00")
        tablet.is_asked("N-1")
        until(lambda: heard.tablets("N-1") == set(range(_TABLETS)))
        tablet.tap(5)
        tablet.press("done")
        assert tablet.thanked("rating")
    finally:
        polls.close()


def test_a_sale_wakes_the_tablet_of_its_till_and_no_other(busy: Running) -> None:
    heard, tokens = _Heard(), [_pair(busy) for _ in range(2)]
    polls = Polls(busy, [*busy.state.tablets, *tokens], heard.hear)
    try:
        Till(demo=busy).sell("N-2", till="elsewhere")
        until(lambda: heard.tablets("N-2") == {1, 2})
        Till(demo=busy).sell("N-3", till="1")
        until(lambda: heard.tablets("N-3") == {0, 1, 2})
        assert heard.tablets("N-2") == {1, 2}
    finally:
        polls.close()


def test_pairings_survive_a_restart(busy: Running) -> None:
    token = _pair(busy)
    stop_all([busy.terminal])
    busy.terminal.start()
    answer = urllib3.request(
        "GET", f"{busy.terminal.url}/kiosk/api/screen", headers={"Cookie": f"{COOKIE}={token}"}
    )
    assert answer.status == 200
    assert json.loads(answer.data)["kind"] in {"rest", "ask"}
