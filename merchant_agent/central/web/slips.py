"""What a slip's code leads to: where its promise stands, and for who has its claim, what was said.

The claim stands after `#` and never reaches a server by itself: the page's script posts it.
What the script gets is a cookie for this slip alone, so that everything else works without it.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.central.claims import Holder, find_holder, present_claim, require_holder
from merchant_agent.central.confided import told_by
from merchant_agent.central.corrections import confirm, correct, dispute, find_remarks
from merchant_agent.central.devices import Device, keyed_device, named_device
from merchant_agent.central.explanations import find_explanation
from merchant_agent.central.following import complaint_of, read_course, require_complaint
from merchant_agent.central.promises import Promise
from merchant_agent.central.services import Central
from merchant_agent.central.slips import OpenedSlip, RevokedSlipError, open_promise, proof_of, record_of
from merchant_agent.central.turns import ADDITIONS, CLAIMS, take_turn
from merchant_agent.central.visits import Said
from merchant_agent.central.web.cases import add_from_form, photo_of
from merchant_agent.central.web.phrases import form_values
from merchant_agent.central.web.uploads import allow_photos
from merchant_agent.domain.catalogue import LEVELS
from merchant_agent.errors import ForbiddenError, InvalidError, NotFoundError
from merchant_agent.evidence.grant import new_nonce
from merchant_agent.store.store import Reader
from merchant_agent.web.locale import localtime
from merchant_agent.web.reading import read_field, read_json

_COOKIE = "slip"
_COOKIE_S = 90 * 86_400
_MAX_CLAIM_CHARS = 20


class _Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the page's script posts; without a key the device has a name alone."""

    claim: str
    device: str
    key: str | None = None
    signature: str | None = None


def slip_pages(central: Central) -> Blueprint:
    """`/s/<slip>` and what is done there."""
    pages = Blueprint("slips", __name__)

    @pages.get("/s/<text>")
    def slip(text: str) -> AnyResponse | str:
        try:
            opened = open_promise(central, text)
        except InvalidError as error:
            return _refused(error)
        return _page(central, text, opened)

    @pages.post("/s/<text>/open")
    def open_with_claim(text: str) -> AnyResponse:
        take_turn(central, CLAIMS, request.remote_addr or "")
        opened = open_promise(central, text)
        if request.is_json:
            sent = read_json(_Claim)
            answer: AnyResponse = Response(status=204)
            token = present_claim(central, opened, sent.claim, _device(sent, text))
        else:
            # A browser without scripts: whoever typed the claim is a device of its own.
            claim = read_field("claim", max_chars=_MAX_CLAIM_CHARS)
            answer = redirect(url_for("slips.slip", text=text), code=303)
            token = present_claim(central, opened, claim, named_device(new_nonce()))
        answer.set_cookie(
            _COOKIE,
            token,
            max_age=_COOKIE_S,
            path=f"/s/{text}",
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
        )
        return answer

    @pages.post("/s/<text>/correct")
    def correct_level(text: str) -> AnyResponse:
        level = request.form.get("level", "")
        chosen = int(level) if level in {str(each) for each in LEVELS} else 0
        correct(central, open_promise(central, text), _token(), chosen)
        return redirect(url_for("slips.slip", text=text), code=303)

    @pages.post("/s/<text>/dispute")
    def dispute_answer(text: str) -> AnyResponse:
        dispute(central, open_promise(central, text), _token())
        return redirect(url_for("slips.slip", text=text), code=303)

    @pages.post("/s/<text>/confirm")
    def confirm_answer(text: str) -> AnyResponse:
        confirm(central, open_promise(central, text), _token())
        return redirect(url_for("slips.slip", text=text), code=303)

    @pages.get("/s/<text>/proof")
    def proof(text: str) -> Response:
        opened = open_promise(central, text)
        return _file(proof_of(central, text), f"{opened.query_code}.tlog-proof", "text/plain")

    @pages.get("/s/<text>/record")
    def record(text: str) -> Response:
        opened = open_promise(central, text)
        return _file(record_of(central, text).octets, f"{opened.query_code}.jws", "application/jose")

    _add_case(pages, central)
    return pages


def _add_case(pages: Blueprint, central: Central) -> None:
    """What the holder of a complaint's claim does with its case."""
    allow_photos(pages, "add")

    @pages.post("/s/<text>/add")
    def add(text: str) -> AnyResponse:
        take_turn(central, ADDITIONS, request.remote_addr or "")
        opened = open_promise(central, text)
        complaint = _complaint(central, opened)
        error = add_from_form(central, opened.row.merchant, complaint)
        if error is not None:
            return Response(_page(central, text, opened, error=error), status=422)
        return redirect(url_for("slips.slip", text=text), code=303)

    @pages.get("/s/<text>/photo/<int:part>/<int:number>")
    def photo(text: str, part: int, number: int) -> Response:
        opened = open_promise(central, text)
        complaint = _complaint(central, opened, alone=True)
        return photo_of(central, opened.row.merchant, complaint, part, number)


def promise_words(opened: OpenedSlip) -> str:
    """Where the promise stands, as people read it."""
    words: str
    match opened.state:
        case Promise.KEPT:
            words = gettext("Received, and it matches your slip")
        case Promise.PROMISED if opened.due_at is None or opened.waits_for_log:
            words = gettext("On its way")
        case Promise.PROMISED:
            # Kept on one line.
            due = localtime(opened.due_at, "%m\u2011%d\u00a0%H:%M")
            words = gettext("On its way; it must be here by %(due)s", due=due)
        case Promise.LATE:
            words = gettext("It came late")
        case Promise.BROKEN:
            words = gettext("Not received in time; the market supervision bureau has been told")
        case Promise.CONFLICT:
            words = gettext("Two records do not agree; this is being examined")
    return words


def _refused(error: InvalidError) -> Response:
    if isinstance(error, RevokedSlipError):
        page = render_template("central/phone/slip_revoked.html", merchant=error.merchant)
    else:
        page = render_template("central/phone/slip_invalid.html")
    return Response(page, status=422)


def _page(central: Central, text: str, opened: OpenedSlip, *, error: str | None = None) -> str:
    with central.store.read() as reader:
        holder = _holder(central, reader, opened)
        remarks = find_remarks(reader, opened, holder) if holder is not None and holder.visit else None
        explanation = find_explanation(central, reader, opened, is_holder=holder is not None)
        visit = () if holder is None else holder.visit
        complaint = complaint_of(visit)
        course = None if complaint is None else read_course(reader, opened.row.merchant, complaint, visit)
    return render_template(
        "central/phone/slip.html",
        text=text,
        opened=opened,
        words=promise_words(opened),
        holder=holder,
        remarks=remarks,
        explanation=explanation,
        is_provable=_is_provable(central, text),
        levels=central.catalogue.levels,
        course=course,
        error=error,
        base=url_for("slips.slip", text=text),
        **form_values(central, opened.merchant.trade),
    )


def _holder(central: Central, reader: Reader, opened: OpenedSlip) -> Holder | None:
    """The device's page, if its claim is right; what was sealed for the station is open while no other has the claim."""
    holder = find_holder(reader, opened.row, _token())
    if holder is None or holder.is_contested:
        return holder
    return replace(holder, visit=tuple(told_by(central, said) for said in holder.visit))


def _complaint(central: Central, opened: OpenedSlip, *, alone: bool = False) -> Said:
    """The complaint of the slip's visit, for the holder of its claim.

    Raises:
        SignInError: "claim".
        ForbiddenError: "contested", when another device has the claim too and it must be `alone`.
        InvalidError: "complaint", where the visit has none.
    """
    with central.store.read() as reader:
        holder = require_holder(reader, opened.row, _token())
    if alone and holder.is_contested:
        raise ForbiddenError("contested", "another device has the claim too")
    return require_complaint(holder.visit)


def _is_provable(central: Central, text: str) -> bool:
    try:
        proof_of(central, text)
    except NotFoundError:
        return False
    return True


def _device(sent: _Claim, text: str) -> Device:
    if sent.key is None or sent.signature is None:
        return named_device(sent.device)
    return keyed_device(sent.key, sent.signature, text, sent.claim)


def _token() -> str:
    return request.cookies.get(_COOKIE, "")


def _file(octets: bytes, name: str, content_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(octets, content_type=content_type, headers=headers)
