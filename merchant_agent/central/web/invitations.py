"""What an invitation's code leads to: rating, suggesting and complaining about one sale, on one's own phone."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, url_for

from merchant_agent.central.answers import has_ended, read_invitation
from merchant_agent.central.services import Central
from merchant_agent.central.turns import ANSWERS
from merchant_agent.central.web.answering import Place, add_forms, first_page
from merchant_agent.errors import InvalidError


def invitation_pages(central: Central) -> Blueprint:
    """`/i/<invitation>` and its forms; an invitation that is none, or has ended, has a page that says so."""
    pages = Blueprint("invitations", __name__)
    pages.register_error_handler(InvalidError, _refuse)

    def place_of(name: str) -> Place:
        base = url_for("invitations.first", name=name)
        return Place(asked=read_invitation(central, name), base=base, topic=ANSWERS)

    @pages.get("/i/<name>")
    def first(name: str) -> str:
        place = place_of(name)
        if has_ended(central, place.asked):
            return render_template("central/phone/ended.html", merchant=place.asked.merchant)
        return first_page(central, place)

    add_forms(pages, central, "/i/<name>", place_of)
    return pages


def _refuse(_error: InvalidError) -> Response:
    return Response(render_template("central/phone/invitation_invalid.html"), status=422)
