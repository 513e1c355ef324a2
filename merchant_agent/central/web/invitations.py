"""What an invitation's code leads to: rating, suggesting and complaining about one sale, on one's own phone."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.central.answers import has_ended, read_invitation
from merchant_agent.central.services import Central
from merchant_agent.central.turns import ANSWERS
from merchant_agent.central.web import answering
from merchant_agent.central.web.answering import Place
from merchant_agent.errors import InvalidError
from merchant_agent.evidence.query_code import parse_query_code


def invitation_pages(central: Central) -> Blueprint:
    """`/i/<invitation>` and its forms; an invitation that is none, or has ended, has a page that says so."""
    pages = Blueprint("invitations", __name__)
    pages.register_error_handler(InvalidError, _refuse)

    @pages.get("/i/<text>")
    def first(text: str) -> str:
        place = _place(central, text)
        if has_ended(central, place.asked):
            return _ended(place)
        return answering.first_page(central, place)

    @pages.post("/i/<text>/level")
    def level(text: str) -> AnyResponse | str:
        return answering.reasons_page(central, _place(central, text))

    @pages.post("/i/<text>/rating")
    def rating(text: str) -> AnyResponse | str:
        return answering.send_rating(central, _place(central, text))

    @pages.get("/i/<text>/suggest")
    def suggest(text: str) -> str:
        return answering.suggest_page(central, _place(central, text))

    @pages.post("/i/<text>/suggest")
    def suggestion(text: str) -> AnyResponse | str:
        return answering.send_suggestion(central, _place(central, text))

    @pages.get("/i/<text>/complain")
    def complain(text: str) -> str:
        return answering.complain_page(central, _place(central, text))

    @pages.post("/i/<text>/complain")
    def complaint(text: str) -> AnyResponse | str:
        return answering.send_complaint(central, _place(central, text))

    @pages.get("/i/<text>/thanks/<any(rating, suggestion, complaint):kind>/<code>")
    def thanks(text: str, kind: str, code: str) -> str:
        return answering.thanks_page(central, _place(central, text), kind, parse_query_code(code))

    return pages


def _place(central: Central, text: str) -> Place:
    asked = read_invitation(central, text)
    return Place(asked=asked, base=url_for("invitations.first", text=text), topic=ANSWERS)


def _ended(place: Place) -> str:
    return render_template("central/phone/ended.html", merchant=place.asked.merchant)


def _refuse(_error: InvalidError) -> Response:
    return Response(render_template("central/phone/invitation_invalid.html"), status=422)
