from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.terminal.collect.screen import (
    Held,
    Question,
    Tablet,
    choose_question,
    is_waiting,
    replaced_by,
)
from tests.clocks import START

TILLS = ("till-1", "till-2")
DEVICES = ("a", "b")


def _question(
    seq: int,
    *,
    till: str = "till-1",
    manual: bool = False,
    replaced: bool = False,
    holder: str | None = None,
) -> Question:
    held = None
    if holder is not None:
        held = Held(
            device=holder,
            answer_id=f"answer-{seq}",
            level=2,
            aspects=(),
            tags=(),
            comment="",
            lang="zh",
            started_at=START,
            touched_at=START + timedelta(seconds=3),
        )
    return Question(
        prompt_id=f"prompt-{seq}",
        epoch=1,
        seq=seq,
        till=till,
        order=f"{seq:03}",
        sale="counter",
        manual=manual,
        amount=None,
        at=START,
        invitation=b"",
        replaced=replaced,
        held=held,
    )


def _line(board: list[Question], till: str) -> list[Question]:
    """What is still to be asked of a till's sales."""
    return [q for q in board if q.till == till and not q.touched and not q.replaced]


@st.composite
def _boards(draw: st.DrawFn) -> list[Question]:
    """Open questions of two tills in their order; each tablet holds at most one."""
    count = draw(st.integers(0, 6))
    holders = list(draw(st.permutations([*DEVICES, *(None for _ in range(count))])))
    return [
        _question(
            seq,
            till=draw(st.sampled_from(TILLS)),
            manual=draw(st.booleans()),
            replaced=draw(st.booleans()),
            holder=holders[seq],
        )
        for seq in range(count)
    ]


TABLETS = st.builds(
    lambda id_, till: Tablet(id=id_, till=till), st.sampled_from(DEVICES), st.sampled_from(("", *TILLS))
)


@given(_boards(), TABLETS)
def test_a_tablet_never_shows_what_another_holds(board: list[Question], tablet: Tablet) -> None:
    shown = choose_question(board, tablet)
    assert shown is None or shown.held is None or shown.held.device == tablet.id


@given(_boards(), TABLETS)
def test_a_tablet_never_leaves_what_it_holds(board: list[Question], tablet: Tablet) -> None:
    own = [question for question in board if question.held and question.held.device == tablet.id]
    if own:
        assert choose_question(board, tablet) == own[0]


@given(_boards(), TABLETS)
def test_a_tablet_asks_only_for_its_till(board: list[Question], tablet: Tablet) -> None:
    shown = choose_question(board, tablet)
    assert shown is None or shown.touched or tablet.hears(shown.till)


@given(_boards(), TABLETS)
def test_what_a_sale_replaced_is_shown_to_nobody_who_has_not_touched_it(
    board: list[Question], tablet: Tablet
) -> None:
    shown = choose_question(board, tablet)
    assert shown is None or shown.touched or not shown.replaced


@given(_boards(), st.sampled_from(TILLS), st.booleans())
def test_no_sale_replaces_a_touched_question_or_another_tills(
    board: list[Question],
    till: str,
    manual: bool,  # noqa: FBT001  # drawn
) -> None:
    for question in replaced_by(board, till, manual=manual):
        assert question.till == till
        assert not question.touched


@given(_boards(), st.sampled_from(TILLS))
def test_after_a_tills_sale_none_of_its_untouched_questions_is_left(board: list[Question], till: str) -> None:
    gone = replaced_by(board, till, manual=False)
    assert [q for q in _line(board, till) if q not in gone] == []


@given(_boards(), st.sampled_from(TILLS), TABLETS)
def test_a_manual_sale_changes_no_tablet_that_is_asking(
    board: list[Question], till: str, tablet: Tablet
) -> None:
    shown = choose_question(board, tablet)
    gone = replaced_by(board, till, manual=True)
    after = [*(q for q in board if q not in gone), _question(99, till=till, manual=True)]
    if shown is not None:
        assert choose_question(after, tablet) == shown


@given(_boards())
def test_of_a_tills_untouched_questions_at_most_the_first_does_not_wait(board: list[Question]) -> None:
    for till in TILLS:
        line = _line(board, till)
        assert [q for q in line if not is_waiting(board, q)] in ([], line[:1])


def test_the_newest_sale_of_a_till_comes_before_older_ones_of_others() -> None:
    board = [_question(1, till="till-1"), _question(2, till="till-2")]
    shown = choose_question(board, Tablet(id="a", till=""))
    assert shown is not None
    assert shown.till == "till-2"
