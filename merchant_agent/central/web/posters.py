"""A shop's poster: complaints and suggestions without a sale, and ratings that are counted apart."""

from __future__ import annotations

from flask import Blueprint, url_for

from merchant_agent.central.answers import read_poster
from merchant_agent.central.services import Central
from merchant_agent.central.turns import POSTERS
from merchant_agent.central.web.answering import Place, add_forms, first_page


def poster_pages(central: Central) -> Blueprint:
    """`/p/<merchant>` and its forms."""
    pages = Blueprint("posters", __name__)

    def place_of(name: str) -> Place:
        base = url_for("posters.first", name=name)
        return Place(asked=read_poster(central, name), base=base, topic=POSTERS)

    @pages.get("/p/<name>")
    def first(name: str) -> str:
        return first_page(central, place_of(name))

    add_forms(pages, central, "/p/<name>", place_of)
    return pages
