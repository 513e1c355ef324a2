"""Ratings that the staff asked for: the list of what customers told, for officers alone."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask_babel import gettext

from merchant_agent.central.merchants import find_merchant
from merchant_agent.central.services import Central
from merchant_agent.central.urgings import list_urgings
from merchant_agent.web.reading import read_page_number
from merchant_agent.web.sign_in import requires_role


def urging_pages(central: Central) -> Blueprint:
    """The newest first, of all merchants or of one."""
    pages = Blueprint("urgings", __name__)

    @pages.get("/officer/urgings")
    @requires_role("officer")
    def listed() -> str:
        wanted = request.args.get("merchant", "")
        merchant = None
        if wanted:
            with central.store.read() as reader:
                merchant = find_merchant(reader, wanted)
        page = list_urgings(
            central, merchant=None if merchant is None else merchant.id, page=read_page_number()
        )
        return render_template(
            "central/officer/urgings.html", page=page, merchant=merchant, way_words=way_words
        )

    return pages


def way_words(code: str) -> str:
    """One of the ways in which staff influence ratings."""
    words: dict[str, str] = {
        "asked": gettext("They asked for a good rating"),
        "reward": gettext("They offered something for a good rating"),
        "watched": gettext("They stood by and watched me choose"),
        "tapped": gettext("They tapped for me"),
        "changed": gettext("They wanted me to change or withdraw a rating"),
        "pressed": gettext("They pressed or threatened me"),
    }
    return words.get(code, code)
