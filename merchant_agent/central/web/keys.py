"""One epoch of a terminal as officers see it: what contradicts itself, who asked for another key, ending a key."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.central.conflicts import Contradicting, find_conflicts, find_octets
from merchant_agent.central.intake.epochs import AskedOutcome
from merchant_agent.central.key_alarms import KeyRequest, find_key, find_revocation, list_requests
from merchant_agent.central.overview import MerchantOverview, merchant_overview
from merchant_agent.central.revocations import REASON_MAX_CHARS, allow_request, revoke, settle_requests
from merchant_agent.central.services import Central
from merchant_agent.central.web.terminals import TerminalView, view_terminals
from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.fields import MAX_EPOCH
from merchant_agent.evidence.jws import Typ
from merchant_agent.web.reading import read_field
from merchant_agent.web.sign_in import requires_role, signed_in

_FINGERPRINT_CHARS = 64


def key_pages(central: Central) -> Blueprint:
    """`/officer/merchants/<merchant>/terminals/<issuer>/<epoch>` and what is done there."""
    base = f"/officer/merchants/<merchant_id>/terminals/<issuer>/<int(min=1, max={MAX_EPOCH}):epoch>"
    pages = Blueprint("keys", __name__, url_prefix=base)

    @pages.get("")
    @requires_role("officer")
    def terminal(merchant_id: str, issuer: str, epoch: int) -> str:
        return _page(central, merchant_id, issuer, epoch)

    @pages.post("/revoke")
    @requires_role("officer")
    def end_key(merchant_id: str, issuer: str, epoch: int) -> AnyResponse:
        reason = request.form.get("reason", "")
        allow = _chosen(central, merchant_id, issuer, epoch)
        revoke(central, merchant_id, issuer, epoch, reason=reason, who=signed_in().name, allow=allow)
        if allow is None:
            words = gettext("The key has ended. With a new code the terminal goes on under another one.")
        else:
            words = gettext("The key has ended. The terminal gets its new one when it next asks.")
        flash(words, "done")
        return _back(merchant_id, issuer, epoch)

    @pages.post("/allow")
    @requires_role("officer")
    def allow(merchant_id: str, issuer: str, epoch: int) -> AnyResponse:
        key = _chosen(central, merchant_id, issuer, epoch)
        if key is None:
            raise NotFoundError("request", "no request was chosen")
        allow_request(central, merchant_id, issuer, epoch, key, who=signed_in().name)
        flash(gettext("Let through. The terminal gets its new key when it next asks."), "done")
        return _back(merchant_id, issuer, epoch)

    @pages.post("/settled")
    @requires_role("officer")
    def settled(merchant_id: str, issuer: str, epoch: int) -> AnyResponse:
        settle_requests(central, merchant_id, issuer, epoch, who=signed_in().name)
        flash(gettext("Noted: you looked into it."), "done")
        return _back(merchant_id, issuer, epoch)

    @pages.get("/conflicts/<int(max=99):number>/<any(held, received):side>.jws")
    @requires_role("officer")
    def octets(merchant_id: str, issuer: str, epoch: int, number: int, side: str) -> Response:
        found = find_octets(central, merchant_id, issuer, epoch, number, held=side == "held")
        name = f"{issuer}-{epoch}-{number}-{side}.jws"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(found, content_type="application/jose", headers=headers)

    return pages


def _page(central: Central, merchant_id: str, issuer: str, epoch: int) -> str:
    found = merchant_overview(central, merchant_id)
    view = _find_view(central, found, issuer, epoch)
    with central.store.read() as reader:
        conflicts = find_conflicts(reader, merchant_id, issuer, epoch)
        requests = list_requests(reader, merchant_id, issuer, epoch)
        revocation = find_revocation(reader, merchant_id, issuer, epoch)
    return render_template(
        "central/officer/terminal.html",
        merchant=found.entry,
        terminal=view,
        conflicts=conflicts,
        requests=requests,
        waiting=[asked for asked in requests if asked.outcome is AskedOutcome.WAITING],
        unsettled=any(_is_unsettled(asked, view.state.missing) for asked in requests),
        revocation=revocation,
        reason_max_chars=REASON_MAX_CHARS,
        conflict_words=conflict_words,
        typ_words=typ_words,
        reason_words=reason_words,
        outcome_words=outcome_words,
    )


def _find_view(central: Central, found: MerchantOverview, issuer: str, epoch: int) -> TerminalView:
    silent_after = timedelta(hours=central.settings.deadline_hours)
    for view in view_terminals(found.terminals, central.clock.now(), silent_after):
        if (view.state.issuer, view.state.epoch) == (issuer, epoch):
            return view
    raise NotFoundError("terminal", "there is no such terminal")


def _chosen(central: Central, merchant_id: str, issuer: str, epoch: int) -> bytes | None:
    """The key of the request that was chosen in the form; None where none was."""
    wanted = read_field("allow", max_chars=_FINGERPRINT_CHARS)
    if not wanted:
        return None
    with central.store.read() as reader:
        return find_key(reader, merchant_id, issuer, epoch, wanted)


def _back(merchant_id: str, issuer: str, epoch: int) -> AnyResponse:
    return redirect(url_for("keys.terminal", merchant_id=merchant_id, issuer=issuer, epoch=epoch), code=303)


def _is_unsettled(asked: KeyRequest, missing: int) -> bool:
    routine = asked.outcome is AskedOutcome.GRANTED and asked.reason == "planned" and not missing
    return asked.settled_at is None and asked.outcome is not AskedOutcome.WAITING and not routine


def conflict_words(conflict: Contradicting) -> str:
    """What two things that contradict each other mean, in plain words."""
    words: dict[str, str] = {
        "fork": gettext(
            "For number %(seq)s this terminal signed two different records. An honest terminal signs one "
            "record for each number and never another one.",
            seq=conflict.seq,
        ),
        "prev": gettext(
            "Record number %(seq)s was signed to follow another record than the one that came here before "
            "it. Somewhere there is a second history of this terminal.",
            seq=conflict.seq,
        ),
        "newest": gettext(
            "This terminal signed that its record number %(seq)s is a certain one, and signed another one "
            "for the same number.",
            seq=conflict.seq,
        ),
    }
    return words[conflict.kind]


def typ_words(typ: Typ | None) -> str:
    """What an octet string says that it is."""
    words: dict[Typ | None, str] = {
        Typ.RECORD: gettext("A record"),
        Typ.BATCH: gettext("The announcement of an upload"),
        Typ.GRANT: gettext("Our permission for this key"),
        Typ.EPOCH: gettext("A request for another key"),
        Typ.STUB: gettext("A stand-in for a record that was too large"),
    }
    return words.get(typ, "") or str(gettext("Something that cannot be read"))


def reason_words(reason: str) -> str:
    """Why a terminal asked for another key."""
    words: dict[str, str] = {
        "planned": gettext("Planned change"),
        "suspected": gettext("Somebody else may know its key"),
        "restored": gettext("Restored from a backup"),
        "damaged": gettext("Its database was damaged"),
        "behind": gettext("It has fewer records than came here"),
        "frozen": gettext("It is frozen"),
    }
    return words.get(reason, reason)


def outcome_words(outcome: AskedOutcome) -> str:
    """What became of a request for another key."""
    words: dict[AskedOutcome, str] = {
        AskedOutcome.GRANTED: gettext("Granted"),
        AskedOutcome.WAITING: gettext("Waits for you"),
        AskedOutcome.ALLOWED: gettext("Let through, not fetched yet"),
        AskedOutcome.DISMISSED: gettext("Not let through"),
        AskedOutcome.REPLACED: gettext("Refused: a copy; another one had the next key already"),
        AskedOutcome.REVOKED: gettext("Refused: the key has ended"),
    }
    return words[outcome]
