"""A complaint that a phone made, for who made it: `/c/<query code>`.

Its claim was made when the complaint was signed. This phone keeps it in a cookie for this page alone;
on another one it is typed in. It stands in no address.
"""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.central.complaints import Filed, Supplement, add_to
from merchant_agent.central.enclosures import CONSENTS
from merchant_agent.central.following import (
    Case,
    Course,
    find_case,
    find_part,
    read_course,
    read_key,
    write_key,
)
from merchant_agent.central.merchants import find_merchant
from merchant_agent.central.photos import open_photo
from merchant_agent.central.services import Central
from merchant_agent.central.turns import ADDITIONS, CLAIMS, take_turn
from merchant_agent.central.visits import Said
from merchant_agent.central.web.phrases import form_lang, form_values, what_to_correct
from merchant_agent.central.web.uploads import allow_photos, sent_photos
from merchant_agent.errors import ConflictError, FormatError, InvalidError, SignInError
from merchant_agent.web.reading import read_field

_COOKIE = "case"
_COOKIE_S = 400 * 86_400
_MAX_KEY_CHARS = 40


def case_pages(central: Central) -> Blueprint:
    """`/c/<code>` and what is done there."""
    pages = Blueprint("cases", __name__)
    allow_photos(pages, "add")

    @pages.get("/c/<code>")
    def case(code: str) -> str:
        found = find_case(central, code)
        if not found.is_claimed_by(_claim()):
            return _locked_page(central, found, error=None)
        return _page(central, found, error=None)

    @pages.post("/c/<code>/open")
    def open_case(code: str) -> AnyResponse:
        take_turn(central, CLAIMS, request.remote_addr or "")
        found = find_case(central, code)
        claim = _typed_claim()
        if not found.is_claimed_by(claim):
            words = gettext(
                "These characters do not belong to this complaint. Please compare them and enter them once more."
            )
            return Response(_locked_page(central, found, error=words), status=422)
        return remember_claim(found.complaint.query_code, claim)

    @pages.post("/c/<code>/add")
    def add(code: str) -> AnyResponse:
        take_turn(central, ADDITIONS, request.remote_addr or "")
        found = _claimed(central, code)
        error = add_from_form(central, found.merchant, found.complaint)
        if error is not None:
            return Response(_page(central, found, error=error), status=422)
        return redirect(url_for("cases.case", code=code), code=303)

    @pages.get("/c/<code>/photo/<int:part>/<int:number>")
    def photo(code: str, part: int, number: int) -> Response:
        found = _claimed(central, code)
        return photo_of(central, found.merchant, found.complaint, part, number)

    return pages


def file_complaint(filed: Filed) -> AnyResponse:
    """What answers a form that has just opened a case."""
    return remember_claim(filed.own.query_code, filed.claim)


def remember_claim(code: str, claim: str) -> AnyResponse:
    """Leads to the case's page, which this browser can open from now on."""
    page = url_for("cases.case", code=code)
    answer = redirect(page, code=303)
    answer.set_cookie(
        _COOKIE,
        claim,
        max_age=_COOKIE_S,
        path=page,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
    return answer


def add_from_form(central: Central, merchant: str, complaint: Said) -> str | None:
    """Adds what the form brings to the case; what to correct, where that could not be."""
    form = request.form
    try:
        supplement = Supplement(
            comment=form.get("comment", ""),
            contact=form.get("contact", ""),
            consents=tuple(who for who in CONSENTS if who in form.getlist("consent")),
            photos=sent_photos(),
            lang=form_lang(),
        )
        add_to(central, merchant, complaint, supplement)
    except (ConflictError, InvalidError) as error:
        return what_to_correct(error)
    flash(gettext("It was added to your complaint."), "done")
    return None


def photo_of(central: Central, merchant: str, complaint: Said, part: int, number: int) -> Response:
    """One of the case's photos, for who may see it.

    Raises:
        NotFoundError: "part" or "photo".
    """
    with central.store.read() as reader:
        said = find_part(read_course(reader, merchant, complaint), part).said
        octets = open_photo(central, reader, merchant, said.place, number)
    return Response(octets, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


def _page(central: Central, found: Case, *, error: str | None) -> str:
    with central.store.read() as reader:
        course: Course = read_course(reader, found.merchant, found.complaint)
        merchant = find_merchant(reader, found.merchant)
    return render_template(
        "central/phone/case.html",
        merchant=merchant,
        course=course,
        key=write_key(_claim()),
        error=error,
        base=url_for("cases.case", code=found.complaint.query_code),
        **form_values(central, merchant.trade),
    )


def _locked_page(central: Central, found: Case, *, error: str | None) -> str:
    with central.store.read() as reader:
        merchant = find_merchant(reader, found.merchant)
    return render_template(
        "central/phone/case_locked.html",
        merchant=merchant,
        code=found.complaint.query_code,
        error=error,
    )


def _claimed(central: Central, code: str) -> Case:
    found = find_case(central, code)
    if not found.is_claimed_by(_claim()):
        raise SignInError("claim", "the complaint's claim is needed for this")
    return found


def _typed_claim() -> str:
    """The claim as it was copied by hand; empty where it is none."""
    try:
        return read_key(read_field("claim", max_chars=_MAX_KEY_CHARS))
    except (FormatError, InvalidError):
        return ""


def _claim() -> str:
    return request.cookies.get(_COOKIE, "")
