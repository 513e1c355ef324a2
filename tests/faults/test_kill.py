"""kill -9 at random moments, while customers are being served."""

from __future__ import annotations

import random
from itertools import cycle
from pathlib import Path

from merchant_agent.demo.feed import Review
from merchant_agent.domain.catalogue import LEVELS
from tests.faults.fed import fed_demo, require_exactly_once

_KILLS = 30
_LONGEST_LIFE_S = 1.2


def _customers() -> list[Review]:
    return [Review(level=level, comment=f"说了第 {level} 级的话") for level in LEVELS]


def test_terminal_killed_thirty_times_loses_nothing_that_was_thanked(tmp_path: Path) -> None:
    chance = random.Random(30)  # noqa: S311 -- no key
    with fed_demo(tmp_path, cycle(_customers()), counters=3) as fed:
        for _ in range(_KILLS):
            fed.pause(chance.uniform(0.0, _LONGEST_LIFE_S))
            fed.running.terminal.kill()
            fed.running.look_after()
        fed.pause(_LONGEST_LIFE_S)
        assert fed.running.terminal.restarts == _KILLS
        fed.close()
        require_exactly_once(fed.settle())
        fed.verify()


def test_central_killed_while_it_receives_has_everything_once(tmp_path: Path) -> None:
    chance = random.Random(5)  # noqa: S311 -- no key
    with fed_demo(tmp_path, cycle(_customers()), counters=3) as fed:
        for _ in range(6):
            fed.pause(chance.uniform(0.1, _LONGEST_LIFE_S))
            fed.running.central.kill()
            fed.pause(chance.uniform(0.0, 0.5))
            fed.running.look_after()
        fed.close()
        require_exactly_once(fed.settle())
        fed.verify()
