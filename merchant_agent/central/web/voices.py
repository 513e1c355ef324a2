"""What customers said, newest first, with their words; for officers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, render_template, request
from flask_babel import gettext

from merchant_agent.central.additions import additions_to
from merchant_agent.central.contacts import kept_of
from merchant_agent.central.merchants import find_merchant
from merchant_agent.central.openings import with_opened_slip
from merchant_agent.central.overview import newest_complaints, newest_ratings, newest_suggestions
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import MerchantEntry, Rating
from merchant_agent.central.suspicions import marks_among
from merchant_agent.domain.catalogue import LEVELS
from merchant_agent.domain.suspicion import Mark
from merchant_agent.web.reading import read_page_number
from merchant_agent.web.sign_in import requires_role


def voice_pages(central: Central) -> Blueprint:
    """The newest ratings, complaints and suggestions, of all merchants or of one."""
    pages = Blueprint("voices", __name__)

    @pages.get("/officer/complaints")
    @requires_role("officer")
    def complaints() -> str:
        merchant = _merchant(central)
        page = newest_complaints(central, merchant=_id(merchant), page=read_page_number())
        rows = [shown.row for shown in page.items]
        added = additions_to(central, rows)
        return render_template(
            "central/officer/complaints.html",
            page=page,
            kept=kept_of(central, [*rows, *(each for some in added.values() for each in some)]),
            added=added,
            merchant=merchant,
            heading=gettext("Complaints"),
        )

    @pages.get("/officer/ratings")
    @requires_role("officer")
    def ratings() -> str:
        merchant, level = _merchant(central), _level()
        page = newest_ratings(central, merchant=_id(merchant), level=level, page=read_page_number())
        return render_template(
            "central/officer/ratings.html",
            page=page,
            kept=kept_of(central, [shown.row for shown in page.items]),
            merchant=merchant,
            level=level,
            levels=LEVELS,
            marks=_marks(central, [shown.row for shown in page.items]),
            opened=_opened(central, [shown.row for shown in page.items]),
            heading=gettext("Ratings"),
        )

    @pages.get("/officer/suggestions")
    @requires_role("officer")
    def suggestions() -> str:
        merchant = _merchant(central)
        page = newest_suggestions(central, merchant=_id(merchant), page=read_page_number())
        return render_template(
            "central/officer/suggestions.html",
            page=page,
            kept=kept_of(central, [shown.row for shown in page.items]),
            merchant=merchant,
            heading=gettext("Suggestions"),
        )

    return pages


def _merchant(central: Central) -> MerchantEntry | None:
    """The merchant that `?merchant=` asks for; None for all."""
    wanted = request.args.get("merchant", "")
    if not wanted:
        return None
    with central.store.read() as reader:
        return find_merchant(reader, wanted)


def _marks(central: Central, ratings: Sequence[Rating]) -> Mapping[tuple[str, str, int, int], Mark]:
    with central.store.read() as reader:
        return marks_among(reader, ratings)


def _opened(central: Central, ratings: Sequence[Rating]) -> frozenset[tuple[str, str, int, int]]:
    with central.store.read() as reader:
        return with_opened_slip(reader, ratings)


def _id(merchant: MerchantEntry | None) -> str | None:
    return None if merchant is None else merchant.id


def _level() -> int | None:
    """The level that `?level=` asks for; None for all, and for anything else."""
    text = request.args.get("level", "")
    return int(text) if text in {str(level) for level in LEVELS} else None
