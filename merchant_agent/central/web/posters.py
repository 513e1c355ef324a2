"""A shop's poster: complaints and suggestions without a sale, and ratings that are counted apart."""

from __future__ import annotations

from flask import Blueprint, url_for
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.central.answers import read_poster
from merchant_agent.central.services import Central
from merchant_agent.central.turns import POSTERS
from merchant_agent.central.web import answering
from merchant_agent.central.web.answering import Place
from merchant_agent.evidence.query_code import parse_query_code


def poster_pages(central: Central) -> Blueprint:
    """`/p/<merchant>` and its forms."""
    pages = Blueprint("posters", __name__)

    @pages.get("/p/<merchant_id>")
    def first(merchant_id: str) -> str:
        return answering.first_page(central, _place(central, merchant_id))

    @pages.post("/p/<merchant_id>/level")
    def level(merchant_id: str) -> AnyResponse | str:
        return answering.reasons_page(central, _place(central, merchant_id))

    @pages.post("/p/<merchant_id>/rating")
    def rating(merchant_id: str) -> AnyResponse | str:
        return answering.send_rating(central, _place(central, merchant_id))

    @pages.get("/p/<merchant_id>/suggest")
    def suggest(merchant_id: str) -> str:
        return answering.suggest_page(central, _place(central, merchant_id))

    @pages.post("/p/<merchant_id>/suggest")
    def suggestion(merchant_id: str) -> AnyResponse | str:
        return answering.send_suggestion(central, _place(central, merchant_id))

    @pages.get("/p/<merchant_id>/complain")
    def complain(merchant_id: str) -> str:
        return answering.complain_page(central, _place(central, merchant_id))

    @pages.post("/p/<merchant_id>/complain")
    def complaint(merchant_id: str) -> AnyResponse | str:
        return answering.send_complaint(central, _place(central, merchant_id))

    @pages.get("/p/<merchant_id>/thanks/<any(rating, suggestion, complaint):kind>/<code>")
    def thanks(merchant_id: str, kind: str, code: str) -> str:
        return answering.thanks_page(central, _place(central, merchant_id), kind, parse_query_code(code))

    return pages


def _place(central: Central, merchant_id: str) -> Place:
    asked = read_poster(central, merchant_id)
    return Place(asked=asked, base=url_for("posters.first", merchant_id=merchant_id), topic=POSTERS)
