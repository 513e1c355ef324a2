"""What officers do with personal data: look at a contact, a sealed complaint or photos, erase words. Nothing of it is in an address."""

from __future__ import annotations

import base64

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.central.confided import look_at_complaint
from merchant_agent.central.contacts import look_at_contact
from merchant_agent.central.erasure import erase
from merchant_agent.central.photos import look_at_photos
from merchant_agent.central.services import Central
from merchant_agent.errors import InvalidError, NotFoundError
from merchant_agent.evidence.fields import MAX_EPOCH, MAX_SEQ, Place
from merchant_agent.web.reading import read_field
from merchant_agent.web.sign_in import requires_role, signed_in

_ID_CHARS = 11
_NUMBER_CHARS = 10


def private_pages(central: Central) -> Blueprint:
    """Four buttons beside what a customer said."""
    pages = Blueprint("private", __name__)

    @pages.post("/officer/contact")
    @requires_role("officer")
    def contact() -> Response:
        merchant, place = _record()
        number = look_at_contact(central, merchant, place, who=signed_in().name)
        answer = Response(render_template("central/officer/contact.html", number=number, place=place))
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @pages.post("/officer/complaint")
    @requires_role("officer")
    def complaint() -> Response:
        merchant, place = _record()
        told = look_at_complaint(central, merchant, place, who=signed_in().name)
        voice = {"merchant": merchant, "issuer": place.issuer, "epoch": place.epoch, "seq": place.seq}
        page = render_template("central/officer/confided.html", told=told, place=place, voice=voice)
        answer = Response(page)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @pages.post("/officer/photos")
    @requires_role("officer")
    def photos() -> Response:
        merchant, place = _record()
        shown = look_at_photos(central, merchant, place, who=signed_in().name)
        pictures = [base64.b64encode(octets).decode("ascii") for octets in shown]
        answer = Response(render_template("central/officer/photos.html", pictures=pictures, place=place))
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @pages.post("/officer/erase")
    @requires_role("officer")
    def erase_words() -> AnyResponse:
        merchant, place = _record()
        try:
            erase(central, merchant, place, who=signed_in().name)
        except NotFoundError:
            flash(gettext("Nothing is left to erase."), "error")
        else:
            flash(gettext("The words are erased."), "done")
        lists = {"complaints", "ratings", "suggestions"}
        shown = request.form.get("list", "")
        return redirect(url_for(f"voices.{shown if shown in lists else 'complaints'}"), code=303)

    return pages


def _record() -> tuple[str, Place]:
    """The merchant and the place that the form names."""
    merchant = read_field("merchant", max_chars=_ID_CHARS)
    issuer = read_field("issuer", max_chars=_ID_CHARS)
    place = Place(issuer=issuer, epoch=_number("epoch", MAX_EPOCH), seq=_number("seq", MAX_SEQ))
    return merchant, place


def _number(name: str, most: int) -> int:
    text = read_field(name, max_chars=_NUMBER_CHARS)
    if not (text.isascii() and text.isdigit()) or int(text) > most:
        raise InvalidError("place", "a place in a chain is expected")
    return int(text)
