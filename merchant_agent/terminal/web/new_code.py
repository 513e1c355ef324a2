"""A new code from the authority, typed in by the manager where the terminal cannot go on by itself."""

from __future__ import annotations

from collections.abc import Mapping

from flask import flash
from flask_babel import LazyString, gettext, lazy_gettext

from merchant_agent.errors import ConflictError, RequestError
from merchant_agent.store.credentials import audit
from merchant_agent.terminal.enrolment import Enrolled, enrol
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.holds import ALARMS
from merchant_agent.terminal.web.words import Saying, alarm_saying

_FAULTS: Mapping[str, LazyString] = {
    "enrolment-code": lazy_gettext(
        "This code is not known, was used, or is over. Ask the authority for a new one."
    ),
    "enrolment-code-form": lazy_gettext("A code has 13 letters and digits; this one was mistyped."),
    "enrolment-continues": lazy_gettext(
        "The code is another shop's, or another machine goes on in this terminal's place. Call the authority."
    ),
    "central-unreachable": lazy_gettext("There is no connection to the authority's server. Try again later."),
    "central-busy": lazy_gettext("The authority's server is busy. Try again later."),
    "rate-limited": lazy_gettext("There were too many wrong codes. Try again in some minutes."),
}
_OTHER = lazy_gettext("The authority's server did not take the code. Call the authority.")


def held_saying(terminal: Terminal) -> Saying | None:
    """What holds up the signing and what to do, where a new code would help; None where it would not."""
    hold = terminal.journal.hold
    return None if hold is None or hold == "ended" else alarm_saying(ALARMS[hold])


def take_code(terminal: Terminal, code: str, *, who: str) -> None:
    """Goes on with the code under a new key, and tells the manager what became of it.

    Raises:
        StartError: the terminal was never enrolled.
        StoreError: the grant could not be stored; the same again gets it.
    """
    base = terminal.settings.central_url or terminal.journal.identity.central_url
    try:
        outcome = enrol(terminal, base, code)
    except ConflictError:
        flash(gettext("Nothing holds this terminal up; no code is needed."), "done")
        return
    except RequestError as error:
        flash(str(_FAULTS.get(error.code, _OTHER)), "error")
        return
    if not isinstance(outcome, Enrolled):
        flash(gettext("An officer has to confirm this code first. Enter it once more after that."), "done")
        return
    now = terminal.clock.now()
    with terminal.store.write() as writer:
        audit(writer, at=now, who=who, what="enrolled-again", detail=outcome.identity.grant.kid)
    flash(gettext("This terminal signs again. What was kept meanwhile is signed and sent by itself."), "done")
