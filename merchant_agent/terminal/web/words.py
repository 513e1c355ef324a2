"""What codes are called on the pages of the shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import LazyString, lazy_gettext

from merchant_agent.terminal.collect.lookup import PromptState
from merchant_agent.terminal.upload.outcome import Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A short word for a code, and what to do about it."""

    title: LazyString
    advice: LazyString


_SALE_STATES: Mapping[PromptState, LazyString] = {
    PromptState.ASKED: lazy_gettext("The tablet is asking"),
    PromptState.WAITING: lazy_gettext("Waits for its turn"),
    PromptState.ANSWERING: lazy_gettext("Somebody is answering"),
    PromptState.NOT_ASKED: lazy_gettext("Only the receipt asks"),
    PromptState.RATED: lazy_gettext("The customer has answered"),
    PromptState.DECLINED: lazy_gettext("Not this time"),
    PromptState.TIMED_OUT: lazy_gettext("Left without an answer"),
    PromptState.NEXT_SALE: lazy_gettext("Not rated: the next sale came"),
    PromptState.WITHDRAWN: lazy_gettext("Withdrawn by the till"),
}
_NO_TABLET = lazy_gettext("Waiting for a tablet")

_ALARMS: Mapping[str, Saying] = {
    "order-amount": Saying(
        title=lazy_gettext("An order was reported twice with different amounts"),
        advice=lazy_gettext("The first report counts. Check the till's entry of this order."),
    ),
    "upload-earlier": Saying(
        title=lazy_gettext("Records under an earlier key cannot be delivered"),
        advice=lazy_gettext("They stay saved here, and what came later is sent. Call the authority."),
    ),
    "upload-stub": Saying(
        title=lazy_gettext("A record was too large to be sent"),
        advice=lazy_gettext(
            "It stays saved here, the authority's server knows of it, and it is offered once more later."
        ),
    ),
    "upload-refused": Saying(
        title=lazy_gettext("The authority's server refuses what this terminal sends"),
        advice=lazy_gettext("Everything stays saved here. Call the authority."),
    ),
    "upload-not-admitted": Saying(
        title=lazy_gettext("The authority's server does not admit this terminal"),
        advice=lazy_gettext("Everything stays saved here. Call the authority."),
    ),
    "upload-too-large": Saying(
        title=lazy_gettext("A record is too large to be sent"),
        advice=lazy_gettext("It stays saved here. Call the authority."),
    ),
    "upload-failed": Saying(
        title=lazy_gettext("This terminal fails to send what it recorded"),
        advice=lazy_gettext("Everything stays saved here, and it is tried again. Call the operator."),
    ),
    "upload-rejected": Saying(
        title=lazy_gettext("The authority's server did not accept a record"),
        advice=lazy_gettext("It stays saved here, and later ones are sent. Call the authority."),
    ),
    "split-view": Saying(
        title=lazy_gettext("The authority's log contradicts itself"),
        advice=lazy_gettext(
            "It showed this terminal two different histories. Both are kept as evidence and go into every export. "
            "Tell the manager."
        ),
    ),
    "log-unproven": Saying(
        title=lazy_gettext("The authority's log could not be checked"),
        advice=lazy_gettext(
            "The hashes it sent do not fit what it signed. It is tried again with the next upload."
        ),
    ),
    "hold-behind": Saying(
        title=lazy_gettext("Nothing is signed: the authority's server knows more than this terminal"),
        advice=lazy_gettext(
            "Was a backup put back? A new key is asked for by itself, as soon as there is a connection."
        ),
    ),
    "hold-restored": Saying(
        title=lazy_gettext("Nothing is signed: the data of this terminal are older than they were"),
        advice=lazy_gettext(
            "What is missing is fetched and a new key asked for by itself, as soon as there is a connection."
        ),
    ),
    "hold-frozen": Saying(
        title=lazy_gettext("Nothing is signed: the authority has frozen this terminal"),
        advice=lazy_gettext(
            "Two different records stand at one place. Call the authority: an officer must decide."
        ),
    ),
    "hold-key": Saying(
        title=lazy_gettext("Nothing is signed: this terminal's key is missing"),
        advice=lazy_gettext(
            "Call the authority for a new code; the manager enters it on the manager's page."
        ),
    ),
    "hold-damage": Saying(
        title=lazy_gettext("Nothing is signed: the database was damaged"),
        advice=lazy_gettext(
            "What could be saved is here. A new key is asked for by itself, as soon as there is a connection."
        ),
    ),
    "hold-ended": Saying(
        title=lazy_gettext("This terminal was taken out of service"),
        advice=lazy_gettext(
            "It asks nobody any more. What it recorded is still sent; leave it on until nothing waits."
        ),
    ),
    "epoch-refused": Saying(
        title=lazy_gettext("The authority's server does not grant a new key"),
        advice=lazy_gettext(
            "Perhaps another machine with the same data asked first. Call the authority for a new code; the manager enters it on the manager's page."
        ),
    ),
    "hold-epoch": Saying(
        title=lazy_gettext("Nothing is signed until the authority has granted the new key"),
        advice=lazy_gettext("It is asked for by itself, as soon as there is a connection."),
    ),
    "finding": Saying(
        title=lazy_gettext("The authority has found something that this shop should explain"),
        advice=lazy_gettext("Tell the manager: it stands on the manager's page, under “From the authority”."),
    ),
    "inbox-contradiction": Saying(
        title=lazy_gettext("What the authority says about this shop contradicts what it said before"),
        advice=lazy_gettext(
            "It is not believed, and what it signed is kept as evidence. Tell the manager and the operator."
        ),
    ),
    "kept-unsignable": Saying(
        title=lazy_gettext("Something that was kept cannot be signed"),
        advice=lazy_gettext("It stays saved here. Call the operator."),
    ),
    "store-damaged": Saying(
        title=lazy_gettext("The database of this terminal is damaged"),
        advice=lazy_gettext("Leave it running and call the operator: there are copies of the last nights."),
    ),
    "mark-unwritable": Saying(
        title=lazy_gettext("The file that remembers how far the records came cannot be written"),
        advice=lazy_gettext(
            "Nothing is lost, but data copied back to an earlier state would not be found out here. "
            "Tell the operator: the settings must name a file for it that this program may write."
        ),
    ),
    "backup-failed": Saying(
        title=lazy_gettext("Last night's copy of the data could not be made"),
        advice=lazy_gettext("Is the disk full? It is tried again every hour."),
    ),
}
_UNKNOWN_ALARM = Saying(
    title=lazy_gettext("Something needs attention"),
    advice=lazy_gettext("Tell the manager or the operator."),
)

_UPLOAD_STATES: Mapping[str, LazyString] = {
    "ready": lazy_gettext("Connected to the authority"),
    "not-enrolled": lazy_gettext("Not enrolled at the authority yet"),
    Code.UNREACHABLE: lazy_gettext("No connection to the authority; it is tried again by itself"),
    Code.BUSY: lazy_gettext("The authority's server is busy; it is tried again by itself"),
    Code.WRONG_SERVER: lazy_gettext(
        "Something else answers instead of the authority's server, perhaps a Wi-Fi sign-in page"
    ),
    Code.UNTRUSTED: lazy_gettext("The answer is not signed by the authority; it is tried again by itself"),
    Code.NOT_ADMITTED: lazy_gettext("The authority's server does not admit this terminal"),
    Code.BEHIND: lazy_gettext("The authority's server knows more than this terminal"),
    Code.FROZEN: lazy_gettext("The authority has frozen this terminal"),
    Code.REVOKED: lazy_gettext("The authority has withdrawn this terminal's key"),
    Code.REFUSED: lazy_gettext("The authority's server refuses what this terminal sends"),
    Code.TOO_LARGE: lazy_gettext("A record is too large to be sent"),
    Code.FAILED: lazy_gettext("This terminal could not prepare what is to be sent"),
}


def sale_words(state: PromptState, *, is_shown: bool) -> LazyString:
    """How a sale's question stands; `is_shown` tells whether a tablet that is there shows it."""
    if state is PromptState.ASKED and not is_shown:
        return _NO_TABLET
    return _SALE_STATES[state]


def alarm_saying(code: str) -> Saying:
    """The words for an alarm; general ones for a code that has none."""
    return _ALARMS.get(code, _UNKNOWN_ALARM)


def upload_words(state: str) -> LazyString:
    """How the upload stands, in a sentence; that it goes on for a state that needs no words."""
    return _UPLOAD_STATES.get(state, _UPLOAD_STATES["ready"])
