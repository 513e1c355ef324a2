"""What is marked and left out: what nobody can have read, and more than one till can serve."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.domain.suspicion import BURST_MS, MOST_IN_BURST, Mark, Tapped, marks_of


def tapped(key: int, at_ms: int, *, till: str = "1", dwell_ms: int = 4000, ended: str = "done") -> Tapped:
    return Tapped(key=key, till=till, at_ms=at_ms, dwell_ms=dwell_ms, ended=ended)


def every(step_ms: int, count: int) -> list[Tapped]:
    return [tapped(number, number * step_ms) for number in range(count)]


TAPPED = st.lists(
    st.builds(
        lambda at_ms, till, dwell_ms: (at_ms, till, dwell_ms),
        st.integers(0, 3 * BURST_MS),
        st.sampled_from(["1", "2"]),
        st.sampled_from([0, 999, 1000, 4000]),
    ),
    max_size=60,
)


@pytest.mark.parametrize(("dwell_ms", "mark"), [(0, Mark.FAST), (999, Mark.FAST), (1000, None), (4000, None)])
def test_what_ended_within_a_second_is_marked(dwell_ms: int, mark: Mark | None) -> None:
    assert marks_of([tapped(1, 0, dwell_ms=dwell_ms)]).get(1) == mark


@pytest.mark.parametrize("ended", ["idle", "recovered"])
def test_what_the_tablet_did_not_measure_is_not_called_fast(ended: str) -> None:
    assert marks_of([tapped(1, 0, dwell_ms=0, ended=ended)]) == {}


def test_the_ninth_within_a_minute_is_marked_and_the_eight_before_it_are_not() -> None:
    assert marks_of(every(7000, 9)) == {8: Mark.BURST}
    assert marks_of(every(7501, 9)) == {}


def test_two_tills_may_be_twice_as_busy() -> None:
    assert marks_of(every(7000, 8) + [tapped(100 + n, n * 7000, till="2") for n in range(8)]) == {}


def test_of_one_moment_all_are_marked_where_they_are_too_many() -> None:
    assert len(marks_of(every(0, 9))) == 9
    assert marks_of(every(0, 8)) == {}


@given(TAPPED, st.randoms())
def test_marks_hang_on_the_moments_alone_and_never_go_away(
    facts: Sequence[tuple[int, str, int]], random: object
) -> None:
    """Whatever comes later, and in whatever order it is read, a mark and its absence stay."""
    ratings = [
        tapped(number, at_ms, till=till, dwell_ms=dwell_ms)
        for number, (at_ms, till, dwell_ms) in enumerate(facts)
    ]
    marks = marks_of(ratings)
    shuffled = list(ratings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis's random
    assert marks_of(shuffled) == marks
    for each in ratings:
        until_then = [other for other in ratings if other.at_ms <= each.at_ms]
        assert marks_of(until_then).get(each.key) == marks.get(each.key)
        near = [
            other for other in until_then if other.till == each.till and other.at_ms >= each.at_ms - BURST_MS
        ]
        assert (marks.get(each.key) is Mark.BURST) == (each.dwell_ms >= 1000 and len(near) > MOST_IN_BURST)
