"""What may be kept as text."""

from __future__ import annotations

import pytest

from merchant_agent.domain.text import check_line, check_paragraphs
from merchant_agent.errors import InvalidError


def test_blanks_around_a_line_are_dropped() -> None:
    assert check_line("  087 ", code="order", max_chars=3) == "087"


@pytest.mark.parametrize("text", ["a\nb", "a\x00b", "a\x08b", "a\x1bb", "a\u2028b", "a\ud800b", "a\u202eb"])
def test_what_cannot_be_shown_safely_is_refused_on_a_line(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        check_line(text, code="order", max_chars=64)
    assert caught.value.code == "order"


@pytest.mark.parametrize("text", ["", "   ", "abcd"])
def test_a_line_too_short_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        check_line(text, code="order", min_chars=1, max_chars=3)


def test_emoji_and_rare_characters_stay_as_they_are() -> None:
    text = "好吃\U0001f468\u200d\U0001f469\u200d\U0001f467 \ue420 𠮷"
    assert check_paragraphs(text, code="comment", max_chars=1000) == text


def test_line_ends_become_line_feeds() -> None:
    assert check_paragraphs("a\r\nb\rc\n", code="comment", max_chars=10) == "a\nb\nc"


@pytest.mark.parametrize("text", ["a\tb", "a\x7fb", "\u2067a", "x" * 11])
def test_paragraphs_refuse_controls_and_excess(text: str) -> None:
    with pytest.raises(InvalidError):
        check_paragraphs(text, code="comment", max_chars=10)
