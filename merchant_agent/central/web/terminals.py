"""A terminal's state as officers read it: what is wrong first, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import format_timedelta, gettext

from merchant_agent.central.overview import TerminalState

_CLOCK_TOLERANCE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One thing to know about a terminal; `alert` where somebody must do something."""

    words: str
    alert: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalView:
    """A terminal with its marks; `ended` when a newer epoch of it has taken over.

    `seen` tells how long ago it was heard of.
    """

    state: TerminalState
    ended: bool
    seen: str
    clock: str
    marks: tuple[Mark, ...]

    @property
    def alert(self) -> bool:
        """Whether somebody must do something."""
        return any(mark.alert for mark in self.marks)


def view_terminals(
    states: Iterable[TerminalState], now: datetime, silent_after: timedelta
) -> tuple[TerminalView, ...]:
    """The terminals of one merchant, those in force first, each in the order given."""
    listed = list(states)
    newest: dict[str, int] = {}
    for state in listed:
        newest[state.issuer] = max(state.epoch, newest.get(state.issuer, 0))
    views = [_view(state, state.epoch < newest[state.issuer], now, silent_after) for state in listed]
    return tuple(sorted(views, key=lambda view: view.ended))


def _view(state: TerminalState, ended: bool, now: datetime, silent_after: timedelta) -> TerminalView:  # noqa: FBT001 -- a fact
    return TerminalView(
        state=state,
        ended=ended,
        seen=gettext("never") if state.seen_at is None else ago(state.seen_at, now),
        clock=_clock_words(state.clock_ms),
        marks=tuple(_marks(state, ended, now, silent_after)),
    )


def ago(moment: datetime, now: datetime) -> str:
    """How long ago something was, in the reader's language."""
    return str(format_timedelta(moment - now, granularity="second", threshold=1.2, add_direction=True))


def _marks(state: TerminalState, ended: bool, now: datetime, silent_after: timedelta) -> list[Mark]:  # noqa: FBT001 -- a fact
    marks = _lasting_marks(state, ended)
    if ended:
        marks.append(Mark(words=gettext("Replaced by a newer key"), alert=False))
        return marks
    if state.behind:
        marks.append(Mark(words=gettext("Behind: it has fewer records than came here"), alert=True))
    if state.seen_at is not None and _is_off(state.clock_ms):
        marks.append(
            Mark(words=gettext("Clock off by %(time)s", time=_clock_words(state.clock_ms)), alert=True)
        )
    heard_at = state.seen_at or state.granted_at
    if state.closed:
        marks.append(Mark(words=gettext("Out of service"), alert=False))
    elif now - heard_at > silent_after:
        marks.append(Mark(words=gettext("Silent"), alert=True))
    if state.waiting:
        marks.append(Mark(words=gettext("%(count)s on the way", count=state.waiting), alert=False))
    if not marks:
        words = gettext("In order") if state.seen_at is not None else gettext("Enrolled, nothing sent yet")
        marks.append(Mark(words=words, alert=False))
    return marks


def _lasting_marks(state: TerminalState, ended: bool) -> list[Mark]:  # noqa: FBT001 -- a fact
    """What stays true of an epoch when it is over."""
    told = (
        (state.frozen, frozen_words(state.conflict), True),
        (state.revoked, gettext("Key ended by an officer"), not ended),
        (state.quarantined, gettext("%(count)s rejected", count=state.quarantined), True),
        (state.refused, gettext("Its last upload was refused"), True),
        (state.stubs, gettext("%(count)s too large to come", count=state.stubs), True),
        (state.late, gettext("%(count)s came late", count=state.late), False),
        (state.missing, gettext("%(count)s announced and not sent", count=state.missing), True),
    )
    return [Mark(words=str(words), alert=alert) for applies, words, alert in told if applies]


def frozen_words(conflict: str | None) -> str:
    """Why a chain is frozen."""
    words: dict[str, str] = {
        "fork": gettext("Frozen: two records for one place"),
        "prev": gettext("Frozen: a record follows another one than ours"),
        "newest": gettext("Frozen: another record came than was announced"),
    }
    return words.get(conflict or "", str(gettext("Frozen")))


def _is_off(clock_ms: int) -> bool:
    return abs(timedelta(milliseconds=clock_ms)) > _CLOCK_TOLERANCE


def _clock_words(clock_ms: int) -> str:
    """How far ahead or behind, as `+3 min` in the reader's language, in a unit that keeps it short."""
    seconds = clock_ms / 1000
    units = (
        (gettext("%(count)s d"), 86_400),
        (gettext("%(count)s h"), 3_600),
        (gettext("%(count)s min"), 60),
    )
    for words, length in units:
        if abs(seconds) >= 2 * length:
            return str(words) % {"count": f"{seconds / length:+.0f}"}
    tenths = round(seconds, 1)
    return str(gettext("%(count)s s", count=f"{tenths:+.1f}" if tenths else "0"))
